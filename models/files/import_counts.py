"""The result of an import so far."""

from dataclasses import dataclass, field

from planner.domain.ics.reading.groups import ImportNote

# A UID or a reason may contain text of the file, of any length. Longer ones are shortened.
MAX_UID_LENGTH = 255
MAX_REASON_LENGTH = 500


@dataclass
class ImportCounts:
    """How many events an import has created, updated and left unchanged, and which entries have failed.

    `warnings` name what was imported, but not as it is written. `done` of the `total` UIDs of the file have been
    processed.
    """

    total: int = 0
    done: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[ImportNote] = field(default_factory=list)
    warnings: list[ImportNote] = field(default_factory=list)

    def add(self, other: "ImportCounts") -> None:
        """Add the counts of further UIDs."""
        self.total = other.total
        self.done += other.done
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.failed += other.failed
        self.warnings += other.warnings

    def fail(self, uid: str | None, reason: str) -> None:
        """Add an entry that is not imported."""
        self.failed.append(_shorten(uid, reason))

    def warn(self, uid: str | None, reason: str) -> None:
        """Add what was done with an entry that is imported otherwise than it is written."""
        self.warnings.append(_shorten(uid, reason))


def _shorten(uid: str | None, reason: str) -> ImportNote:
    return ImportNote(None if uid is None else uid[:MAX_UID_LENGTH], reason[:MAX_REASON_LENGTH])

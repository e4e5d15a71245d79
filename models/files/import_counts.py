"""The result of an import so far."""

from dataclasses import dataclass, field

from planner.domain.ics.reading.groups import ImportNote

# A UID or a reason may contain text of the file, of any length. Longer ones are shortened, to so many octets in UTF-8.
# So the 20,000 failures that a file may have and these warnings fit into one document of 16 MiB.
MAX_UID_OCTETS = 255
MAX_REASON_OCTETS = 320
MAX_WARNINGS = 5_000


@dataclass
class ImportCounts:
    """How many events an import has created, updated and left unchanged, and which entries have failed.

    `warnings` name what was imported, but not as it is written: the first of `warning_count` ones. `done` of the
    `total` UIDs of the file have been processed.
    """

    total: int = 0
    done: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: list[ImportNote] = field(default_factory=list)
    warnings: list[ImportNote] = field(default_factory=list)
    warning_count: int = 0

    def add(self, other: "ImportCounts") -> None:
        """Add the counts of further UIDs."""
        self.total = other.total
        self.done += other.done
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.failed += other.failed
        self.warnings += other.warnings[: MAX_WARNINGS - len(self.warnings)]
        self.warning_count += other.warning_count

    def fail(self, uid: str | None, reason: str) -> None:
        """Add an entry that is not imported."""
        self.failed.append(_shorten(uid, reason))

    def warn(self, uid: str | None, reason: str) -> None:
        """Add what was done with an entry that is imported otherwise than it is written."""
        self.warning_count += 1
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(_shorten(uid, reason))


def _shorten(uid: str | None, reason: str) -> ImportNote:
    return ImportNote(None if uid is None else _cut(uid, MAX_UID_OCTETS), _cut(reason, MAX_REASON_OCTETS))


def _cut(text: str, octets: int) -> str:
    """Return a text, or as much of its beginning as fits into so many octets."""
    return text if len(text) * 4 <= octets else text.encode(errors="replace")[:octets].decode(errors="ignore")

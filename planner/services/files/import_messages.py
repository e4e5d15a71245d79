"""The messages of the process that reads a file to its parent, and their encoding as BSON."""

from typing import Any, NamedTuple

from database import bson_values
from planner.domain.ics.reading.groups import ImportNote
from planner.domain.ics.versions import RecordTimes, Version
from planner.domain.recurrence.documents import parse_stored_local
from planner.errors import Invalid
from planner.services.files.import_drafts import ImportDraft, OccurrenceDraft


class DraftBatch(NamedTuple):
    """The next drafts of a file, what could not become a draft, and what did not as it is written.

    The file has `total` UIDs, and `done` of them are in this batch.
    """

    total: int
    done: int
    drafts: list[ImportDraft]
    failures: list[ImportNote]
    warnings: list[ImportNote]


class FileRefused(NamedTuple):
    """The file cannot be imported at all."""

    reason: str

    @classmethod
    def from_error(cls, error: Invalid) -> "FileRefused":
        """Return the message that becomes this error again."""
        return cls(error.errors[0].message)

    def to_error(self) -> Invalid:
        """Return the error that the parent raises."""
        return Invalid.field("", self.reason)


class EndOfFile(NamedTuple):
    """There are no further batches."""


Message = DraftBatch | FileRefused | EndOfFile


def encode_message(message: Message) -> bytes:
    """Return a message as a BSON document."""
    match message:
        case DraftBatch():
            document: dict[str, Any] = {
                "total": message.total,
                "done": message.done,
                "drafts": [_encode_draft(draft) for draft in message.drafts],
                "failures": [failure._asdict() for failure in message.failures],
                "warnings": [warning._asdict() for warning in message.warnings],
            }
        case FileRefused():
            document = message._asdict()
        case EndOfFile():
            document = {}
    return bson_values.encode({"type": type(message).__name__, **document})


def decode_message(raw: bytes) -> Message:
    """Return the message in the bytes of `encode_message`."""
    document = bson_values.decode(raw)
    match document.pop("type"):
        case "DraftBatch":
            return DraftBatch(
                total=document["total"],
                done=document["done"],
                drafts=[_decode_draft(draft) for draft in document["drafts"]],
                failures=[ImportNote(**failure) for failure in document["failures"]],
                warnings=[ImportNote(**warning) for warning in document["warnings"]],
            )
        case "FileRefused":
            return FileRefused(**document)
        case _:
            return EndOfFile()


def _encode_draft(draft: ImportDraft) -> dict[str, Any]:
    occurrences = [
        occurrence._asdict() | {"recurrence_id": occurrence.recurrence_id.isoformat()}
        for occurrence in draft.occurrences
    ]
    return draft._asdict() | {"occurrences": occurrences}


def _decode_draft(document: dict[str, Any]) -> ImportDraft:
    # A named tuple is encoded as a list.
    document["occurrences"] = [
        OccurrenceDraft(
            parse_stored_local(occurrence["recurrence_id"]),
            occurrence["time_zone"],
            Version(*occurrence["version"]),
            occurrence["content"],
        )
        for occurrence in document["occurrences"]
    ]
    document["version"] = Version(*document["version"])
    document["instances"] = {key: Version(*version) for key, version in document["instances"].items()}
    document["record_times"] = RecordTimes(*document["record_times"])
    return ImportDraft(**document)

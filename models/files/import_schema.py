"""Imports as they are answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from database.queries import Stored
from models.shared.schema import Reply
from models.shared.views import View, to_json

COUNTS = ("created", "updated", "unchanged", "failed")
EXAMPLE: dict[str, Any] = {
    "created": 40,
    "updated": 1,
    "unchanged": 0,
    "failed": [{"uid": "b@example.com", "reason": "its recurrence rrule COUNT takes whole numbers from 1 to 10000"}],
}


class FailedEntry(Reply):
    """An entry of a file that was not imported."""

    uid: Annotated[str | None, Field(description="As the file has it; null for an entry without one.")]
    reason: Annotated[str, Field(description="Why, in plain words.")]


class ImportRead(Reply):
    """What became of a file's entries."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    created: Annotated[int, Field(description="Events that you did not have.")]
    updated: Annotated[int, Field(description="Events that you had, otherwise or with a lower SEQUENCE.")]
    unchanged: Annotated[int, Field(description="Events that you have just so, or with a higher SEQUENCE.")]
    failed: Annotated[
        list[FailedEntry], Field(description="Every entry that was not imported; a file has 20,000 at most.")
    ]


class ImportJobRead(ImportRead):
    """An import that goes on by itself, and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                EXAMPLE
                | {
                    "id": "692000000000000000000001",
                    "status": "done",
                    "dry_run": False,
                    "total": 42,
                    "done": 42,
                    "reason": None,
                    "created_at": "2026-11-21T09:00:00Z",
                    "finished_at": "2026-11-21T09:00:03Z",
                }
            ]
        }
    )

    id: str
    status: Literal["waiting", "running", "done", "failed"]
    dry_run: bool
    total: Annotated[int | None, Field(description="How many UIDs the file has; null until it has been read.")]
    done: Annotated[int, Field(description="How many of them have been dealt with.")]
    reason: Annotated[str | None, Field(description="Why the import as a whole failed.")]
    created_at: datetime
    finished_at: datetime | None


def import_view(counts: Stored) -> bytes:
    """What became of a file, as it is answered."""
    return to_json({name: counts[name] for name in COUNTS})


def job_view(stored: Stored) -> View:
    """An import that goes on by itself, as it is answered."""
    body = {
        "id": str(stored["_id"]),
        "status": stored["status"],
        "dry_run": stored["dry_run"],
        "total": stored.get("total"),
        "done": stored["done"],
        **{name: stored[name] for name in COUNTS},
        "reason": stored.get("reason"),
        "created_at": stored["created_at"],
        "finished_at": stored.get("finished_at"),
    }
    return View(to_json(body), body["id"], 0)

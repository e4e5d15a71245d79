"""The responses of imports."""

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
    """An entry of an iCalendar file that was not imported."""

    uid: Annotated[str | None, Field(description="The UID in the file; null for an entry without one.")]
    reason: Annotated[str, Field(description="Why it was not imported.")]


class ImportRead(Reply):
    """The result of an import."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    created: Annotated[int, Field(description="How many events were created.")]
    updated: Annotated[int, Field(description="How many of your events were changed.")]
    unchanged: Annotated[
        int, Field(description="How many of your events were the same already, or had a higher SEQUENCE.")
    ]
    failed: Annotated[
        list[FailedEntry], Field(description="Every entry that was not imported; a file has at most 20,000 entries.")
    ]


class ImportJobRead(ImportRead):
    """An import job, its progress, and its result so far."""

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
    dry_run: Annotated[bool, Field(description="Whether the import only reports what would change.")]
    total: Annotated[int | None, Field(description="How many UIDs the file has; null until it has been parsed.")]
    done: Annotated[int, Field(description="How many of them have been processed.")]
    reason: Annotated[str | None, Field(description="Why the job failed; null if it has not failed.")]
    created_at: datetime
    finished_at: Annotated[datetime | None, Field(description="When the job was done or failed.")]


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

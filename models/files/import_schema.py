"""The responses of imports."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from models.files.import_counts import ImportCounts
from models.files.import_job import (
    EntryWarning,
    FailedEntry,
    ImportJob,
    ImportStatus,
    add_last_warning,
    list_failed_entries,
    list_warnings,
)
from models.shared.schema import Reply

_EXAMPLE: dict[str, Any] = {
    "created": 40,
    "updated": 1,
    "unchanged": 0,
    "failed": [{"uid": "b@example.com", "reason": "its recurrence rrule COUNT takes whole numbers from 1 to 10000"}],
    "warnings": [{"uid": "c@example.com", "reason": "its times have no time zone; they are times of Europe/Berlin"}],
}


class ImportRead(Reply):
    """The result of an import."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    created: Annotated[int, Field(description="How many events were created.")]
    updated: Annotated[int, Field(description="How many of your events were changed.")]
    unchanged: Annotated[
        int, Field(description="How many of your events were the same already, or had a higher SEQUENCE.")
    ]
    failed: Annotated[
        list[FailedEntry], Field(description="Every entry that was not imported; a file has at most 20,000 entries.")
    ]
    warnings: Annotated[
        list[EntryWarning],
        Field(
            description="What was imported, but not exactly as the file says it, and what was done instead. At most"
            " 5,000 are listed, of one entry at most 50; a last one says how many more there are."
        ),
    ]

    @classmethod
    def from_counts(cls, counts: ImportCounts) -> "ImportRead":
        """Return the result of an import that has finished."""
        return cls(
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            failed=list_failed_entries(counts),
            warnings=add_last_warning(list_warnings(counts), counts.warning_count),
        )


class ImportJobRead(ImportRead):
    """An import job, its progress, and its result so far."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXAMPLE
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
    status: ImportStatus
    dry_run: Annotated[bool, Field(description="Whether the import only reports what would change.")]
    total: Annotated[int | None, Field(description="How many UIDs the file has; null until it has been parsed.")]
    done: Annotated[int, Field(description="How many of them have been processed.")]
    reason: Annotated[str | None, Field(description="Why the job failed; null if it has not failed.")]
    created_at: datetime
    finished_at: Annotated[datetime | None, Field(description="When the job was done or failed.")]

    @classmethod
    def from_document(cls, job: ImportJob) -> "ImportJobRead":
        """Return the representation of a stored job."""
        return cls(
            id=str(job.id),
            status=job.status,
            dry_run=job.dry_run,
            total=job.total,
            done=job.done,
            created=job.created,
            updated=job.updated,
            unchanged=job.unchanged,
            failed=job.failed,
            warnings=add_last_warning(job.warnings, job.warning_count),
            reason=job.reason,
            created_at=job.created_at,
            finished_at=job.finished_at,
        )

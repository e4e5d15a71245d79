"""The result of an import fits into its document, whatever the file; what is left out of it is counted."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from database.bson_values import encode
from database.commit import commit_atomically
from database.queries import new_id
from models.files.import_counts import MAX_WARNINGS, ImportCounts
from models.files.import_job import ImportJob, list_failed_entries, list_warnings
from models.files.import_schema import ImportJobRead, ImportRead
from planner.clock import SystemClock
from planner.domain.ics.reading.components import MAX_COMPONENTS
from planner.domain.ics.reading.groups import MAX_WARNINGS as MAX_WARNINGS_OF_ENTRY
from planner.domain.ics.reading.groups import ImportNote, limit_warnings

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def new_job(now: datetime) -> ImportJob:
    return ImportJob.new(new_id(), "utf-8", dry_run=False, reject_conflicts=False, time_zone=None, now=now)


@pytest.mark.parametrize("letter", ["a", "é", "会", "🎂", "\ud800"])
def test_a_job_with_the_most_and_longest_failures_and_warnings_fits_into_a_document(letter: str) -> None:
    counts = ImportCounts()
    for number in range(MAX_COMPONENTS):
        counts.fail(f"{number}{letter * 300}", letter * 1000)
        counts.warn(f"{number}{letter * 300}", letter * 1000)
    job = new_job(NOW)
    lists = {"failed": list_failed_entries(counts), "warnings": list_warnings(counts)}
    assert len(encode(job.to_stored() | lists)) < MAX_DOCUMENT_BYTES
    assert len(counts.failed) == MAX_COMPONENTS
    assert counts.failed[-1].uid is not None and counts.failed[-1].uid.startswith(f"{MAX_COMPONENTS - 1}")


def test_a_short_uid_or_reason_is_not_changed() -> None:
    counts = ImportCounts()
    counts.fail("é" * 127, "会" * 100)
    assert counts.failed == [ImportNote("é" * 127, "会" * 100)]


def test_a_last_warning_says_how_many_more_there_are() -> None:
    counts = ImportCounts()
    for _ in range(3):
        batch = ImportCounts()
        for number in range(2_000):
            batch.warn(f"{number}", "why")
        counts.add(batch)
    read = ImportRead.from_counts(counts)
    assert len(read.warnings) == MAX_WARNINGS + 1
    assert read.warnings[-1] == {"uid": None, "reason": "there are 1000 more warnings"}
    assert ImportRead.from_counts(ImportCounts()).warnings == []


@pytest.mark.usefixtures("without_background_work")
async def test_a_stored_job_has_the_first_warnings_and_their_number(app: FastAPI) -> None:
    now, holder = SystemClock().now(), new_id()
    job = new_job(now)
    await commit_atomically([job.insert_writes()[0]])
    leased = await ImportJob.lease_due(holder, now)
    assert leased is not None
    for done in range(3):
        batch = ImportCounts(total=3, done=1)
        for number in range(2_000):
            batch.warn(f"{done}-{number}", "why")
        assert await commit_atomically([ImportJob.progress_write(job.id, holder, done, batch)])
    stored = await ImportJob.by_id(job.id, job.owner)
    assert stored is not None
    assert (len(stored.warnings), stored.warning_count) == (MAX_WARNINGS, 6_000)
    assert (stored.warnings[0]["uid"], stored.warnings[-1]["uid"]) == ("0-0", "2-999")
    assert ImportJobRead.from_document(stored).warnings[-1]["reason"] == "there are 1000 more warnings"


def test_one_entry_has_a_limited_number_of_different_warnings() -> None:
    notes = [ImportNote("a", f"why {number // 2}") for number in range(2_000)]
    limited = limit_warnings("a", notes)
    assert len(limited) == MAX_WARNINGS_OF_ENTRY + 1
    assert limited[-1] == ImportNote("a", "there are 950 more warnings about this entry")
    assert limit_warnings("a", notes[:4]) == [ImportNote("a", "why 0"), ImportNote("a", "why 1")]

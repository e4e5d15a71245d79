"""The import routes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.files.import_schema import ImportJobRead, ImportRead
from planner.services.files.importer import File
from routes.http.bodies import CALENDAR, read_calendar
from routes.http.dependencies import IdInPath, ImportJobsService, RejectConflicts, WriterIdempotencyKey
from routes.http.problems import GUARDED, WITH_BODY, problems
from routes.http.responses import JSON, described

router = APIRouter(prefix="/api/v1", tags=["import"], responses=problems(*GUARDED))

EXAMPLE = "\r\n".join(
    [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Example//EN", "BEGIN:VEVENT", "UID:launch@example.com"),
        *("DTSTAMP:20261101T090000Z", "DTSTART;TZID=Europe/Berlin:20261201T180000", "DURATION:PT2H"),
        *("SUMMARY:Book launch", "RRULE:FREQ=WEEKLY;COUNT=3", "END:VEVENT", "END:VCALENDAR", ""),
    ]
)
FILE = {
    "requestBody": {
        "required": True,
        "description": "An iCalendar file (RFC 5545) of up to 20 MiB, 500,000 lines and 20,000 entries, in UTF-8.",
        "content": {CALENDAR: {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
PREFER = "`respond-async` (RFC 7240): be answered at once, with a job whose progress can be read."


async def file_in(request: Request, reject: RejectConflicts) -> File:
    """The file in the body."""
    return File(*await read_calendar(request), reject)


def prefers_async(prefer: str | None) -> bool:
    """Whether a `Prefer` asks for an answer before the work is done (RFC 7240 §4.1)."""
    wishes = [wish.partition(";")[0].partition("=")[0].strip().lower() for wish in (prefer or "").split(",")]
    return "respond-async" in wishes


@router.post(
    "/events/import",
    openapi_extra=FILE,
    responses=described(200, "What became of its entries.", ImportRead)
    | described(202, "The import goes on by itself.", ImportJobRead, "Location", "Preference-Applied")
    | problems(409, *WITH_BODY),
)
async def import_events(
    request: Request,
    caller: EventsWriter,
    imports: ImportJobsService,
    once: WriterIdempotencyKey,
    file: Annotated[File, Depends(file_in)],
    dry_run: Annotated[bool, Query(description="Only say what would change.")] = False,
    prefer: Annotated[str | None, Header(description=PREFER)] = None,
) -> Response:
    """Import the events of an iCalendar file: new ones as private, those with a UID that you have as changes.

    The same file again changes nothing. An entry with a SEQUENCE lower than your event's is left aside; who may
    see an event never changes. What has no field of ours, such as `X-` properties, is kept (up to 64 KiB an event)
    and exported again. An entry that cannot be imported is answered under `failed`, and the others go in.

    A title, description or location that is too long is shortened, and kept whole as an `X-PLANNER-` property.
    Times without a zone are in the file's `X-WR-TIMEZONE`, or in UTC. Windows' names of zones are known; a zone
    that the file describes itself becomes the one that shows the same times.

    With `on_conflict=reject` an entry in time that is taken is answered under `failed`, and the others go in; of
    two in the file the first one does. A dry run holds entries against what is there, not against each other.
    """
    if not prefers_async(prefer):
        return Response((await imports.now(caller, file, dry_run, once)).json, media_type=JSON)
    job = await imports.later(caller, file, dry_run, once)
    location = f"{request.app.state.base_url}/api/v1/imports/{job.id}"
    headers = {"location": location, "preference-applied": "respond-async"}
    return Response(job.json, 202, media_type=JSON, headers=headers)


@router.get("/imports/{id}", responses=described(200, "The import.", ImportJobRead))
async def read_import(caller: EventsReader, imports: ImportJobsService, id: IdInPath) -> Response:
    """An import that goes on by itself, and how far it is. It can be looked up for seven days."""
    job = await imports.look_up(caller, id)
    return Response(job.json, media_type=JSON, headers={"cache-control": "private, no-cache"})

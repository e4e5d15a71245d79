"""Import of iCalendar files."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticate import EventsReader, EventsWriter
from models.files.import_schema import ImportJobRead, ImportRead
from models.shared.fields import TimeZone
from planner.services.files.importer import File
from routes.http.bodies import CALENDAR, read_calendar_file
from routes.http.dependencies import IdInPath, RejectConflicts, ServicesDep, WriterIdempotencyKey
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, describe_errors
from routes.http.responses import JSON, describe_response, prefers_async, respond_with_job, respond_with_new_job
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1", tags=["import"], route_class=PlannerRoute, responses=describe_errors(*AUTHENTICATED_ERRORS)
)

EXAMPLE = "\r\n".join(
    [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Example//EN", "BEGIN:VEVENT", "UID:launch@example.com"),
        *("DTSTAMP:20261101T090000Z", "DTSTART;TZID=Europe/Berlin:20261201T180000", "DURATION:PT2H"),
        *("SUMMARY:Book launch", "RRULE:FREQ=WEEKLY;COUNT=3", "END:VEVENT", "END:VCALENDAR", ""),
    ]
)
CALENDAR_BODY = {
    "requestBody": {
        "required": True,
        "description": "An iCalendar file (RFC 5545) in UTF-8, or in UTF-16 with a byte order mark:"
        " at most 20 MiB, 500,000 lines and 20,000 entries.",
        "content": {CALENDAR: {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
FLOATING_ZONE = (
    "An IANA time zone: that of times without one, and of the days of all-day events. Default: the file's "
    "`X-WR-TIMEZONE`, else the time zone of your account."
)
PREFER = "`respond-async` (RFC 7240): respond at once with 202 and an import job, which can be polled."


async def read_uploaded_file(
    request: Request,
    reject_conflicts: RejectConflicts,
    time_zone: Annotated[TimeZone | None, Query(description=FLOATING_ZONE)] = None,
) -> File:
    """Return the iCalendar file in the body."""
    return File(*await read_calendar_file(request), reject_conflicts, time_zone)


@router.post(
    "/events/import",
    openapi_extra=CALENDAR_BODY,
    responses=describe_response(200, "The result of the import.", ImportRead)
    | describe_response(
        202, "The import job, which runs in the background.", ImportJobRead, "Location", "Preference-Applied"
    )
    | describe_errors(409, *BODY_ERRORS),
)
async def import_events(
    caller: EventsWriter,
    services: ServicesDep,
    idempotency_key: WriterIdempotencyKey,
    file: Annotated[File, Depends(read_uploaded_file)],
    dry_run: Annotated[bool, Query(description="Report what would change, and change nothing.")] = False,
    prefer: Annotated[str | None, Header(description=PREFER)] = None,
) -> Response:
    """Import events from an iCalendar file.

    New events are created as private ones. An entry whose UID you have already updates your event, unless
    it is an older version than the last one: SEQUENCE and then DTSTAMP are compared, for each RECURRENCE-ID
    separately. Importing the same file again changes nothing. An update leaves what only you have changed:
    tags, reminders, notes on single occurrences, color and so on. What both have changed: the times, the
    place and the status are the entry's (yours are in the revisions), and the rest is yours; `warnings`
    says so. The visibility of your events never changes. With `METHOD:CANCEL`, an entry sets the status of
    your event or occurrence. Content that has no field here, such as `X-` properties, is stored (up to 64
    KiB for each event), and exported again to you, but to nobody else. Entries that cannot be imported are
    listed in `failed`; the others are imported. A line or a value that cannot be read is left out of its
    event, and `warnings` names it.

    A title, description or location that is too long is shortened; the full text is kept in an
    `X-PLANNER-` property.

    Times without a time zone are those of `time_zone`, else of the file's `X-WR-TIMEZONE`, else of your account. Names
    of time zones are those of IANA or Windows. Where the file describes a time zone, its description decides: the
    named zone is used if its clocks agree with the description at the times of the event, else one that agrees.
    If there is none, the event takes place at the instants that the file says, and `warnings` say how it is stored.

    With `on_conflict=reject`, an entry that overlaps with another event of yours is listed in `failed`; of
    two such entries in one file, the first is imported. A dry run compares entries with your stored
    events, not with each other.
    """
    if not prefers_async(prefer):
        result = await services.import_jobs.import_now(caller, file, dry_run, idempotency_key)
        return Response(result.json, media_type=JSON)
    job = await services.import_jobs.create_job(caller, file, dry_run, idempotency_key)
    return respond_with_new_job(job, f"{services.base_url}/api/v1/imports/{job.id}")


@router.get("/imports/{id}", responses=describe_response(200, "The import job.", ImportJobRead))
async def get_import(caller: EventsReader, services: ServicesDep, id: IdInPath) -> Response:
    """Get an import job and its progress.

    A job can be read for seven days.
    """
    return respond_with_job(await services.import_jobs.get_job(caller, id))

"""An event or an occurrence as it is shown, and its iCalendar file."""

from itertools import islice
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from models.events.event_view import format_occurrence_time
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.urls import is_web_address
from planner.domain.zones import LATEST_INSTANT
from planner.wiring import Services
from routes.feeds import export_event
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.dates import parse_local, write_instant
from routes.pages.events.creating import Text
from routes.pages.events.refusals import write_range, write_time_elsewhere, write_when
from routes.pages.events.targets import Target, find_target
from routes.pages.rendering import render_page
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
SHOWN_OCCURRENCES = 5
_LINKS = ("url", "image", "conference")
_PLAIN = ("location", "geo", "tags", "status", "transparency", "visibility", "priority", "reminders")


class Shown(NamedTuple):
    """A field as it is shown; a `link` is an address of the web, and nothing else is a link."""

    label: str
    text: str
    link: str | None = None


@router.get("/events/{id}")
async def show_event(
    request: Request, id: str, caller: SignedIn, services: ServicesDep, occurrence: Text = ""
) -> Response:
    """Show an event, or one occurrence of it."""
    target = await find_target(services, caller, id, occurrence)
    return render_page(
        request,
        "events/event.html",
        target=target,
        body=target.body,
        when=write_when(target.body, target.time_zone) or WORDS.event.undated,
        elsewhere=write_time_elsewhere(target.body, target.time_zone),
        recurrence=_write_recurrence(target),
        upcoming=[] if target.recurrence_id else _list_upcoming(target, services),
        fields=_list_fields(target.body),
        created_at=write_instant(target.body["created_at"], target.time_zone),
        updated_at=write_instant(target.body["updated_at"], target.time_zone),
    )


@router.get("/events/{id}.ics")
async def download(request: Request, id: str, caller: SignedIn, services: ServicesDep) -> Response:
    """Return an event as an iCalendar file."""
    event = await services.events.get(caller, id)
    response = await export_event(request, caller, event, services)
    response.headers["cache-control"] = "no-store"
    return response


def _write_recurrence(target: Target) -> str | None:
    series = target.event.series
    if series is None:
        return None
    return WORDS.event.write_recurrence(target.body["recurrence"], series.start, series.time_zone)


def _list_upcoming(target: Target, services: Services) -> list[dict[str, str]]:
    """Return the next occurrences of a series."""
    series = target.event.series
    if series is None:
        return []
    found = list_occurrences(series, services.clock.now(), LATEST_INSTANT, SHOWN_OCCURRENCES).items
    shown = []
    for occurrence in islice(found, SHOWN_OCCURRENCES):
        start, end = (
            parse_local(format_occurrence_time(value, series.time_zone), target.time_zone)
            for value in (occurrence.start, occurrence.end)
        )
        address = f"/events/{target.id}?occurrence={occurrence.recurrence_id.isoformat()}"
        shown.append({"when": write_range(start, None if start == end else end), "address": address})
    return shown


def _list_fields(body: dict[str, Any]) -> list[Shown]:
    """Return the fields that say something, besides those with a place of their own."""
    words, shown = WORDS.event, []
    for name in (*_PLAIN[:1], *_LINKS, *_PLAIN[1:]):
        value = body.get(name)
        if value in (None, "", [], 0):
            continue
        text = str(value) if name in _LINKS else words.write_value(name, value)
        shown.append(Shown(words.labels[name], text, value if name in _LINKS and is_web_address(value) else None))
    if body.get("organizer"):
        shown.append(Shown(words.labels["organizer"], _write_person(body["organizer"])))
    for attendee in body.get("attendees") or ():
        status = words.attendee_statuses[attendee["status"]]
        shown.append(Shown(words.labels["attendees"], f"{_write_person(attendee)}: {status}"))
    for alarm in body.get("alarms") or ():
        parts = (alarm["action"], alarm["trigger"], alarm["related"], alarm["description"])
        shown.append(Shown(words.labels["alarms"], ", ".join(filter(None, parts))))
    return shown


def _write_person(person: dict[str, str | None]) -> str:
    name, email = person["name"], person["email"]
    return f"{name} ({email})" if name and email else name or email or "?"

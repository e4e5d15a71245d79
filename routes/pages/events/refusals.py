"""The form of an event: shown, and shown again if it could not be saved, with what was typed still in it."""

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from planner.domain.zones import list_zone_names
from planner.errors import Collision, ConfirmationNeeded, Conflict, DoubleBooking, Invalid, PlannerError
from routes.pages.dates import parse_local, write_days, write_instant, write_moments
from routes.pages.events.form_changes import GROUPS, find_changed, list_reminders, mark_values, merge_values
from routes.pages.events.form_values import find_zone, parse_times
from routes.pages.events.repeats import Values, parse_repeats
from routes.pages.events.targets import Target
from routes.pages.forms import errors_by_field
from routes.pages.rendering import render_page
from routes.pages.words import WORDS


class EventForm(NamedTuple):
    """The form of an event: of a new one if there is no target, and the hidden fields that it carries."""

    target: Target | None
    values: Values
    time_zone: str
    hidden: dict[str, str]


def form_of(target: Target) -> EventForm:
    """Return the form with which an event or an occurrence is changed, as it is now."""
    hidden = {
        "revision": str(target.event.revision),
        "seen": orjson.dumps(mark_values(target.values)).decode(),
        "occurrence": target.recurrence_id or "",
    }
    return EventForm(target, target.values, target.time_zone, hidden)


def show_form(request: Request, form: EventForm, status: int = 200, **values: Any) -> Response:
    """Return the page with the form of an event."""
    target, words = form.target, WORDS.event
    shared = {
        "target": target,
        "action": "/events/new" if target is None else f"/events/{target.id}/edit",
        "back": "/calendar" if target is None else f"/events/{target.id}{target.query}",
        "title": words.new_title if target is None else words.edit_title.format(title=target.body["title"]),
        "values": form.values,
        "hidden": form.hidden,
        "sentence": write_sentence(form.values),
        "reminders": list_reminders(form.values),
        "zones": list_zones(),
        "conflicts": [],
        "confirm": None,
        "now": {},
    }
    return render_page(request, "events/form.html", status, **shared | values)


def show_refused(request: Request, form: EventForm, error: PlannerError) -> Response:
    """Return the form with what is wrong with it; raises errors that no form is to blame for."""
    match error:
        case Invalid():
            errors = errors_by_field(error)
            message = WORDS.error_summary if any(errors) else error.errors[0].message
            return show_form(request, form, 422, errors=errors, message=message)
        case DoubleBooking():
            hidden = form.hidden | {"accepted": mark_conflicts(error.conflicts)}
            conflicts = [describe_conflict(conflict, form.time_zone) for conflict in error.conflicts]
            return show_form(request, form._replace(hidden=hidden), 409, conflicts=conflicts)
        case ConfirmationNeeded():
            return show_form(request, form, 409, confirm=form.values["visibility"], message=WORDS.event.confirm_text)
        case Conflict():
            return show_form(request, form, 409, message=error.detail)
        case _:
            raise error


def show_stale(request: Request, current: Target, typed: Values, seen: dict[str, str]) -> Response:
    """Return the form after somebody else has changed the event: what they changed is in it, but for what was typed."""
    words, changed = WORDS.event, find_changed(typed, seen)
    marks = mark_values(current.values)
    theirs = [group for group in GROUPS if marks[group] != seen.get(group)]
    form = form_of(current)._replace(values=merge_values(current.values, typed, changed))
    now = {group: describe_group(current, group) for group in theirs if group in changed}
    parts = [words.changed_meanwhile]
    if theirs and seen:
        parts.append(words.changed_fields.format(fields=", ".join(words.labels[group] for group in theirs)))
    return show_form(request, form, 412, now=now, message=" ".join(parts))


def describe_group(target: Target, group: str) -> str:
    """Return what an event has in a group of fields."""
    if group == "times":
        return write_when(target.body, target.values["time_zone"]) or WORDS.event.undated
    if group == "recurrence":
        return write_sentence(target.values) or str(WORDS.event.repeats_choices[""])
    return WORDS.event.write_value(group, target.body[group])


def write_when(body: dict[str, Any], time_zone: str) -> str | None:
    """Return when an event, as it is sent, takes place, in words; None for one without a date."""
    if body["start"] is None:
        return None
    start = parse_local(body["start"], time_zone)
    end = None if body["end"] is None else parse_local(body["end"], time_zone)
    return write_range(start, end)


def write_time_elsewhere(body: dict[str, Any], time_zone: str) -> str | None:
    """Return when an event takes place in its own time zones; None if they have the time of who looks at it."""
    zone = find_zone(body, time_zone)
    if body["start"] is None or body["all_day"]:
        return None
    end_zone = body["end_time_zone"] or zone
    if end_zone != zone and body["end"] is not None:
        start, end = write_instant(body["start"], zone), write_instant(body["end"], end_zone)
        return WORDS.event.from_zone_to_zone.format(start=start, zone=zone, end=end, end_zone=end_zone)
    there = write_when(body, zone)
    return None if there == write_when(body, time_zone) else WORDS.event.also_at.format(time=there, zone=zone)


def write_range(start: Any, end: Any) -> str:
    """Return the days, or the time, from a start to an end that is exclusive."""
    if type(start) is not date:
        return write_moments(start, end)
    return write_days(start, start if end is None else date.fromordinal(end.toordinal() - 1))


def write_sentence(values: Values) -> str:
    """Return the recurrence in a form as a sentence; an empty text without one, or if something is wrong with it."""
    if not values.get("repeats"):
        return ""
    try:
        times = parse_times(values)
        recurrence = parse_repeats(values, times.start, {})
    except Invalid:
        return ""
    assert recurrence is not None
    assert times.start is not None
    return WORDS.event.write_recurrence(recurrence, times.start, times.time_zone)


def mark_conflicts(conflicts: Sequence[Collision]) -> str:
    """Return a mark of conflicts, by which it is known that they were shown."""
    return hashlib.sha256(orjson.dumps([conflict[:1] + conflict[2:] for conflict in conflicts])).hexdigest()[:16]


def describe_conflict(conflict: Collision, time_zone: str) -> dict[str, str]:
    """Return another event at the same time as a page shows it."""
    query = f"?occurrence={conflict.recurrence_id}" if conflict.recurrence_id else ""
    when = write_when(conflict._asdict(), time_zone) or ""
    return {"title": conflict.title, "when": when, "address": f"/events/{conflict.id}{query}"}


@cache
def list_zones() -> list[str]:
    """Return the time zones that are offered: those that are named after places, and UTC."""
    return ["UTC", *sorted(name for name in list_zone_names() if "/" in name and not name.startswith("Etc/"))]

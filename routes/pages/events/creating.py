"""The page on which an event is created: from nothing, from a place in the calendar, or from another event."""

import hashlib
import secrets
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.principal import Principal
from models.accounts.user import User
from models.events.event_schema import EventCreate
from planner.domain.times import parse_date_or_time
from planner.domain.zones import to_local
from planner.errors import DoubleBooking, Invalid, PlannerError
from planner.services.shared.idempotency import IdempotencyKey
from planner.wiring import Services
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.events.form_changes import build_new_event, empty_values, read_values
from routes.pages.events.form_values import ON, parse_times
from routes.pages.events.refusals import EventForm, mark_conflicts, show_form, show_refused, write_sentence
from routes.pages.events.repeats import parse_repeats
from routes.pages.events.targets import find_target
from routes.pages.forms import Form, PageForm
from routes.pages.rendering import PAGE_HEADERS, redirect
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
Text = Annotated[str, Query(max_length=200)]
USUAL_TIME, USUAL_LENGTH = time(9), timedelta(hours=1)


@router.get("/events/new")
async def show_new(
    request: Request,
    caller: SignedIn,
    services: ServicesDep,
    start: Text = "",
    end: Text = "",
    all_day: Text = "",
    copy: Text = "",
    occurrence: Text = "",
) -> Response:
    """Show the form of a new event."""
    if copy:
        target = await find_target(services, caller, copy, occurrence)
        values, time_zone = dict(target.values), target.time_zone
        if occurrence or not target.is_own:
            # One occurrence is copied without its series, and nothing of others is shown to more people.
            empty = empty_values(time_zone)
            values |= {name: empty[name] for name in ("repeats", "rrule", "rdates", "exdates")} if occurrence else {}
            values |= {} if target.is_own else {"visibility": empty["visibility"]}
    else:
        time_zone = await User.find_time_zone(caller.id)
        now = to_local(services.clock.now(), time_zone)
        values = empty_values(time_zone) | suggest_times(start, end, all_day in ("1", "true", ON), time_zone, now)
    return show_form(request, EventForm(None, values, time_zone, {"draft": secrets.token_urlsafe(12)}))


def suggest_times(start: str, end: str, all_day: bool, time_zone: str, now: datetime) -> dict[str, str]:
    """Return the times that a new event is shown with; what cannot be understood is the same as nothing."""
    begins, ends = _parse_slot(start, time_zone), _parse_slot(end, time_zone)
    if begins is None:
        begins = now.replace(minute=0, second=0, microsecond=0) + USUAL_LENGTH
    if all_day:
        first, last = _to_date(begins), _to_date(ends or begins)
        # The end of a place in the calendar is exclusive, as everywhere.
        last = max(first, last - timedelta(days=1) if ends else last)
        return {"all_day": ON, "start": first.isoformat(), "end": last.isoformat()}
    if not isinstance(begins, datetime):
        begins = datetime.combine(begins, USUAL_TIME)
    if not isinstance(ends, datetime) or ends <= begins:
        ends = begins + USUAL_LENGTH
    return {"start": begins.isoformat(timespec="minutes"), "end": ends.isoformat(timespec="minutes")}


def _parse_slot(text: str, time_zone: str) -> date | None:
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = parse_date_or_time(text.replace(" ", "+"), "/start")
        limit = date(9999, 1, 1)
        local = to_local(moment, time_zone) if isinstance(moment, datetime) and moment.tzinfo else moment
    except (Invalid, OverflowError):
        return None
    return local if date(1, 1, 2) < _to_date(local) < limit else None


def _to_date(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


@router.post("/events/new")
async def create(request: Request, caller: SignedIn, form: Form, services: ServicesDep) -> Response:
    """Create an event, and show it."""
    time_zone = await User.find_time_zone(caller.id)
    values = read_values(form, empty_values(time_zone))
    again = EventForm(None, empty_values(time_zone) | values, time_zone, {"draft": form.get("draft")})
    if form.get("preview"):
        return show_form(request, again)
    try:
        id = await _create(services, caller, form, build_new_event(values, time_zone))
    except PlannerError as error:
        return show_refused(request, again, error)
    return redirect(request, f"/events/{id}")


async def _create(services: Services, caller: Principal, form: PageForm, draft: EventCreate) -> str:
    """Create an event, once for each form, and return its id.

    Raises `DoubleBooking` unless exactly these conflicts have been shown before.
    """
    key = _find_key(services, caller, form.get("draft"), draft)
    try:
        return (await services.events.create(caller, draft, key, reject=True)).id
    except DoubleBooking as error:
        if form.get("accepted") != mark_conflicts(error.conflicts):
            raise
    return (await services.events.create(caller, draft, key)).id


def _find_key(services: Services, caller: Principal, form: str, draft: EventCreate) -> IdempotencyKey | None:
    """Return the key by which a form that is sent twice creates one event; with other content it creates another."""
    if not form:
        return None
    content = hashlib.sha256(draft.model_dump_json().encode()).hexdigest()
    return IdempotencyKey(f"{caller.id} form of a new event", f"{form[:64]} {content}", services.secrets, caller.id)


@router.get("/events/sentence")
async def say_rule(request: Request, caller: SignedIn) -> Response:
    """Return the sentence of a recurrence that is being put together, and what is wrong with it; both may be empty.

    A mistake is no error: somebody is still writing.
    """
    values = dict(request.query_params)
    sentence = write_sentence(values)
    mistake = "" if sentence else _find_mistake(values)
    return JSONResponse({"sentence": sentence, "mistake": mistake}, headers=PAGE_HEADERS)


def _find_mistake(values: dict[str, str]) -> str:
    try:
        parse_repeats(values, parse_times(values).start, {})
    except Invalid as error:
        return error.errors[0].message
    return ""

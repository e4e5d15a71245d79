"""An item of the calendar that is dragged to another day or hour."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.events.event_schema import EventPatch, OccurrencePatch
from planner.domain.times import format_rfc3339
from planner.domain.zones import to_local, to_utc
from planner.errors import Malformed
from planner.wiring import Services
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.entrance import local_address
from routes.pages.forms import Form, PageForm
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
_SCOPES = ("this", "following", "all")


@router.post("/events/{id}/move")
async def move_event(request: Request, caller: SignedIn, services: ServicesDep, id: str, form: Form) -> Response:
    """Move an event, or an occurrence of it and maybe others, by as far as it was dragged, and show the calendar again.

    `from` and `to` are two days, or two local times in the zone of the account. With an `occurrence`, `scope` says
    whether it is `this` one, it and all `following` ones, or `all` that is moved.
    """
    shift = _parse_shift(form)
    revision, scope = form.get("revision"), form.get("scope") or "this"
    if not revision.isascii() or not revision.isdigit() or scope not in _SCOPES:
        raise Malformed("A move needs the revision of the event, and what of it is moved: this, following or all.")
    await _move(services, caller, id, form.get("occurrence"), scope, shift, frozenset([int(revision)]))
    return redirect(request, local_address(form.get("next")))


def _parse_shift(form: PageForm) -> timedelta:
    """Return how far an item was dragged. Raises `Malformed`."""
    try:
        return datetime.fromisoformat(form.get("to")) - datetime.fromisoformat(form.get("from"))
    except (ValueError, TypeError):
        raise Malformed("A move needs two days, or two local times: from and to.") from None


async def _move(
    services: Services,
    caller: Principal,
    id: str,
    recurrence_id: str,
    scope: str,
    shift: timedelta,
    revisions: frozenset[int],
) -> None:
    event = await services.events.get_own(caller, id)
    time_zone = (await services.own_account.find_local_time(caller)).time_zone
    if recurrence_id and scope != "all":
        occurrence = orjson.loads(services.occurrences.get(caller, event, recurrence_id).json)
        patch = OccurrencePatch.model_validate(_shift_times(occurrence, shift, time_zone))
        await services.occurrences.change(caller, event, recurrence_id, patch, scope == "following", revisions)
    else:
        times = _shift_times(orjson.loads(event.editors_json), shift, time_zone)
        await services.events.patch(caller, event, EventPatch.model_validate(times), revisions)


def _shift_times(body: Mapping[str, Any], shift: timedelta, time_zone: str) -> dict[str, str]:
    """Return the start and the end that an event gets when it is moved by this much on the clock of a time zone.

    What has times keeps its duration. Raises `Malformed`.
    """
    start, end = body["start"], body["end"]
    try:
        if body["all_day"]:
            days = timedelta(days=shift.days)
            moved = {"start": (date.fromisoformat(start) + days).isoformat()}
            return moved if end is None else moved | {"end": (date.fromisoformat(end) + days).isoformat()}
        before = datetime.fromisoformat(start)
        after = to_utc(to_local(before, time_zone) + shift, time_zone, clamp=False)
        moved = {"start": format_rfc3339(after, time_zone)}
        if end is not None:
            moved["end"] = format_rfc3339(after + (datetime.fromisoformat(end) - before), time_zone)
        return moved
    except (OverflowError, TypeError):
        raise Malformed("An event can be moved if it has a date, and within the years 1 to 9999.") from None

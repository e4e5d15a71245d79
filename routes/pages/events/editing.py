"""The page on which an event is changed: all of it, one occurrence, or an occurrence and those that follow."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, cast

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.accounts.user import User
from models.events.event_fields import Visibility
from planner.errors import DoubleBooking, NotFound, PlannerError, Stale
from planner.wiring import Services
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.events.creating import Text
from routes.pages.events.form_changes import (
    BUSY_GROUPS,
    NOT_FOR_FOLLOWING,
    NOT_FOR_ONE,
    EventChanges,
    empty_values,
    find_changed,
    merge_values,
    parse_seen,
    read_values,
)
from routes.pages.events.questions import Choice, ask
from routes.pages.events.refusals import EventForm, form_of, mark_conflicts, show_form, show_refused, show_stale
from routes.pages.events.targets import Target, find_target
from routes.pages.forms import Form, PageForm
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
Scope = Literal["this", "following", "all"]
SCOPES: tuple[Scope, ...] = ("this", "following", "all")


@router.get("/events/{id}/edit")
async def show_edit(
    request: Request, id: str, caller: SignedIn, services: ServicesDep, occurrence: Text = ""
) -> Response:
    """Show the form with which an event or one occurrence of it is changed."""
    return show_form(request, form_of(await find_target(services, caller, id, occurrence, own=True)))


@router.post("/events/{id}/edit")
async def save(request: Request, id: str, caller: SignedIn, form: Form, services: ServicesDep) -> Response:
    """Save what was changed; of an occurrence, after asking for which occurrences it is meant."""
    try:
        target = await find_target(services, caller, id, form.get("occurrence"), own=True)
    except NotFound:
        return await _offer_as_new(request, caller, form)
    seen = parse_seen(form.get("seen"))
    typed = read_values(form, target.values)
    groups = find_changed(typed, seen)
    if form.get("revision") not in ("", str(target.event.revision)):
        return show_stale(request, target, typed, seen)
    again = form_of(target)._replace(values=merge_values(target.values, typed, groups))
    if form.get("preview"):
        return show_form(request, again)
    if not groups:
        return redirect(request, f"/events/{id}{target.query}")
    scopes = find_scopes(target, groups)
    scope = next((scope for scope in scopes if scope == form.get("scope") or len(scopes) == 1), None)
    if scope is None:
        return _ask_for_scope(request, target, form, scopes)
    again = again._replace(hidden=again.hidden | {"scope": scope})
    changes = EventChanges(target.body, target.values, typed, groups)
    try:
        address = await _save(services, caller, target, changes, scope, form)
    except Stale:
        with suppress(NotFound):
            current = await find_target(services, caller, id, form.get("occurrence"), own=True)
            return show_stale(request, current, typed, seen)
        return await _offer_as_new(request, caller, form)
    except PlannerError as error:
        return show_refused(request, again, error)
    return redirect(request, address)


def find_scopes(target: Target, groups: frozenset[str]) -> tuple[Scope, ...]:
    """Return for which occurrences a change may be meant: for all without a question if the page is about them."""
    if target.recurrence_id is None or groups & NOT_FOR_FOLLOWING:
        return ("all",)
    return ("following", "all") if groups & NOT_FOR_ONE else SCOPES


def _ask_for_scope(request: Request, target: Target, form: PageForm, scopes: tuple[Scope, ...]) -> Response:
    words = WORDS.event
    text = words.which_text.format(title=target.body["title"])
    return ask(
        request,
        f"/events/{target.id}/edit",
        words.which_title,
        text if len(scopes) == len(SCOPES) else f"{text} {words.only_some}",
        [Choice("scope", scope, words.scopes[scope]) for scope in scopes],
        {name: value for name, value in form.typed.items() if name != "scope"},
        Choice("preview", "on", words.back_to_form),
    )


async def _save(
    services: Services, caller: Principal, target: Target, changes: EventChanges, scope: Scope, form: PageForm
) -> str:
    """Save the changes, and return the address of what was changed. Raises as the services do."""
    revisions = frozenset({target.event.revision})
    if scope == "all":
        return await _save_all(services, caller, target, changes, form, revisions)
    if scope == "following":
        patch = changes.for_following()
    else:
        patch = changes.for_one(all_day_series=bool(target.event.series and target.event.series.all_day))
    assert target.recurrence_id is not None
    recurrence_id = target.recurrence_id

    async def change(reject: bool) -> str:
        view = await services.occurrences.change(
            caller, target.event, recurrence_id, patch, scope == "following", revisions, reject=reject
        )
        return f"/events/{view.id}?occurrence={orjson.loads(view.json)['recurrence_id']}"

    return await _change_after_conflicts_were_shown(change, changes, form)


async def _save_all(
    services: Services,
    caller: Principal,
    target: Target,
    changes: EventChanges,
    form: PageForm,
    revisions: frozenset[int],
) -> str:
    patch = changes.for_all(None if target.recurrence_id is None else target.series_body)
    confirmed = form.get("confirmed")

    async def change(reject: bool) -> str:
        confirmed_visibility = cast("Visibility", confirmed) if confirmed in ("unlisted", "public") else None
        await services.events.patch(
            caller, target.event, patch, revisions, reject=reject, confirmed=confirmed_visibility
        )
        stays = not changes.groups & {"times", "recurrence"}
        return f"/events/{target.id}{target.query if stays else ''}"

    return await _change_after_conflicts_were_shown(change, changes, form)


async def _change_after_conflicts_were_shown(
    change: Callable[[bool], Awaitable[str]], changes: EventChanges, form: PageForm
) -> str:
    """Return the result of `change`; raises `DoubleBooking` unless exactly these conflicts have been shown before."""
    try:
        return await change(bool(changes.groups & BUSY_GROUPS))
    except DoubleBooking as error:
        if form.get("accepted") != mark_conflicts(error.conflicts):
            raise
    return await change(False)


async def _offer_as_new(request: Request, caller: Principal, form: PageForm) -> Response:
    """Return the form of a new event with what was typed for one that does not exist any more."""
    empty = empty_values(await User.find_time_zone(caller.id))
    values = empty | read_values(form, empty)
    again = EventForm(None, values, empty["time_zone"], {"draft": secrets.token_urlsafe(12)})
    return show_form(request, again, 409, message=WORDS.event.gone_meanwhile)

"""Making, seeing, listing, changing and removing events."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
from pydantic import ValidationError

from auth.principal import Principal
from database.errors import DuplicateKey
from database.queries import Stored, new_id, parse_id
from database.writes import Write
from models.events.event import Event
from models.events.event_schema import EventCreate, EventPatch, EventQuery
from models.events.event_search import SearchScope, nearby, search
from models.events.event_view import EventView, default_uid, fields_of, render
from models.shared.fields import fold_tag
from models.shared.views import Page, View
from planner.clock import Clock
from planner.domain.cursors import ORDER_KEY_PATTERN, decode_cursor, decode_search_cursor
from planner.domain.geo import parse_circle
from planner.domain.merge_patch import apply_merge_patch
from planner.domain.recurrence.documents import build_series, to_invalid
from planner.domain.recurrence.edits import SeriesChanges, edit_series
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Series
from planner.domain.times import EventTimes, parse_window, resolve_times
from planner.errors import Conflict, Forbidden, Invalid, InvalidToken, NotFound, Stale
from planner.services.events.conflicts import ConflictChecker
from planner.services.shared.field_errors import field_errors
from planner.services.shared.idempotency import IdempotencyKey, once

# What the server says about an event, and a client may not.
SERVERS_OWN = ("id", "creator", "revision", "created_at", "updated_at", "takedown")
# A change read, applied and written while others write; each loss means another's success.
ATTEMPTS = 20


class Events:
    """The use cases of events."""

    def __init__(self, conflicts: ConflictChecker, clock: Clock) -> None:
        self._conflicts = conflicts
        self._clock = clock

    async def create(
        self, caller: Principal, draft: EventCreate, ask: IdempotencyKey | None, *, reject: bool = False
    ) -> View:
        """A new event of the caller's; with `reject` only in time that is free.

        Raises `Invalid` for times that do not fit, `Conflict` for a uid of another event
        of the caller's, `DoubleBooking`.
        """
        now, id = self._clock.now(), new_id()
        times = resolve_times(draft.start, draft.end, draft.all_day, draft.time_zone)
        series = asked_series(times, draft)
        stored: Stored = {
            "_id": id,
            "creator": caller.id,
            "revision": 1,
            "created_at": now,
            "updated_at": now,
        }
        if draft.uid not in (None, default_uid(str(id))):
            stored["uid"] = draft.uid
        stored |= fields_of(draft, times, str(id), series)
        view = render(stored)

        async def make(remember: Callable[[View], list[Write]]) -> View:
            made = View(view.json, view.id, view.revision)

            async def write(first: Sequence[Write]) -> bool:
                return await Event.add(stored, [*first, *remember(made)])

            if not await (self._conflicts.unless_taken(stored, write) if reject else write([])):
                raise InvalidToken("The account of this access token is gone.")
            return made

        try:
            return await once(ask, draft, now, make)
        except DuplicateKey:
            raise Conflict("You have an event with this uid already.") from None

    async def see(self, caller: Principal, id: str) -> EventView:
        """The event with this id; raises `NotFound` when it is not there for the caller."""
        known = parse_id(id)
        view = await Event.view(known) if known else None
        if view is None or not (
            view.creator == caller.id
            or view.visibility != "private"
            or (view.taken_down and caller.role != "user" and caller.scopes is None)
        ):
            raise NotFound
        return view

    async def own(self, caller: Principal, id: str) -> EventView:
        """The event with this id, to change it; raises `Forbidden` when only others may."""
        view = await self.see(caller, id)
        if view.creator != caller.id:
            raise Forbidden("Only its creator may change this event.")
        return view

    async def listed(self, caller: Principal, wanted: EventQuery) -> Page:
        """A page of the events in the scope that are asked for: by start, or by how well words are found in them."""
        window, near = parse_window(wanted.since, wanted.until), parse_circle(wanted.near)
        tag = None if wanted.tag is None else fold_tag(wanted.tag)
        sought = SearchScope(wanted.scope, caller.id, window, tag, near)
        if wanted.q is not None:
            rank = decode_search_cursor(wanted.cursor, wanted.q)
            return await search(sought, wanted.q, rank, wanted.limit)
        after = decode_cursor(wanted.cursor, ORDER_KEY_PATTERN)
        if near is not None:
            return await nearby(sought, after, wanted.limit)
        return await Event.listed(wanted.scope, caller.id, window, tag, after, wanted.limit)

    async def replace(
        self,
        caller: Principal,
        event: EventView,
        draft: EventCreate,
        revisions: frozenset[int] | None,
        *,
        reject: bool = False,
    ) -> EventView:
        """The event with all that its author writes replaced by the draft; with `reject` only in time that is free."""
        return await self._change(caller, event, lambda current: draft, revisions, reject)

    async def patch(
        self,
        caller: Principal,
        event: EventView,
        patch: EventPatch,
        revisions: frozenset[int] | None,
        *,
        reject: bool = False,
    ) -> EventView:
        """The event with a merge patch applied (RFC 7396); with `reject` only in time that is free."""
        changes = patch.model_dump(exclude_unset=True)
        return await self._change(caller, event, lambda current: patched(current, changes), revisions, reject)

    async def remove(self, caller: Principal, event: EventView, revisions: frozenset[int] | None) -> None:
        """Remove the event, and its id from its creator's; raises `Stale` or `NotFound`.

        It can be restored for a while: see `models/events/revision.py`.
        """
        async for current in still(event, revisions):
            if await Event.remove(current, caller.id, self._clock.now()):
                return

    async def _change(
        self,
        caller: Principal,
        event: EventView,
        draft_of: Callable[[EventView], EventCreate],
        revisions: frozenset[int] | None,
        reject: bool,
    ) -> EventView:
        async for current in still(event, revisions):
            draft = draft_of(current)
            if current.taken_down and draft.visibility != "private":
                raise Conflict("A moderator has taken this event down; see its takedown. Ask them to restore it.")
            if changed := await self._conflicts.change(current, self._fields(current, draft), caller.id, reject=reject):
                return changed
        raise NotFound

    def _fields(self, current: EventView, draft: EventCreate) -> dict[str, Any]:
        kept_uid = orjson.loads(current.json)["uid"]
        if draft.uid not in (None, kept_uid):
            raise Invalid.field("/uid", "cannot be changed")
        times = resolve_times(draft.start, draft.end, draft.all_day, draft.time_zone)
        series = asked_series(times, draft)
        if series is not None and current.series is not None:
            series = changed_series(current.series, series)
        return fields_of(draft, times, current.id, series) | {"updated_at": self._clock.now()}


async def still(event: EventView, revisions: frozenset[int] | None) -> AsyncIterator[EventView]:
    """The event as it is now, again and again, for a change that others may come before.

    Raises `Stale` when it has none of the `revisions` (None: any), `NotFound` when it is
    gone, and `Conflict` after many attempts.
    """
    id = parse_id(event.id)
    assert id is not None
    current: EventView | None = event
    for _ in range(ATTEMPTS):
        if current is None:
            raise NotFound
        if revisions is not None and current.revision not in revisions:
            raise Stale("The event was changed since you read it.")
        yield current
        current = await Event.view(id)
    raise Conflict("The event is being changed by many at once. Try again.")


def patched(current: EventView, changes: dict[str, Any]) -> EventCreate:
    """What an event's author would have written to have it so, with the changes."""
    written = {
        name: value
        for name, value in orjson.loads(current.json).items()
        if name not in SERVERS_OWN and value is not None
    }
    # Whether it lasts all day follows from the start, unless the patch says so.
    if "start" in changes and "all_day" not in changes:
        written.pop("all_day")
    try:
        return EventCreate.model_validate(apply_merge_patch(written, changes))
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None


def asked_series(times: EventTimes, draft: EventCreate) -> Series | None:
    """The series that a draft describes; None for an event that takes place once."""
    asked = draft.recurrence
    if asked is None or not (asked.rrule or asked.rdates):
        return None
    return build_series(times, asked.rrule, asked.rdates, asked.exdates)


def changed_series(series: Series, asked: Series) -> Series:
    """What becomes of a series when all of it is changed: exceptions go where their occurrences go.

    What was sent as it stood moves along with the start; what was sent otherwise is taken as it is.
    """
    changes = SeriesChanges(start=asked.start, duration=asked.duration, time_zone=asked.time_zone)
    for name in ("rrule", "rdates", "exdates"):
        if getattr(asked, name) != getattr(series, name):
            changes = replace(changes, **{name: getattr(asked, name)})
    try:
        return edit_series(series, changes)
    except RecurrenceError as error:
        raise to_invalid(error) from None

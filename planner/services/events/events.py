"""The use cases of events: create, get, list, change and delete them."""

from collections.abc import Callable, Collection
from typing import Any

from pydantic import ValidationError

from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import assign, parse_id
from models.accounts.closed_account import list_closed_accounts
from models.events.event import Event
from models.events.event_draft import build_content, build_requested_series, keep_alarms, repeats, without_twins
from models.events.event_fields import Visibility, fold_tag
from models.events.event_queries import EventSelection, list_events
from models.events.event_schema import EventCreate, EventPatch, EventQuery
from models.events.event_search import search_place, search_words
from models.events.event_view import EventView, build_body, find_event_view, render_event
from models.events.event_writes import create_event_writes, delete_event_writes, require_room, update_event_writes
from planner.clock import Clock
from planner.domain.cursors import ORDER_KEY_PATTERN, decode_cursor, decode_search_cursor, encode_search_cursor
from planner.domain.fields import AUTHOR_FIELDS, SERIES_FIELDS
from planner.domain.geo import parse_circle
from planner.domain.merge_patch import apply_merge_patch
from planner.domain.recurrence.series import Series
from planner.domain.times import EventTimes, parse_window, resolve_times
from planner.errors import Conflict, DoubleBooking, Forbidden, Invalid, InvalidToken, NotFound
from planner.load.lanes import Lane
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.current_event import change_current_event
from planner.services.events.occurrence_changes import edit_whole_series, refuse_end
from planner.services.events.publication import require_confirmation
from planner.services.shared.field_errors import field_errors
from planner.services.shared.idempotency import IdempotencyKey, find_stored_response, store_response
from planner.services.shared.pages import page_of
from planner.services.shared.views import Page, View


class Events:
    """The use cases of events."""

    def __init__(self, conflicts: ConflictChecker, searches: Lane, clock: Clock) -> None:
        self._conflicts = conflicts
        self._searches = searches
        self._clock = clock

    async def create(
        self, caller: Principal, draft: EventCreate, key: IdempotencyKey | None, *, reject: bool = False
    ) -> View:
        """Create an event of the caller's; with `reject`, only if it overlaps with no other one.

        Returns the first response to a request with the same key. Raises `Invalid`, `Conflict` for a uid of
        another event of the caller's, `DoubleBooking`, and `InvalidToken` when the account is deleted.
        """
        if response := await find_stored_response(key, draft):
            return response
        now = self._clock.now()
        times = resolve_times(draft.start, draft.end, draft.all_day, draft.time_zone, draft.end_time_zone)
        content = build_content(draft, times, build_requested_series(draft, times))
        if draft.alarms:
            keep_alarms(None, draft.alarms)
        event = Event.new(caller.id, content, now=now, uid=draft.uid)
        view = render_event(event)
        created = View(view.json_for(caller.id), view.id, view.revision)
        writes = [*store_response(key, draft, created, now), *create_event_writes(event)]
        try:
            is_committed = await self._conflicts.commit(event, writes, reject=reject)
        except (DuplicateKey, DoubleBooking) as error:
            # The same request may have been faster.
            if response := await find_stored_response(key, draft):
                return response
            if isinstance(error, DuplicateKey):
                raise Conflict("You have an event with this uid already.") from None
            raise
        if not is_committed:
            raise InvalidToken("The account of this access token has been deleted.")
        return created

    async def get(self, caller: Principal, id: str) -> EventView:
        """Return an event that the caller may see; raises `NotFound`."""
        known = parse_id(id)
        view = await find_event_view(known) if known else None
        if view is None or view.creator in list_closed_accounts():
            raise NotFound
        if not (
            view.creator == caller.id
            or view.visibility != "private"
            or (view.is_taken_down and caller.role != "user" and caller.scopes is None)
        ):
            raise NotFound
        return view

    async def get_own(self, caller: Principal, id: str) -> EventView:
        """Return an event that the caller may change; raises `NotFound`, and `Forbidden` for an event of others."""
        view = await self.get(caller, id)
        if view.creator != caller.id:
            raise Forbidden("Only its creator may change this event.")
        return view

    async def get_page(self, caller: Principal, query: EventQuery) -> Page:
        """Return a page of events: by start, or with words to search for by relevance.

        Raises `Invalid`, and `Busy` for a search while too many are waiting.
        """
        tag = None if query.tag is None else fold_tag(query.tag)
        window = parse_window(query.since, query.until)
        selection = EventSelection(query.scope, caller.id, window, tag, parse_circle(query.near))
        if query.q is not None:
            after_rank = decode_search_cursor(query.cursor, query.q)
            today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
            async with self._searches.work(caller.id):
                found = await search_words(selection, query.q, after_rank, query.limit, today)
            items = [view.json_for(caller.id) for view in found.views]
            cursor = encode_search_cursor(found.last, query.q) if found.last else None
            return Page(items, cursor, found.is_truncated)
        after = decode_cursor(query.cursor, ORDER_KEY_PATTERN)
        if selection.near is None:
            listed = await list_events(selection, after, query.limit)
        else:
            async with self._searches.work(caller.id):
                listed = await search_place(selection, after, query.limit)
        return page_of(listed, lambda view: view.json_for(caller.id), lambda view: view.key)

    async def replace(
        self,
        caller: Principal,
        event: EventView,
        draft: EventCreate,
        revisions: frozenset[int] | None,
        *,
        reject: bool = False,
        confirmed: Visibility | None = None,
    ) -> EventView:
        """Replace all that the author of an event may write; with `reject`, only if it overlaps with no other one.

        What lets more people see a confidential event must be `confirmed`. Raises `Invalid`, `Stale`, `NotFound`,
        `Conflict`, `DoubleBooking`.
        """
        return await self._change(caller, event, lambda current: draft, AUTHOR_FIELDS, revisions, reject, confirmed)

    async def patch(
        self,
        caller: Principal,
        event: EventView,
        patch: EventPatch,
        revisions: frozenset[int] | None,
        *,
        reject: bool = False,
        confirmed: Visibility | None = None,
    ) -> EventView:
        """Apply a merge patch (RFC 7396) to an event; otherwise as `replace`."""
        changes = patch.model_dump(exclude_unset=True)

        def build_draft(current: Event) -> EventCreate:
            return _apply_patch(current, changes)

        return await self._change(caller, event, build_draft, changes, revisions, reject, confirmed)

    async def delete(self, caller: Principal, event: EventView, revisions: frozenset[int] | None) -> None:
        """Delete an event, which can then be restored for some time. Raises `Stale`, `NotFound`, `Conflict`."""

        async def delete(current: EventView) -> bool | None:
            writes = delete_event_writes(current.event, caller.id, self._clock.now())
            return await commit_atomically(writes) or None

        await change_current_event(event, revisions, delete)

    async def _change(
        self,
        caller: Principal,
        event: EventView,
        build_draft: Callable[[Event], EventCreate],
        sent: Collection[str],
        revisions: frozenset[int] | None,
        reject: bool,
        confirmed: Visibility | None,
    ) -> EventView:
        async def change(current: EventView) -> EventView | None:
            before = current.event
            draft = build_draft(before)
            if current.is_taken_down and draft.visibility != "private":
                raise Conflict("A moderator has taken this event down; see its takedown. Ask them to restore it.")
            after = self._revise(before, current.series, draft, sent, caller)
            require_confirmation(before, after, confirmed)
            require_room(before, after)
            is_committed = await self._conflicts.commit(after, update_event_writes(before, after), reject=reject)
            return render_event(after) if is_committed else None

        return await change_current_event(event, revisions, change)

    def _revise(
        self, before: Event, series: Series | None, draft: EventCreate, sent: Collection[str], caller: Principal
    ) -> Event:
        if draft.uid not in (None, before.ical_uid):
            raise Invalid.field("/uid", "cannot be changed")
        times = _resolve_changed_times(draft, sent)
        if series is not None and repeats(draft):
            requested: Series | None = edit_whole_series(series, draft, times)
        else:
            requested = build_requested_series(draft, times)
        content = build_content(draft, times, requested)
        if before.ics is not None or draft.alarms:
            content |= assign(Event.ics, keep_alarms(before.ics, draft.alarms))
        content = without_twins(before, content)
        return before.revise(content, by=caller.id, now=self._clock.now(), clear=SERIES_FIELDS)


def _apply_patch(event: Event, changes: dict[str, Any]) -> EventCreate:
    """Return the draft of an event as it is, with a merge patch applied. Raises `Invalid`."""
    body = build_body(event)
    draft = {name: body[name] for name in AUTHOR_FIELDS if body.get(name) is not None}
    # Whether an event lasts all day follows from its start, unless the patch sets it.
    if "start" in changes and "all_day" not in changes:
        draft.pop("all_day")
    try:
        return EventCreate.model_validate(apply_merge_patch(draft, changes))
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None


def _resolve_changed_times(draft: EventCreate, sent: Collection[str]) -> EventTimes:
    """Return the times of a changed event. Raises `Invalid` at a field that was sent."""
    try:
        times = resolve_times(draft.start, draft.end, draft.all_day, draft.time_zone, draft.end_time_zone)
    except Invalid as error:
        pointer, message = error.errors[0]
        if pointer != "/end" or "end" in sent:
            raise
        raise refuse_end(message, draft.end) from None
    if times.start is None and repeats(draft):
        if "recurrence" in sent:
            raise Invalid.field("/recurrence", "cannot be set without a start")
        raise Invalid.field("/start", "cannot be cleared while the event repeats; send recurrence too, as null")
    return times

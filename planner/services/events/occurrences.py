"""The use cases of single occurrences: list those of all events, and change or delete those of one event."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from auth.principal import Principal
from database.commit import commit_atomically
from database.queries import Changes, assign
from database.reads import Slice
from models.events.event import Event, StoredSplit
from models.events.event_draft import keep_alarms, patch_imported_lines, without_twins
from models.events.event_fields import EventContent, fold_tag
from models.events.event_queries import EventSelection
from models.events.event_schema import OccurrencePatch, OccurrenceQuery, Scope
from models.events.event_view import (
    EventView,
    build_occurrence_body,
    prepare_event,
    render_occurrence,
)
from models.events.event_writes import create_event_writes, delete_event_writes, require_room, update_event_writes
from models.shared.derived_schema import allows_null
from planner.clock import Clock
from planner.domain.cursors import OCCURRENCE_PATTERN, decode_cursor
from planner.domain.fields import OCCURRENCE_FIELDS, SERIES_FIELDS
from planner.domain.recurrence.documents import parse_recurrence_id, series_to_stored, to_invalid
from planner.domain.recurrence.edits import delete_following, delete_occurrence, edit_occurrence, split_series
from planner.domain.recurrence.occurrences import (
    Occurrence,
    find_occurrence,
    has_no_occurrences,
    list_occurrences,
)
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Override, Series, set_fold_of_start
from planner.domain.times import parse_window, require_time_zone
from planner.domain.zones import EARLIEST_INSTANT, LATEST_INSTANT, add_clamped
from planner.errors import Conflict, Invalid, NotFound, Stale
from planner.load.lanes import Lane
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.current_event import CHANGED, require_revision
from planner.services.events.occurrence_changes import build_own_times, build_series_changes, resolve_local_end
from planner.services.events.occurrence_list import find_occurrences, parse_position
from planner.services.shared.pages import page_of
from planner.services.shared.views import Page, View

# How long the window is, if the client does not say where it ends.
DEFAULT_WINDOW = timedelta(days=31)
# These fields always have a value.
_REQUIRED_FIELDS = [name for name in OCCURRENCE_FIELDS if not allows_null(EventContent, name)]


class Occurrences:
    """The use cases of occurrences."""

    def __init__(self, conflicts: ConflictChecker, lane: Lane, clock: Clock) -> None:
        self._conflicts = conflicts
        self._lane = lane
        self._clock = clock

    async def get_page(self, caller: Principal, query: OccurrenceQuery) -> Page:
        """Return a page of what takes place in a window, of the events in the scope. Raises `Invalid`, `Busy`."""
        since, until = parse_window(query.since, query.until)
        since = since or self._clock.now()
        until = until or add_clamped(since, DEFAULT_WINDOW)
        if until <= since:
            raise Invalid.field("/to", "must be after from, because it is exclusive; from is now if it is not sent")
        tag = None if query.tag is None else fold_tag(query.tag)
        cursor = decode_cursor(query.cursor, OCCURRENCE_PATTERN)
        after = None if cursor is None else parse_position(cursor)
        selection = EventSelection(query.scope, caller.id, tag=tag)
        async with self._lane.work(caller.id):
            found = await find_occurrences(selection, (since, until), after, query.limit)
        return page_of(
            found,
            lambda listed: render_occurrence(listed.event, listed.occurrence, caller.id),
            lambda listed: listed.sort_key,
        )

    def get(self, caller: Principal, event: EventView, recurrence_id: str) -> View:
        """Return an occurrence of an event that the caller may see; raises `NotFound`."""
        series, occurrence = _find_in_event(event, recurrence_id)
        return _render(event.event, series, occurrence, caller)

    async def list_window(
        self, caller: Principal, scope: Scope, window: tuple[datetime, datetime], limit: int
    ) -> Slice[dict[str, Any]]:
        """Return the first occurrences in a window as they are sent to the caller, in order of their starts.

        Raises `Busy`.
        """
        async with self._lane.work(caller.id):
            found = await find_occurrences(EventSelection(scope, caller.id), window, None, limit)
        bodies = [build_occurrence_body(listed.event, listed.occurrence, caller.id) for listed in found.items]
        return Slice(bodies, found.has_more)

    async def change(
        self,
        caller: Principal,
        event: EventView,
        recurrence_id: str,
        patch: OccurrencePatch,
        following: bool,
        revisions: frozenset[int] | None,
        *,
        reject: bool = False,
    ) -> View:
        """Change an occurrence; with `following`, it and all later ones, which become an event of their own.

        With `reject`, only if what is changed overlaps with no other event. Raises `NotFound` for an
        occurrence that does not exist, `Invalid`, `Stale`, `Conflict`, `DoubleBooking`.
        """
        series, occurrence = _find_in_event(event, recurrence_id)
        _require_changeable(event, revisions)
        if patch.time_zone:
            require_time_zone(patch.time_zone)
        stored = event.event
        own = series.overrides.get(occurrence.recurrence_id, Override()).fields
        end_time_zone = own.get("end_time_zone", stored.end_time_zone)
        patch = resolve_local_end(patch, None if end_time_zone is None else str(end_time_zone))
        change = self._change_following if following else self._change_one
        try:
            return await change(caller, stored, series, occurrence, patch, reject)
        except RecurrenceError as error:
            raise to_invalid(error) from None

    async def delete(
        self,
        caller: Principal,
        event: EventView,
        recurrence_id: str,
        following: bool,
        revisions: frozenset[int] | None,
    ) -> None:
        """Delete an occurrence; with `following`, it and all later ones. An event without occurrences is deleted.

        Raises `NotFound`, `Stale`, `Conflict`.
        """
        series, occurrence = _find_in_event(event, recurrence_id)
        _require_changeable(event, revisions)
        delete = delete_following if following else delete_occurrence
        rest = delete(series, occurrence.recurrence_id)
        if rest is not None and not has_no_occurrences(rest):
            await self._store(event.event, self._revise(event.event, rest, {}, caller), reject=False)
        elif not await commit_atomically(delete_event_writes(event.event, caller.id, self._clock.now())):
            raise Stale(CHANGED)

    async def _change_one(
        self,
        caller: Principal,
        before: Event,
        series: Series,
        occurrence: Occurrence,
        patch: OccurrencePatch,
        reject: bool,
    ) -> View:
        recurrence_id, times = occurrence.recurrence_id, build_own_times(series, occurrence, patch)
        own = series.overrides.get(recurrence_id, Override())
        fields = patch_imported_lines(before, _select_fields(patch), patch, own)
        changed = edit_occurrence(series, recurrence_id, replace(times, fields=fields))
        after = self._revise(before, changed, {}, caller)
        await self._store(before, after, reject=reject, only=recurrence_id)
        return _render(after, changed, find_occurrence(changed, recurrence_id), caller)

    async def _change_following(
        self,
        caller: Principal,
        before: Event,
        series: Series,
        occurrence: Occurrence,
        patch: OccurrencePatch,
        reject: bool,
    ) -> View:
        fields, changes = _select_fields(patch), build_series_changes(series, occurrence, patch)
        if "alarms" in patch.model_fields_set:
            fields |= assign(Event.ics, keep_alarms(before.ics, patch.alarms))
        head, tail = split_series(series, occurrence.recurrence_id, changes, fields)
        if isinstance(changes.start, datetime) and changes.start.fold:
            tail = set_fold_of_start(tail, 1)
        if head is None:
            after = self._revise(before, tail, fields, caller)
            await self._store(before, after, reject=reject)
        else:
            after = await self._split(before, head, tail, fields, caller, reject)
        return _render(after, tail, find_occurrence(tail, tail.start), caller)

    async def _split(
        self, before: Event, head: Series, tail: Series, fields: Changes, caller: Principal, reject: bool
    ) -> Event:
        """End an event at the head of its series, and create a second event of the tail, which is returned."""
        content = {name: value for name, value in before.content.items() if name not in SERIES_FIELDS}
        content |= series_to_stored(tail)
        content |= fields | assign(Event.time_zone, tail.time_zone)
        content |= assign(Event.split_from, StoredSplit(event=before.id, revision=before.revision))
        content = without_twins(before, content)
        second = Event.new(before.creator, content, now=self._clock.now())
        first = self._revise(before, head, assign(Event.continued_by, second.id), caller)
        writes = [*update_event_writes(before, first), *create_event_writes(second)]
        # The rest of the first event is where it was.
        if not await self._conflicts.commit(second, writes, reject=reject, ignored=[before.id]):
            raise Stale(CHANGED)
        return second

    def _revise(self, before: Event, series: Series, fields: Changes, caller: Principal) -> Event:
        content: Changes = {**series_to_stored(series), **fields}
        if series.time_zone != (before.time_zone or "UTC"):
            content |= assign(Event.time_zone, series.time_zone)
        content = without_twins(before, content)
        return before.revise(content, by=caller.id, now=self._clock.now(), clear=SERIES_FIELDS)

    async def _store(self, before: Event, after: Event, *, reject: bool, only: date | None = None) -> None:
        require_room(before, after)
        if not await self._conflicts.commit(after, update_event_writes(before, after), reject=reject, only=only):
            raise Stale(CHANGED)


def _render(event: Event, series: Series, occurrence: Occurrence | None, caller: Principal) -> View:
    """Return the view of an occurrence; None is the first one of the series."""
    if occurrence is None:
        occurrence = list_occurrences(series, EARLIEST_INSTANT, LATEST_INSTANT, 1).items[0]
    return View(render_occurrence(prepare_event(event), occurrence, caller.id), str(event.id), event.revision)


def _find_in_event(event: EventView, recurrence_id: str) -> tuple[Series, Occurrence]:
    """Return the series of an event, and its occurrence with this id; raises `NotFound`."""
    series = event.series
    if series is None:
        raise NotFound
    occurrence = find_occurrence(series, parse_recurrence_id(recurrence_id, series.time_zone))
    if occurrence is None:
        raise NotFound
    return series, occurrence


def _require_changeable(event: EventView, revisions: frozenset[int] | None) -> None:
    require_revision(event.revision, revisions)
    if event.is_taken_down:
        raise Conflict("A moderator has taken this event down; see its takedown.")


def _select_fields(patch: OccurrencePatch) -> Changes:
    """Return the fields of an occurrence that a patch changes besides its times. Raises `Invalid`."""
    fields: Changes = patch.model_dump(exclude_unset=True, include=set(OCCURRENCE_FIELDS))
    for name in _REQUIRED_FIELDS:
        if name in fields and fields[name] is None:
            raise Invalid.field(f"/{name}", "cannot be cleared")
    return fields

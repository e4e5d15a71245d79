"""Single occurrences: of all events in time order, and of one event to change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from auth.principal import Principal
from database.queries import Stored, new_id
from database.writes import Write
from models.events.event import Event
from models.events.event_schema import OccurrencePatch, OccurrenceQuery
from models.events.event_view import OF_SERIES, EventView, render, rendered, series_in
from models.shared.fields import fold_tag
from models.shared.views import Page, View, to_json
from planner.clock import Clock
from planner.domain.cursors import OCCURRENCE_PATTERN, decode_cursor, encode_cursor
from planner.domain.recurrence.documents import (
    parse_local,
    parse_recurrence_id,
    parse_stored_local,
    series_to_document,
    to_invalid,
)
from planner.domain.recurrence.edits import (
    SeriesChanges,
    delete_following,
    delete_occurrence,
    edit_occurrence,
    split_series,
)
from planner.domain.recurrence.occurrences import (
    Occurrence,
    OccurrenceCursor,
    find_occurrence,
    has_no_occurrences,
    list_occurrences,
    locate_occurrence,
)
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Override, Series
from planner.domain.times import TIME_RESOLUTION, build_order_key, format_rfc3339, parse_window, require_time_zone
from planner.domain.zones import EARLIEST_INSTANT, LATEST_INSTANT, add_clamped, measure_duration, to_local, to_utc
from planner.errors import Conflict, Invalid, NotFound, Stale
from planner.services.events.conflicts import ConflictChecker

# What differs about one occurrence besides its times.
FIELDS = ("title", "description", "image", "tags", "location", "geo", "url", "status")
# These are said about all that follow, and cannot be about one.
OF_A_SERIES = ("time_zone", "recurrence")


MONTH = timedelta(days=31)
SECOND = timedelta(seconds=1)


class Row(NamedTuple):
    """An occurrence in a list: its place, and what it is of; without an item, an event that does not repeat."""

    key: str
    id: str
    view: EventView
    series: Series | None = None
    item: Occurrence | None = None

    @property
    def json(self) -> bytes:
        """What it is answered with."""
        if self.series is None or self.item is None:
            return self.view.json[:-1] + b',"recurrence_id":null}'
        return _json(self.view, self.series, self.item)


class Occurrences:
    """The use cases of occurrences."""

    def __init__(self, conflicts: ConflictChecker, clock: Clock) -> None:
        self._conflicts = conflicts
        self._clock = clock

    async def listed(self, caller: Principal, wanted: OccurrenceQuery) -> Page:
        """A page of what takes place in the window, of everything that the caller sees in the scope."""
        since, until = parse_window(wanted.since, wanted.until)
        since = since or self._clock.now()
        until = until or add_clamped(since, MONTH)
        if until <= since:
            raise Invalid.field("/to", "must be after from, which is now unless it is told; it is exclusive")
        tag = None if wanted.tag is None else fold_tag(wanted.tag)
        after = Place.read(decode_cursor(wanted.cursor, OCCURRENCE_PATTERN))
        limit = wanted.limit + 1
        single = await Event.find_single_events(
            wanted.scope, caller.id, (since, until), tag, after and after.key, limit
        )
        rows = [Row(view.key, "", view) for view in map(rendered, single)]
        if after is not None:
            # What is over by then is on an earlier page.
            since = max(since, add_clamped(after.start, -TIME_RESOLUTION))
        async for raws in Event.find_recurring_events(wanted.scope, caller.id, (since, until), tag):
            for raw in raws:
                # What begins behind a full page's last one is not looked for.
                end = until if len(rows) < limit else min(until, add_clamped(_start(rows[-1].key), SECOND))
                if found := _rows(rendered(raw), series_in(raw), (since, end), after, limit):
                    rows = sorted(rows + found, key=itemgetter(0, 1))[:limit]
        more = len(rows) > wanted.limit
        last = rows[wanted.limit - 1] if more else None
        return Page(
            [row.json for row in rows[: wanted.limit]], encode_cursor(f"{last.key} {last.id}") if last else None
        )

    async def change(
        self,
        caller: Principal,
        event: EventView,
        id: str,
        patch: OccurrencePatch,
        following: bool,
        revisions: frozenset[int] | None,
        *,
        reject: bool = False,
    ) -> View:
        """Change one occurrence, or with `following` it and all after it, which become an event of their own.

        With `reject` only if what is changed then takes no time that is taken. Raises `NotFound` for an
        occurrence that is not there, `Invalid`, `Stale`, `DoubleBooking`.
        """
        series, found = _found(event, id)
        _require_current(event, revisions)
        changes = patch.model_dump(exclude_unset=True)
        if changes.get("time_zone"):
            require_time_zone(changes["time_zone"])
        try:
            if following:
                return await self._split(caller, event, series, found, changes, reject)
            for name in OF_A_SERIES:
                if name in changes:
                    raise Invalid.field(f"/{name}", "can be changed for following occurrences or for all, not for one")
            start, duration = _times(series, found, changes)
            fields = {name: changes[name] for name in FIELDS if name in changes}
            _require_title(fields)
            changed = edit_occurrence(series, found.recurrence_id, Override(start, duration, fields=fields))
        except RecurrenceError as error:
            raise to_invalid(error) from None
        view = await self._store(caller, event, changed, reject=reject, only=found.recurrence_id)
        item = find_occurrence(changed, found.recurrence_id)
        assert item is not None
        return View(_json(view, changed, item), view.id, view.revision)

    async def remove(
        self, caller: Principal, event: EventView, id: str, following: bool, revisions: frozenset[int] | None
    ) -> None:
        """Take one occurrence out, or with `following` it and all after it; the last one takes the event along."""
        series, found = _found(event, id)
        _require_current(event, revisions)
        rest = (
            delete_following(series, found.recurrence_id)
            if following
            else delete_occurrence(series, found.recurrence_id)
        )
        if rest is not None and not has_no_occurrences(rest):
            await self._store(caller, event, rest)
            return
        if not await Event.remove(event, caller.id, self._clock.now()):
            raise Stale("The event was changed since you read it.")

    async def _split(
        self,
        caller: Principal,
        event: EventView,
        series: Series,
        found: Occurrence,
        changes: dict[str, Any],
        reject: bool,
    ) -> View:
        start, duration = _times(series, found, changes)
        wanted = SeriesChanges()
        if start is not None:
            wanted = SeriesChanges(start=start, duration=duration)
        if "time_zone" in changes:
            wanted = _with(wanted, time_zone=changes["time_zone"] or "UTC")
        if changes.get("recurrence"):
            asked, zone = changes["recurrence"], changes.get("time_zone") or series.time_zone
            wanted = _with(wanted, **_recurrence(asked, zone))
        elif "recurrence" in changes:
            raise Invalid.field("/recurrence", "cannot be cleared for following occurrences; remove them instead")
        head, tail = split_series(series, found.recurrence_id, wanted)
        fields = {name: changes[name] for name in FIELDS if name in changes}
        _require_title(fields)
        if head is None:
            made = await self._store(caller, event, tail, fields, reject=reject)
        else:
            made = await self._store_both(caller, event, head, tail, fields, reject)
        first = (
            find_occurrence(tail, tail.start) or list_occurrences(tail, EARLIEST_INSTANT, LATEST_INSTANT, 1).items[0]
        )
        return View(_json(made, tail, first), made.id, made.revision)

    async def _store(
        self,
        caller: Principal,
        event: EventView,
        series: Series,
        fields: dict[str, Any] | None = None,
        *,
        reject: bool = False,
        only: date | None = None,
    ) -> EventView:
        times = series_to_document(series)
        now = {"key": build_order_key(times["begins"], event.id), "updated_at": self._clock.now()}
        changed = await self._conflicts.change(
            event, times | (fields or {}) | now, caller.id, reject=reject, clear=OF_SERIES, only=only
        )
        if changed is None:
            raise Stale("The event was changed since you read it.")
        return changed

    async def _store_both(
        self, caller: Principal, event: EventView, head: Series, tail: Series, fields: dict[str, Any], reject: bool
    ) -> EventView:
        now, stored, id = self._clock.now(), event.stored, new_id()
        for own in ("uid", "overrides", "seconds", "takedown", "editor", "act", "sequence"):
            stored.pop(own, None)
        times = series_to_document(tail)
        tail_stored: Stored = stored | times | fields
        tail_stored |= {"_id": id, "key": build_order_key(times["begins"], str(id)), "revision": 1}
        tail_stored |= {"time_zone": tail.time_zone, "created_at": now, "updated_at": now}
        first = series_to_document(head)
        head_fields = first | {"key": build_order_key(first["begins"], event.id), "updated_at": now}

        async def write(first: Sequence[Write]) -> bool:
            return await Event.split(event, head_fields, tail_stored, caller.id, also=first)

        # What is left of the event it is split from is where it was.
        but = [event.stored["_id"]]
        if not await (self._conflicts.unless_taken(tail_stored, write, but=but) if reject else write([])):
            raise Stale("The event was changed since you read it.")
        return render(tail_stored)


class Place(NamedTuple):
    """Where a page of occurrences ended: the key of the event's occurrence, and its recurrence id."""

    key: str
    start: datetime
    event: str
    id: str

    @classmethod
    def read(cls, cursor: str | None) -> "Place | None":
        """The place in a cursor."""
        if cursor is None:
            return None
        start, event, id = cursor.split(" ", 2)
        return cls(f"{start} {event}", _start(cursor), event, id)


def _rows(
    view: EventView, series: Series, window: tuple[datetime, datetime], after: Place | None, limit: int
) -> list[Row]:
    """The occurrences of one event in the window behind the place."""
    cursor = None if after is None else _behind(view.id, series, after)
    return [
        Row(
            build_order_key(locate_occurrence(series, item).start, view.id),
            item.recurrence_id.isoformat(),
            view,
            series,
            item,
        )
        for item in list_occurrences(series, *window, limit, cursor).items
    ]


def _start(key: str) -> datetime:
    """The instant in a key of `build_order_key`."""
    return datetime.fromisoformat(key.split(" ")[0])


def _behind(event: str, series: Series, after: Place) -> OccurrenceCursor:
    """The place in one event's occurrences of a place among those of all."""
    if event == after.event and after.id:
        id = parse_stored_local(after.id)
        # An event that was changed from times to days in the meantime goes on by the instant alone.
        return OccurrenceCursor(after.start, id if isinstance(id, datetime) is not series.all_day else None)
    return OccurrenceCursor(after.start if event > after.event else add_clamped(after.start, timedelta(microseconds=1)))


def _json(view: EventView, series: Series, item: Occurrence) -> bytes:
    """An occurrence as it is answered: its event's fields with its own."""
    body = orjson.loads(view.json)
    override = series.overrides.get(item.recurrence_id)
    if override is not None:
        # An imported one may also hold what is not answered.
        body |= {name: override.fields[name] for name in FIELDS if name in override.fields}
    body["start"] = _shown(item.start, series.time_zone)
    # An event without an end has occurrences without one.
    plain = series.duration is None and (override is None or override.duration is None)
    body["end"] = None if plain or item.end == item.start else _shown(item.end, series.time_zone)
    body["recurrence_id"] = item.recurrence_id.isoformat()
    return to_json(body)


def _shown(value: date, zone: str) -> str:
    return format_rfc3339(value, zone) if isinstance(value, datetime) else value.isoformat()


def _found(event: EventView, id: str) -> tuple[Series, Occurrence]:
    series = event.series
    if series is None:
        raise NotFound
    found = find_occurrence(series, parse_recurrence_id(id, series.time_zone))
    if found is None:
        raise NotFound
    return series, found


def _require_current(event: EventView, revisions: frozenset[int] | None) -> None:
    if revisions is not None and event.revision not in revisions:
        raise Stale("The event was changed since you read it.")
    if event.taken_down:
        raise Conflict("A moderator has taken this event down; see its takedown.")


def _require_title(fields: dict[str, Any]) -> None:
    for name in ("title", "tags", "status"):
        if name in fields and fields[name] is None:
            raise Invalid.field(f"/{name}", "cannot be cleared")


def _times(series: Series, found: Occurrence, changes: dict[str, Any]) -> tuple[date | None, timedelta | None]:
    """The start and length that an occurrence is to have, where they change: what is absent stays."""
    if not {"start", "end"} & set(changes):
        return None, None
    zone = changes.get("time_zone") or series.time_zone
    start, end = _local(found.start, series.time_zone), _local(found.end, series.time_zone)
    if "start" in changes:
        if changes["start"] is None:
            raise Invalid.field("/start", "cannot be cleared")
        start = parse_local(changes["start"], zone, "/start")
    if changes.get("end") is not None:
        end = parse_local(changes["end"], zone, "/end")
    elif "end" in changes or series.duration is None:
        return start, timedelta(0) if isinstance(start, datetime) else timedelta(days=1)
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise Invalid.field("/end", "must be of the kind of start: both dates, or both times")
    if to_utc(end, zone) <= to_utc(start, zone):
        raise Invalid.field("/end", "must be after start; it is exclusive")
    return start, measure_duration(start, end, zone)


def _local(value: date, zone: str) -> date:
    return to_local(value, zone) if isinstance(value, datetime) else value


def _with(changes: SeriesChanges, **more: Any) -> SeriesChanges:
    return replace(changes, **more)


def _recurrence(asked: dict[str, Any], zone: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "rrule" in asked:
        given["rrule"] = asked["rrule"]
    for name in ("rdates", "exdates"):
        if name in asked:
            values = enumerate(asked[name])
            given[name] = frozenset(parse_local(value, zone, f"/recurrence/{name}/{n}") for n, value in values)
    return given

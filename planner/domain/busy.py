"""Free/busy: which time events take, how it is merged, and which events overlap.

An event takes time from its start up to but not including its end, or whole days. It takes none if it
has no end, is cancelled, is transparent (RFC 5545 §3.8.2.7), or is an invitation that was declined. Each
occurrence of a series may differ.
Two events of which one begins when the other ends do not overlap, but make one busy interval.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from planner.domain.recurrence.documents import series_from_event
from planner.domain.recurrence.occurrences import Occurrence, OccurrenceCursor, find_occurrence, list_occurrences
from planner.domain.recurrence.series import DAY, Override, Series, add_days_clamped
from planner.domain.stored_event import BusyEvent
from planner.domain.times import TIME_RESOLUTION
from planner.domain.zones import LATEST_INSTANT, add_clamped, to_utc

# A series is checked for conflicts for this time, or for this number of slots, whichever ends first.
CONFLICT_HORIZON = timedelta(days=5 * 365 + 1)
MAX_SLOTS = 1_000
# The number of occurrences that are computed at a time. Most callers need only few of them.
_BATCH_SIZE = 32


class Slot(NamedTuple):
    """Time that is taken, as instants in UTC; `end` is exclusive.

    `recurrence_id` is that of the occurrence that takes it, or None for a single event.
    """

    start: datetime
    end: datetime
    recurrence_id: date | None = None


@dataclass(frozen=True, slots=True)
class BusyTime:
    """The time that a stored event takes of its creator.

    A single event has a `single_slot`, or nothing if it takes no time. A recurring event has a `series`;
    `status`, `transparency` and `declined` are those of all occurrences whose override does not set them.
    """

    single_slot: Slot | None = None
    series: Series | None = None
    status: str = "confirmed"
    transparency: str = "opaque"
    declined: bool = False

    @property
    def is_busy_by_default(self) -> bool:
        """Whether an occurrence without an override may take time."""
        series = self.series
        if series is not None and series.ranges:
            return True
        if series is None or not series.effective_duration:
            return False
        return takes_time(self.status, self.transparency, self.declined)


def busy_time_from_event(event: BusyEvent, day_zone: str) -> BusyTime:
    """Return the time that a stored event takes of its creator.

    An all-day event without a time zone takes the days of `day_zone` (RFC 4791 §7.10).
    """
    has_floating_days = event.all_day and event.time_zone is None
    if event.repeats:
        series = series_from_event(event)
        if has_floating_days:
            series = _set_day_zone(series, day_zone)
        return BusyTime(None, series, event.status, event.transparency, event.declined)
    # An event without an end is stored with the smallest step between `begins` and `ends`, and takes no time.
    if event.start is None or event.ends is None or event.ends - event.begins <= TIME_RESOLUTION:
        return BusyTime()
    if not takes_time(event.status, event.transparency, event.declined):
        return BusyTime()
    if has_floating_days:
        first = date.fromisoformat(event.start)
        after = date.fromisoformat(event.end) if event.end else add_days_clamped(first, DAY)
        return BusyTime(Slot(to_utc(first, day_zone), to_utc(after, day_zone)))
    return BusyTime(Slot(event.begins, event.ends))


def _set_day_zone(series: Series, day_zone: str) -> Series:
    """Return an all-day series whose days are those of a zone; its times of day stay at their instants."""
    overrides = {
        recurrence_id: replace(override, time_zone=override.time_zone or series.time_zone)
        if isinstance(override.start, datetime)
        else override
        for recurrence_id, override in series.overrides.items()
    }
    return replace(series, time_zone=day_zone, overrides=overrides)


def takes_time(status: str, transparency: str, declined: bool) -> bool:
    """Return whether an event or occurrence takes time, if it has a duration."""
    return status != "cancelled" and transparency != "transparent" and not declined


def iterate_slots(busy_time: BusyTime, since: datetime, until: datetime) -> Iterator[Slot]:
    """Yield the slots that overlap a window, in order of start; they are not cut at the ends of the window."""
    if busy_time.series is None:
        slot = busy_time.single_slot
        if slot is not None and slot.start < until and slot.end > since:
            yield slot
        return
    if not busy_time.is_busy_by_default:
        yield from _find_overridden_slots(busy_time, since, until)
        return
    after: OccurrenceCursor | None = None
    while True:
        page = list_occurrences(busy_time.series, since, until, _BATCH_SIZE, after)
        for occurrence in page.items:
            slot = _build_slot(busy_time, occurrence)
            if slot is not None and slot.end > since:
                yield slot
        after = page.next
        if after is None:
            return


def _find_overridden_slots(busy_time: BusyTime, since: datetime, until: datetime) -> list[Slot]:
    """Return the slots in a window of a series whose occurrences take time only if an override says so."""
    series, slots = busy_time.series, []
    assert series is not None
    for recurrence_id in series.overrides:
        slot = find_slot(busy_time, recurrence_id)
        if slot is not None and slot.start < until and slot.end > since:
            slots.append(slot)
    return sorted(slots)


def find_slot(busy_time: BusyTime, recurrence_id: date) -> Slot | None:
    """Return the slot of one occurrence of a series, or None if it takes no time."""
    assert busy_time.series is not None
    occurrence = find_occurrence(busy_time.series, recurrence_id)
    return None if occurrence is None else _build_slot(busy_time, occurrence)


def _build_slot(busy_time: BusyTime, occurrence: Occurrence) -> Slot | None:
    series = busy_time.series
    assert series is not None
    override = series.find_override(occurrence.recurrence_id)
    if not _takes_time(busy_time, override):
        return None
    start, end = occurrence.start, occurrence.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        start = to_utc(start, series.time_zone)
        end = LATEST_INSTANT if end == date.max else to_utc(end, series.time_zone)
    return Slot(start, end, occurrence.recurrence_id) if start < end else None


def _takes_time(busy_time: BusyTime, override: Override | None) -> bool:
    """Return whether an occurrence takes time, if it has a duration; its override replaces what the series says."""
    own = {} if override is None else override.fields
    status, transparency = own.get("status") or busy_time.status, own.get("transparency") or busy_time.transparency
    return takes_time(str(status), str(transparency), bool(own.get("declined", busy_time.declined)))


def merge_slots(slots: Iterable[Slot]) -> list[Slot]:
    """Merge slots that overlap or touch. Returns the smallest number of slots, in order, without recurrence ids."""
    merged: list[Slot] = []
    for start, end, _ in sorted(slots, key=lambda slot: slot[:2]):
        if merged and start <= merged[-1].end:
            if end > merged[-1].end:
                merged[-1] = Slot(merged[-1].start, end)
        else:
            merged.append(Slot(start, end))
    return merged


def clip_slots(slots: Iterable[Slot], since: datetime, until: datetime) -> Iterator[Slot]:
    """Yield the parts of slots that are in a window, without recurrence ids."""
    for slot in slots:
        if slot.start < until and slot.end > since:
            yield Slot(max(slot.start, since), min(slot.end, until))


def find_slots_to_check(busy_time: BusyTime, begins: datetime, ends: datetime | None, now: datetime) -> list[Slot]:
    """Return the slots of an event that are checked for conflicts with other events.

    For a series these are the first MAX_SLOTS within CONFLICT_HORIZON from its start, or from `now` if
    it has already begun. A series that has already ended is checked from its start. `begins` and `ends`
    are those of the whole series; `ends` is None if it has no end.
    """
    if busy_time.series is None:
        return [] if busy_time.single_slot is None else [busy_time.single_slot]
    since = begins if ends is not None and ends <= now else max(begins, now)
    slots = []
    for slot in iterate_slots(busy_time, since, add_clamped(since, CONFLICT_HORIZON)):
        slots.append(slot)
        if len(slots) == MAX_SLOTS:
            break
    return slots


class RequestedSlots:
    """The slots that must be free for an event to be written; `start` and `end` are those of all together."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        """Merge the slots, of which there must be at least one."""
        self._slots = merge_slots(slots)
        self._starts = [slot.start for slot in self._slots]
        self.start, self.end = self._slots[0].start, self._slots[-1].end

    def overlaps(self, slot: Slot) -> bool:
        """Return whether the slot overlaps one of the requested slots."""
        index = bisect_right(self._starts, slot.start)
        if index and self._slots[index - 1].end > slot.start:
            return True
        return index < len(self._slots) and self._starts[index] < slot.end

    def find_next_requested(self, moment: datetime) -> datetime | None:
        """Return the first instant from this moment on that is in a requested slot, or None if there is none."""
        index = bisect_right(self._starts, moment)
        if index and self._slots[index - 1].end > moment:
            return moment
        return self._starts[index] if index < len(self._slots) else None


def find_overlapping_slots(busy_time: BusyTime, requested: RequestedSlots, limit: int) -> list[Slot]:
    """Return the first `limit` slots of an event that overlap the requested slots.

    The cost depends on the side with fewer slots: where nothing is requested, no occurrences are computed.
    """
    series = busy_time.series
    if series is None:
        slot = busy_time.single_slot
        return [slot] if slot is not None and requested.overlaps(slot) else []
    if not busy_time.is_busy_by_default:
        overridden = _find_overridden_slots(busy_time, requested.start, requested.end)
        return [slot for slot in overridden if requested.overlaps(slot)][:limit]
    found: dict[date | None, Slot] = {}
    since, after = requested.start, None
    while len(found) < limit:
        page = list_occurrences(series, since, requested.end, _BATCH_SIZE, after)
        slots = (_build_slot(busy_time, occurrence) for occurrence in page.items)
        found |= {slot.recurrence_id: slot for slot in slots if slot is not None and requested.overlaps(slot)}
        after = page.next
        next_requested = None if after is None else requested.find_next_requested(after.start)
        if after is None or next_requested is None:
            break
        # Long occurrences begin before the time from which they are looked for: then there is nothing to skip.
        if next_requested > max(after.start, since):
            # The time in between is skipped. An occurrence that begins in it and overlaps the next requested
            # slot is found by starting anew there; one that was found before is found again, under the same id.
            since, after = next_requested, None
    return list(found.values())[:limit]

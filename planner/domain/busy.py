"""When somebody is busy: which events take time, what that time is merged, and what collides with what.

An event takes time from its start up to but without its end, or for whole days. One without an
end takes none, nor does one that is cancelled or, in the words of RFC 5545 §3.8.2.7, transparent;
each occurrence may differ. Two that touch do not collide, but are one busy interval.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from planner.domain.recurrence.documents import series_of
from planner.domain.recurrence.occurrences import Cursor, Occurrence, occurrence, occurrences
from planner.domain.recurrence.series import Override, Series
from planner.domain.times import TIME_RESOLUTION
from planner.domain.zones import LATEST_INSTANT, add_clamped, to_utc

# What repeats is looked at for so long and so often, whichever comes first.
AHEAD = timedelta(days=5 * 365 + 1)
MOST_SLOTS = 1_000
# Occurrences are worked out some at a time: most answers need few of them.
_AT_ONCE = 32


class Slot(NamedTuple):
    """Time that is taken: instants in UTC, the end exclusive; `recurrence_id` says by which occurrence."""

    start: datetime
    end: datetime
    recurrence_id: date | None = None


@dataclass(frozen=True, slots=True)
class Occupation:
    """What a stored event takes of its creator's time.

    `once` is the slot of one that does not repeat. Of one that does, `status` and `transparent` are
    those of the occurrences that nothing else is said about.
    """

    once: Slot | None = None
    series: Series | None = None
    status: str = "confirmed"
    transparent: bool = False

    @property
    def often(self) -> bool:
        """Whether occurrences take time about which nothing else is said."""
        series = self.series
        return series is not None and bool(series.length) and self.status != "cancelled" and not self.transparent


def occupation(stored: Mapping[str, Any]) -> Occupation:
    """What an event takes of its creator's time, from its stored form."""
    status, transparent = stored["status"], _is_transparent(stored.get("ics"))
    if stored.get("repeats"):
        return Occupation(None, series_of(stored), status, transparent)
    # Without an end it touches one instant, which is no time.
    takes_none = stored["start"] is None or stored["ends"] - stored["begins"] <= TIME_RESOLUTION
    if takes_none or status == "cancelled" or transparent:
        return Occupation()
    return Occupation(Slot(stored["begins"], stored["ends"]))


def _is_transparent(ics: Mapping[str, Any] | None) -> bool:
    """Whether an imported entry says that it takes no time; `ics` is what it said besides, as it is stored."""
    for line in (ics or {}).get("lines", ()):
        name, _, value = line.partition(":")
        if name.partition(";")[0].strip().upper() == "TRANSP":
            return bool(value.strip().upper() == "TRANSPARENT")
    return False


def slots(taken: Occupation, since: datetime, until: datetime) -> Iterator[Slot]:
    """What is taken of a window, in order of start; what reaches beyond the window is not cut off."""
    if taken.series is None:
        if taken.once is not None and taken.once.start < until and taken.once.end > since:
            yield taken.once
        return
    if not taken.often:
        yield from _exceptions(taken, since, until)
        return
    after: Cursor | None = None
    while True:
        found = occurrences(taken.series, since, until, _AT_ONCE, after)
        for item in found.items:
            slot = _slot(taken, item)
            if slot is not None and slot.end > since:
                yield slot
        after = found.next
        if after is None:
            return


def _exceptions(taken: Occupation, since: datetime, until: datetime) -> list[Slot]:
    """The slots of a series of which only what an override says can take time."""
    series, found = taken.series, []
    assert series is not None
    for recurrence_id in series.overrides:
        item = occurrence(series, recurrence_id)
        slot = None if item is None else _slot(taken, item)
        if slot is not None and slot.start < until and slot.end > since:
            found.append(slot)
    return sorted(found)


def slot_of(taken: Occupation, recurrence_id: date) -> Slot | None:
    """What one occurrence of a series takes; None if that is nothing."""
    assert taken.series is not None
    item = occurrence(taken.series, recurrence_id)
    return None if item is None else _slot(taken, item)


def _slot(taken: Occupation, item: Occurrence) -> Slot | None:
    series = taken.series
    assert series is not None
    override = series.overrides.get(item.recurrence_id)
    if not _takes_time(taken, override):
        return None
    start, end = item.start, item.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        start = to_utc(start, series.zone)
        end = LATEST_INSTANT if end == date.max else to_utc(end, series.zone)
    return Slot(start, end, item.recurrence_id) if start < end else None


def _takes_time(taken: Occupation, override: Override | None) -> bool:
    """Whether an occurrence takes time, if it has any length.

    What a file says about one occurrence is said whole (RFC 5545 §3.8.4.4), so the series' own
    lines do not hold for it; what was changed here is a difference from the series.
    """
    status, transparent = taken.status, taken.transparent
    if override is not None:
        status = str(override.fields.get("status") or status)
        ics = override.fields.get("ics")
        if isinstance(ics, Mapping):
            transparent = _is_transparent(ics)
    return status != "cancelled" and not transparent


def merged(found: Iterable[Slot]) -> list[Slot]:
    """The least number of intervals that are taken where any slot is, in order."""
    whole: list[Slot] = []
    for start, end, _ in sorted(found, key=lambda slot: slot[:2]):
        if whole and start <= whole[-1].end:
            if end > whole[-1].end:
                whole[-1] = Slot(whole[-1].start, end)
        else:
            whole.append(Slot(start, end))
    return whole


def clip_slots(found: Iterable[Slot], since: datetime, until: datetime) -> Iterator[Slot]:
    """The parts of slots that lie in a window."""
    for slot in found:
        if slot.start < until and slot.end > since:
            yield Slot(max(slot.start, since), min(slot.end, until))


def ahead(taken: Occupation, begins: datetime, ends: datetime | None, now: datetime) -> list[Slot]:
    """The slots of an event that may not collide with others: all that has to be looked at.

    Of a series these are the first thousand, of at most five years from its start, or from `now`
    where it has begun already; one that is over is looked at from its start. `begins` and `ends`
    are those of the series; without `ends` it goes on for ever.
    """
    if taken.series is None:
        return [] if taken.once is None else [taken.once]
    since = begins if ends is not None and ends <= now else max(begins, now)
    found = []
    for slot in slots(taken, since, add_clamped(since, AHEAD)):
        found.append(slot)
        if len(found) == MOST_SLOTS:
            break
    return found


class RequestedSlots:
    """Slots that are to be free, as a set that others can be held against; `start` and `end` are its bounds."""

    def __init__(self, found: Iterable[Slot]) -> None:
        """There must be at least one."""
        self._slots = merged(found)
        self._starts = [slot.start for slot in self._slots]
        self.start, self.end = self._slots[0].start, self._slots[-1].end

    def meets(self, slot: Slot) -> bool:
        """Whether the slot has time in common with these."""
        place = bisect_right(self._starts, slot.start)
        if place and self._slots[place - 1].end > slot.start:
            return True
        return place < len(self._slots) and self._starts[place] < slot.end

    def next_from(self, moment: datetime) -> datetime | None:
        """The first instant from this one on that is wanted; None if there is none any more."""
        place = bisect_right(self._starts, moment)
        if place and self._slots[place - 1].end > moment:
            return moment
        return self._starts[place] if place < len(self._slots) else None


def collisions(taken: Occupation, wanted: RequestedSlots, most: int) -> list[Slot]:
    """The first `most` slots of an event that have time in common with what is wanted.

    The cost follows the sparser of the two: where nothing is wanted, nothing is worked out.
    """
    if taken.series is None:
        return [taken.once] if taken.once is not None and wanted.meets(taken.once) else []
    if not taken.often:
        return [slot for slot in _exceptions(taken, wanted.start, wanted.end) if wanted.meets(slot)][:most]
    found: dict[date | None, Slot] = {}
    since, after = wanted.start, None
    while len(found) < most:
        page = occurrences(taken.series, since, wanted.end, _AT_ONCE, after)
        taking = (_slot(taken, item) for item in page.items)
        found |= {slot.recurrence_id: slot for slot in taking if slot is not None and wanted.meets(slot)}
        after = page.next
        further = None if after is None else wanted.next_from(after.start)
        if after is None or further is None:
            break
        if further > after.start:
            # What reaches into it from before is found again.
            since, after = further, None
    return list(found.values())[:most]

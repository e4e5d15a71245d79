"""What is written of the occurrences of a series that differ from it: dates, and VEVENTs of their own.

Many programs do not know RANGE=THISANDFUTURE, and some that do let it override the occurrences that have a VEVENT
of their own. So the occurrences in a range have one each if there are not too many. If there are, or the rule has
no end, each VEVENT from the first range on is for the occurrences that follow as well, up to the next one: programs
that know RANGE read them all alike.
"""

from collections.abc import Iterator
from datetime import date
from heapq import merge
from itertools import islice
from typing import NamedTuple

from planner.domain.recurrence.series import Override, Series

# So many occurrences in ranges have a VEVENT each.
MAX_LISTED = 400


class OwnVEvent(NamedTuple):
    """An occurrence that has a VEVENT of its own, with all that differs in it; or it and those that follow."""

    recurrence_id: date
    override: Override
    is_range: bool = False


class Exceptions(NamedTuple):
    """The EXDATEs and RDATEs of a series, and the VEVENTs of its occurrences in order."""

    exdates: set[date]
    rdates: set[date]
    vevents: list[OwnVEvent]


def find_exceptions(series: Series) -> Exceptions:
    """Return what is written of the occurrences that differ."""
    exdates, rdates = set(series.exdates), set(series.rdates)
    own: list[date] = []
    for recurrence_id, override in sorted(series.overrides.items()):
        if recurrence_id in series.exdates:
            continue
        is_generated = series.generates(recurrence_id)
        if override.excluded:
            exdates |= {recurrence_id} if is_generated else set()
        else:
            # Other programs need an RDATE for an override that adds an occurrence to the set.
            rdates |= set() if is_generated else {recurrence_id}
            own.append(recurrence_id)
    if not series.ranges:
        return Exceptions(exdates, rdates, [OwnVEvent(id, series.overrides[id]) for id in own])
    first = series.range_ids[0]
    vevents = [_build_vevent(series, id) for id in own if id < first]
    listed = None if _is_endless(series) else list(islice(_iterate_ids(series, first), MAX_LISTED + 1))
    if listed is not None and len(listed) <= MAX_LISTED:
        vevents += [_build_vevent(series, id) for id in listed]
    else:
        vevents += [_build_vevent(series, id)._replace(is_range=True) for id in _find_changes(series, own)]
    return Exceptions(exdates, rdates, vevents)


def _is_endless(series: Series) -> bool:
    return series.pattern is not None and series.pattern.is_endless


def _build_vevent(series: Series, recurrence_id: date) -> OwnVEvent:
    return OwnVEvent(recurrence_id, series.find_override(recurrence_id) or Override())


def _iterate_ids(series: Series, low: date) -> Iterator[date]:
    """Yield the ids of the occurrences from `low` on, in order."""
    explicit = sorted({series.start, *series.rdates, *series.overrides})
    generated = iter(()) if series.pattern is None else series.pattern.iterate_from(low)
    last = None
    for recurrence_id in merge((id for id in explicit if id >= low), generated):
        if recurrence_id != last and series.has_occurrence(recurrence_id):
            yield recurrence_id
        last = recurrence_id


def _find_changes(series: Series, own: list[date]) -> list[date]:
    """Return the ids from which on the occurrences differ from those before, in the ranges."""
    changes: set[date] = set()
    for recurrence_id in {*series.ranges, *(id for id in own if id >= series.range_ids[0])}:
        # After an occurrence that has an override, the range goes on.
        count = 2 if recurrence_id in series.overrides else 1
        changes.update(islice(_iterate_ids(series, recurrence_id), count))
    return sorted(changes)

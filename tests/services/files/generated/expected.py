"""What the standards say about the occurrences of a generated entry, computed without the planner's code."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from planner.domain.recurrence.rrule import parse_rule
from tests.domain.oracle import expand_by_definition
from tests.services.files.generated.entries import DAY, REACH, Entry, Instance, Zone

# An occurrence as the API lists it: its start, its end and its title.
Row = tuple[date, date, str]


class _Rule(NamedTuple):
    text: str
    times: int | None
    until: date | None


def list_expected(entry: Entry) -> list[Row]:
    """Return the occurrences of an entry, in the time in which it is looked at, in order."""
    ids = list_ids(entry)
    instances = {instance.id: instance for instance in entry.instances if not instance.is_following}
    ranges = sorted((instance for instance in entry.instances if instance.is_following), key=_get_id)
    rows: list[Row] = []
    for id in ids:
        start, title = id, entry.title
        own = instances.get(id)
        if own is None:
            own = next((_move(found, id) for found in reversed(ranges) if found.id <= id), None)
        if own is not None:
            start, title, hours = own.start, own.title, own.hours
            is_timed = isinstance(start, datetime)
            end = _add_exact(entry.zone, start, timedelta(hours=hours)) if is_timed else start + hours * DAY
        elif id in entry.periods:
            end = _add_exact(entry.zone, start, timedelta(hours=entry.periods[id]))
        else:
            end = _find_end(entry, start)
        rows.append((_to_instant(entry.zone, start), end, title))
    return sorted(rows, key=str)


def _get_id(instance: Instance) -> date:
    return instance.id


def _move(instance: Instance, id: date) -> Instance:
    """Return what an instance that is about all that follow says of one of them (§3.8.4.4)."""
    return replace(instance, id=id, start=id + (instance.start - instance.id))


def list_ids(entry: Entry) -> list[date]:
    """Return the recurrence set of an entry (RFC 5545 §3.8.5), as far as it is looked at."""
    high = entry.start + REACH
    rules = [_split_rule(rule) for rule in entry.rrules]
    # The start counts in the COUNT of the only rule of a series, also if it does not match.
    own = [expand_by_definition(parse_rule(rule.text), entry.start, high) for rule in rules]
    ids = {entry.start, *entry.rdates, *entry.periods}
    for rule, found in zip(rules, own, strict=True):
        ids.update(_end(rule, found, 0 if len(rules) > 1 else entry.start not in found))
    for exrule in map(_split_rule, entry.exrules):
        ids.difference_update(_end(exrule, expand_by_definition(parse_rule(exrule.text), entry.start, high), 0))
    return sorted(id for id in ids - set(entry.exdates) if id <= high)


def _split_rule(text: str) -> _Rule:
    parts = dict(part.split("=") for part in text.split(";"))
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    rest = ";".join(f"{name}={value}" for name, value in parts.items())
    return _Rule(rest, int(count) if count else None, date.fromisoformat(until) if until else None)


def _end(rule: _Rule, found: list[date], before: int) -> list[date]:
    """Return the instances of a rule up to its end, if so many occurrences before them count."""
    if rule.times is not None:
        found = found[: max(0, rule.times - before)]
    return [id for id in found if rule.until is None or id.toordinal() <= rule.until.toordinal()]


def _to_instant(zone: Zone, local: date) -> date:
    return zone.to_utc(local) if isinstance(local, datetime) else local


def _add_exact(zone: Zone, start: date, length: timedelta) -> date:
    assert isinstance(start, datetime)
    return zone.to_utc(start) + length


def _find_end(entry: Entry, start: date) -> date:
    """Return the end of an occurrence: days of a DURATION are by the clock, all else is exact (§3.8.5.3)."""
    length = entry.length
    if not isinstance(start, datetime):
        return start + (length.days if length else 1) * DAY
    if length is None or length.exact < timedelta(0):
        return entry.zone.to_utc(start)
    return entry.zone.to_utc(start + length.days * DAY) + length.exact

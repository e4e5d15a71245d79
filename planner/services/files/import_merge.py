"""What the organizer and the user of an imported event have changed, merged.

There are three contents: `base`, what the organizer wrote before; `own`, what is stored, with the changes of the
event's user; and `new`, what the organizer writes now. A field that only one side has changed has their value. See
docs/decisions/0021-organizers-and-users.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, NamedTuple, cast

from database.queries import Changes
from models.events.event import Event
from models.events.event_fields import fold_tag
from planner.domain.fields import COMPARED_FIELDS, FIELDS, MAX_TAGS, TIME_FIELDS
from planner.domain.ics.twins import remove_twins
from planner.domain.recurrence.documents import parse_stored_local, series_from_event, series_to_stored
from planner.domain.recurrence.edits import SeriesChanges, edit_series
from planner.domain.recurrence.rrule import RecurrenceError
from planner.domain.recurrence.series import Series, validate_series
from planner.domain.recurrence.shift import Shift
from planner.domain.stored_event import ImportedLines, StoredOverride
from planner.domain.zones import to_local, to_utc
from planner.services.files.import_compare import normalize_ics
from planner.services.files.import_drafts import differs

_MERGED_FIELDS = tuple(name for name in COMPARED_FIELDS if name not in TIME_FIELDS)
_PLACE = (str(Event.location), str(Event.geo))
_LINES, _TAGS = str(Event.ics), str(Event.tags)
# What is not in the rule and the times of a series as a whole.
_NOT_OF_FRAME = {str(Event.overrides), str(Event.begins), str(Event.ends), str(Event.span), str(Event.repeats)}
_FRAME_FIELDS = tuple(name for name in TIME_FIELDS if name not in _NOT_OF_FRAME)
_DATES = ("rdates", "exdates")
_MISSING = object()
_REPLACED = "yours is in an earlier revision"


class _Values(NamedTuple):
    """The values that a field has on the three sides, or `_MISSING`."""

    base: Any
    own: Any
    new: Any


class Merge:
    """One merge. `notes` say which changes of the user, or of the organizer, are not in the result."""

    def __init__(self, base: Changes, own: Changes, new: Changes) -> None:
        self._base, self._own, self._new = base, own, new
        self._merged: Changes = {}
        self.notes: list[str] = []

    def build_content(self) -> Changes:
        """Return the merged content. Raises `RecurrenceError` if its occurrences contradict each other."""
        base, own, new = map(_select_fields, (self._base, self._own, self._new))
        self._merged = self._merge_fields(base, own, new, "its")
        frame, has_new_times = self._choose_frame()
        self._merged |= {name: frame[name] for name in TIME_FIELDS if name in frame}
        lines = _merge_lines(*(side.get(_LINES) for side in (self._base, self._own, self._new)))
        if lines is not None:
            self._merged[_LINES] = remove_twins(lines, {**self._new, **new}, self._merged)
        if frame.get(Event.repeats):
            self._merged |= self._merge_exceptions(frame, has_new_times)
        return self._merged

    def _merge_fields(
        self, base: Mapping[str, Any], own: Mapping[str, Any], new: Mapping[str, Any], where: str
    ) -> dict[str, Any]:
        """Return the merged fields of an event or of an occurrence; any may be missing on any side."""
        merged: dict[str, Any] = {}
        # The coordinates of one place do not belong to the address of another one.
        is_place_new = all(any(_is_changed(name, base, side) for name in _PLACE) for side in (own, new))
        for name in {**new, **own, **base}:
            values = _Values(*(side.get(name, _MISSING) for side in (base, own, new)))
            if name == _LINES:
                continue
            if name == _TAGS and _MISSING not in values:
                value = _merge_tags(*values)
            elif is_place_new and name in _PLACE:
                value = self._choose(name, values, where)
            else:
                value = self._merge_value(name, values, where)
            if value is not _MISSING:
                merged[name] = value
        return merged

    def _merge_value(self, name: str, values: "_Values", where: str) -> Any:
        base, own, new = values
        if not _differ(own, base):
            return new
        if not _differ(new, base) or not _differ(new, own):
            return own
        return self._choose(name, values, where)

    def _choose(self, name: str, values: "_Values", where: str) -> Any:
        """Return the value of a field that both sides have changed."""
        base, own, new = values
        if not FIELDS[name].is_organizers:
            self.notes.append(f"{where} {name} was changed by you and by its organizer; yours is kept")
            return own
        if _differ(own, base) and _differ(own, new):
            self.notes.append(f"{where} {name} was changed by you and by its organizer; {_REPLACED}")
        return new

    def _choose_frame(self) -> tuple[Changes, bool]:
        """Return the side whose times the event has, and whether its organizer has changed them."""
        base, own, new = self._base, self._own, self._new
        has_new_times = _get_frame(new) != _get_frame(base)
        is_own_frame = not has_new_times and _get_frame(own) != _get_frame(base)
        if has_new_times and _get_frame(own) not in (_get_frame(base), _get_frame(new)):
            self.notes.append(f"its times were changed by you and by its organizer; {_REPLACED}")
        frame = own if is_own_frame else _keep_own_rule(base, own, new) if has_new_times else new
        if not frame.get(Event.repeats) and own.get(Event.overrides, []) != base.get(Event.overrides, []):
            self.notes.append(f"it does not recur any more, but you have changed its occurrences; {_REPLACED}")
        return frame, has_new_times

    def _merge_exceptions(self, frame: Changes, has_new_times: bool) -> Changes:
        """Return the times of a series, with the merged exceptions."""
        series = series_from_event(Event.from_stored(frame))
        sides = [Exceptions.in_frame(side, frame) for side in (self._base, self._own, self._new)]
        for recurrence_id in sorted(sides[1].lost):
            where = f"the occurrence of {recurrence_id.isoformat()}"
            self.notes.append(f"{where}, which you have changed, does not take place any more; {_REPLACED}")
        rdates = _merge_sets(*(side.rdates for side in sides))
        exdates = _merge_sets(*(side.excluded for side in sides))
        merged = replace(series, rdates=rdates, exdates=exdates, overrides={})
        stored = {**frame, **series_to_stored(validate_series(merged))}
        # The ranges are those of the frame.
        stored[Event.overrides] += self._merge_overrides(sides, merged, has_new_times)
        return {**series_to_stored(validate_series(series_from_event(Event.from_stored(stored))))}

    def _merge_overrides(
        self, sides: Sequence["Exceptions"], series: Series, has_new_times: bool
    ) -> Iterator[StoredOverride]:
        """Yield the overrides of the series, of which all but they are merged already."""
        for recurrence_id in sorted({id for side in sides for id in side.overrides} - series.exdates):
            overrides = [side.overrides.get(recurrence_id) for side in sides]
            # Without its organizer's override, there is no occurrence that the series does not have.
            if overrides[-1] is not None or series.generates(recurrence_id):
                override = self._merge_override(recurrence_id, overrides, has_new_times)
                if overrides[-1] is not None or len(override) > 1:
                    yield override

    def _merge_override(
        self, recurrence_id: date, overrides: Sequence[StoredOverride | None], has_new_times: bool
    ) -> StoredOverride:
        base, own, new = map(_get_own_times, overrides)
        where = f"in the occurrence of {recurrence_id.isoformat()}, the"
        is_own = own != base and new == base and not has_new_times
        if not is_own and own not in (base, new):
            self.notes.append(f"{where} times were changed by you and by its organizer; {_REPLACED}")
        base_fields, own_fields, new_fields = [each.get("fields", {}) if each else {} for each in overrides]
        fields = self._merge_fields(base_fields, own_fields, new_fields, where)
        lines = _merge_lines(
            base_fields.get(_LINES, self._base.get(_LINES)),
            own_fields.get(_LINES, self._own.get(_LINES)),
            new_fields.get(_LINES, self._new.get(_LINES)),
        )
        if lines is not None:
            said = {**self._new, **new_fields}
            # An own start of the occurrence is another one than that of the organizer.
            lines = remove_twins(lines, said, {**said, **self._merged, **fields, **({"start": None} if is_own else {})})
        if normalize_ics(lines) != normalize_ics(self._merged.get(_LINES)):
            fields[_LINES] = lines
        override = {"id": recurrence_id.isoformat(), **(own if is_own else new)}
        return cast("StoredOverride", override | {"fields": fields} if fields else override)


@dataclass(frozen=True)
class Exceptions:
    """What is special about the occurrences of one series, by the recurrence ids of another one.

    `lost` has the ids of changed occurrences that the other series does not have.
    """

    rdates: frozenset[date]
    excluded: frozenset[date]
    overrides: Mapping[date, StoredOverride]
    lost: frozenset[date] = frozenset()

    @classmethod
    def in_frame(cls, content: Changes, frame: Changes) -> "Exceptions":
        """Return the exceptions of an event, by the ids that its occurrences have with the times of `frame`."""
        if not content.get(Event.repeats):
            return cls(frozenset(), frozenset(), {})
        series = series_from_event(Event.from_stored(content))
        excluded = series.exdates.union(id for id, override in series.overrides.items() if override.excluded)
        stored: list[StoredOverride] = content.get(Event.overrides) or []
        by_id = {parse_stored_local(override["id"]): override for override in stored if not override.get("following")}
        overrides = {id: override for id, override in by_id.items() if id not in excluded}
        if _get_frame(content) == _get_frame(frame):
            return cls(series.rdates, excluded, overrides)
        moving = _Moving(series, series_from_event(Event.from_stored(frame)))
        moved = {id: moving.move_id(id) for id in sorted({*excluded, *overrides})}
        return cls(
            frozenset(id for id in map(moving.shift, series.rdates) if id is not None),
            frozenset(id for id in (moved[id] for id in excluded) if id is not None),
            {id: moving.move_override(overrides[old]) for old, id in moved.items() if id and old in overrides},
            frozenset(old for old, id in moved.items() if id is None and old in overrides),
        )


@dataclass(frozen=True)
class _Moving:
    """A series before and after its times were changed as a whole."""

    old: Series
    new: Series

    def shift(self, local: date) -> date | None:
        """Return a local time, moved like the start; None if it would be outside the calendar."""
        try:
            return Shift(self.old.start, self.new.start).apply(local)
        except RecurrenceError:
            return None

    def move_id(self, recurrence_id: date) -> date | None:
        """Return the id under the new times of an occurrence, or None if it does not take place any more."""
        moved = self.shift(recurrence_id)
        if moved is None or self.new.generates(moved) or not self.old.generates(recurrence_id):
            return moved
        # The rule is another one as well. What remains on the same day is the same occurrence.
        if self.new.pattern is None:
            return None
        first, last = (datetime.combine(recurrence_id, time) for time in (time.min, time.max))
        on_that_day = self.new.pattern.find_between(
            *((first.date(), last.date()) if self.new.all_day else (first, last))
        )
        return next(iter(on_that_day), None)

    def move_override(self, override: StoredOverride) -> StoredOverride:
        """Return an override whose own start is at the same instant in the new time zone."""
        start = override.get("start")
        if start is None or "time_zone" in override:
            return override
        local = parse_stored_local(start)
        if isinstance(local, datetime) and not self.new.all_day and self.old.time_zone != self.new.time_zone:
            local = to_local(to_utc(local, self.old.time_zone), self.new.time_zone)
        return {**override, "start": local.isoformat()}


def _select_fields(content: Changes) -> dict[str, Any]:
    """Return the fields of an event other than its times, also those that it has the default of."""
    event = Event.from_stored(content)
    return {name: getattr(event, name) for name in _MERGED_FIELDS}


def _get_frame(content: Changes) -> dict[str, Any]:
    """Return the times of an event, with its rule, but without what is special about single occurrences."""
    frame: Changes = {name: content.get(name) for name in _FRAME_FIELDS}
    recurrence = frame[Event.recurrence]
    if recurrence is not None:
        frame[Event.recurrence] = {name: value for name, value in recurrence.items() if name not in _DATES}
    overrides: list[StoredOverride] = content.get(Event.overrides) or []
    return frame | {"ranges": [override for override in overrides if override.get("following")]}


def _keep_own_rule(base: Changes, own: Changes, new: Changes) -> Changes:
    """Return the organizer's new times, with the rule of the user if only they have changed it.

    So what the user has cut off does not come back when the rest is moved.
    """
    rules = [_get_frame(side)["recurrence"] for side in (base, own, new)]
    if None in rules or rules[2] != rules[0] or rules[1] == rules[0] or own[Event.start] != base[Event.start]:
        return new
    moved, rest = (series_from_event(Event.from_stored(side)) for side in (new, own))
    changes = SeriesChanges(start=moved.start, duration=moved.duration, time_zone=moved.time_zone)
    try:
        rest = edit_series(replace(rest, rdates=frozenset(), exdates=frozenset(), overrides={}, ranges={}), changes)
    except RecurrenceError:
        return new
    exdates = moved.exdates.union(rest.exdates)
    kept = replace(rest, rdates=moved.rdates, exdates=exdates, overrides=moved.overrides, ranges=moved.ranges)
    return {**new, **series_to_stored(kept)}


def _get_own_times(override: StoredOverride | None) -> dict[str, Any]:
    """Return what an override says about the times of its occurrence."""
    return {name: value for name, value in (override or {}).items() if name not in ("id", "fields")}


def _differ(value: Any, other: Any) -> bool:
    if value is _MISSING or other is _MISSING:
        return value is not other
    return differs(value, other)


def _is_changed(name: str, base: Mapping[str, Any], side: Mapping[str, Any]) -> bool:
    return _differ(side.get(name, _MISSING), base.get(name, _MISSING))


def _merge_sets(base: frozenset[date], own: frozenset[date], new: frozenset[date]) -> frozenset[date]:
    return (new - (base - own)) | (own - base)


def _merge_tags(base: list[str], own: list[str], new: list[str]) -> list[str]:
    """Return the organizer's tags without those that the user has removed, and with those that they have added."""
    known, kept = ({fold_tag(tag) for tag in tags} for tags in (base, own))
    added = [tag for tag in own if fold_tag(tag) not in known]
    own_added = {fold_tag(tag) for tag in added}
    keys = [(tag, fold_tag(tag)) for tag in new]
    from_organizer = [tag for tag, key in keys if key not in own_added and (key in kept or key not in known)]
    return from_organizer[: MAX_TAGS - len(added)] + added


def _merge_lines(
    base: ImportedLines | None, own: ImportedLines | None, new: ImportedLines | None
) -> ImportedLines | None:
    """Return the imported lines: the organizer's, with the alarms of the user if they have changed those."""
    own_alarms, new_lines = own["alarms"] if own else [], new["lines"] if new else []
    if normalize_ics(own)[1] == normalize_ics(base)[1]:
        return new
    return ImportedLines(lines=new_lines, alarms=own_alarms) if new_lines or own_alarms else None

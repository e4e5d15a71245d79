"""What somebody has changed in the form of an event.

The form carries a mark of each group of fields as it was when the form was opened. So what somebody has not touched
is not sent, and stays as somebody else may have changed it meanwhile.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from models.events.event_schema import EventCreate, EventPatch, OccurrencePatch
from planner.domain.zones import to_utc
from planner.errors import FieldError, Invalid
from planner.services.shared.field_errors import field_errors
from routes.pages.events.form_values import (
    PARSERS,
    TEXTS,
    TIME_FIELDS,
    USUAL_REMINDERS,
    FormTimes,
    find_zone,
    parse_times,
)
from routes.pages.events.repeats import DATES, FIELDS, Values, fill_repeats, parse_repeats
from routes.pages.forms import PageForm

# The first field of a group is in every form that has the group; a box that is not ticked is not.
GROUPS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in (*TEXTS, "priority", "tags")},
    "times": TIME_FIELDS,
    "geo": ("lat", "lon"),
    "recurrence": FIELDS,
    "reminders": ("reminders",),
}
# A change of these may make the event overlap with others.
BUSY_GROUPS = frozenset({"times", "recurrence", "status", "transparency"})
# What one occurrence cannot have of its own, and what those that follow cannot have either.
NOT_FOR_ONE = frozenset({"recurrence", "visibility"})
NOT_FOR_FOLLOWING = frozenset({"visibility"})
_LINES = ("description", *DATES)


# What gives some of the fields of a request, or raises `Invalid`.
Part = Callable[[], dict[str, Any]]
Schema = TypeVar("Schema", bound=BaseModel)


def read_values(form: PageForm, filled: Values) -> dict[str, str]:
    """Return the fields of a form that describe an event, as they were typed.

    A group that was sent without some of its fields has what they were `filled` with, but for boxes to tick.
    """
    typed = {name: _normalize(name, value) for name, value in form.typed.items() if _find_group(name)}
    sent = {group for group, names in GROUPS.items() if names[0] in typed}
    others = {name: value for name, value in filled.items() if _find_group(name) in sent and not _is_box(name)}
    return others | typed


def _is_box(name: str) -> bool:
    return name == "all_day" or name.startswith(("weekday_", "reminder_"))


def _find_group(name: str) -> str | None:
    if name.startswith("reminder_"):
        return "reminders"
    return next((group for group, names in GROUPS.items() if name in names), None)


def _normalize(name: str, text: str) -> str:
    """Return a value as a browser sends it: with line breaks of one kind, and in one line if the field has one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if name in _LINES else text.replace("\n", "")


def mark_values(values: Values) -> dict[str, str]:
    """Return a mark of each group of fields, by which it is known again."""
    by_group: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
    for name, value in sorted(values.items()):
        group = _find_group(name)
        if group and value:
            by_group[group].append((name, _normalize(name, value)))
    return {group: hashlib.sha256(orjson.dumps(pairs)).hexdigest()[:12] for group, pairs in by_group.items()}


def find_changed(typed: Values, seen: Mapping[str, str]) -> frozenset[str]:
    """Return the groups of which the form has something else than when it was opened."""
    marks = mark_values(typed)
    return frozenset(group for group, names in GROUPS.items() if names[0] in typed and marks[group] != seen.get(group))


def parse_seen(text: str) -> dict[str, str]:
    """Return the marks that a form carries; nothing for what is no such text."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return {str(group): str(mark) for group, mark in found.items()} if isinstance(found, dict) else {}


def merge_values(current: Values, typed: Values, changed: Collection[str]) -> dict[str, str]:
    """Return what is typed in the groups that are changed, and what is stored in the others."""
    kept = {name: value for name, value in current.items() if _find_group(name) not in changed}
    return kept | {name: value for name, value in typed.items() if _find_group(name) in changed}


class EventChanges(NamedTuple):
    """What somebody wants to change in an event, or in an occurrence of one, as it was sent (`body`)."""

    body: Mapping[str, Any]
    filled: Values
    typed: Values
    groups: frozenset[str]

    def for_all(self, series_body: Mapping[str, Any] | None = None) -> EventPatch:
        """Return the change of the whole event. Raises `Invalid`.

        What was typed for an occurrence of a series moves the series as far as the occurrence.
        """

        def build_times() -> dict[str, Any]:
            times = self._parse_times()
            if series_body is not None:
                times = _move_series(parse_times(self.filled), times, series_body)
            return self._times(times) | self._recurrence(times.start)

        return validate_parts(EventPatch, [*self._plain(), build_times])

    def for_following(self) -> OccurrencePatch:
        """Return the change of an occurrence and those that follow. Raises `Invalid`."""

        def build_times() -> dict[str, Any]:
            times = self._parse_times()
            return self._times(times) | self._recurrence(times.start)

        return validate_parts(OccurrencePatch, [*self._plain(), build_times])

    def for_one(self, *, all_day_series: bool) -> OccurrencePatch:
        """Return the change of one occurrence, whose time in a series with times has no time zone of its own.

        Raises `Invalid`.
        """

        def build_times() -> dict[str, Any]:
            times = self._parse_times()
            fields = self._times(times)
            if "time_zone" not in fields or (all_day_series and isinstance(times.start, datetime)):
                return fields
            zone = fields.pop("time_zone")
            if not isinstance(times.start, datetime):
                return fields
            end = _with_offset(times.end, times.end_time_zone or zone)
            return fields | {"start": _with_offset(times.start, zone), "end": end}

        return validate_parts(OccurrencePatch, [*self._plain(), build_times])

    def _parse_times(self) -> FormTimes:
        return parse_times(self.typed if "times" in self.groups else self.filled)

    def _plain(self) -> list[Part]:
        """Return what gives the fields that are no times."""
        texts = {name: self.typed[name] or None for name in TEXTS if name in self.groups}
        return [lambda: texts, *_parse_each(self.typed, self.groups)]

    def _times(self, times: FormTimes) -> dict[str, Any]:
        if "times" not in self.groups:
            return {}
        fields: dict[str, Any] = {"start": format_local(times.start), "end": format_local(times.end)}
        had_no_time = self.body["start"] is None or self.body["all_day"]
        gets_time = isinstance(times.start, datetime) and had_no_time
        if gets_time or times.time_zone != self.filled["time_zone"]:
            fields["time_zone"] = times.time_zone
        if times.end_time_zone != self.body["end_time_zone"]:
            fields["end_time_zone"] = times.end_time_zone
        return fields

    def _recurrence(self, start: date | None) -> dict[str, Any]:
        if "recurrence" not in self.groups:
            return {}
        return {"recurrence": parse_repeats(self.typed, start, self._kept_dates())}

    def _kept_dates(self) -> dict[str, list[str]]:
        """Return the dates of the recurrence that nobody has touched, as they were sent."""
        recurrence = self.body["recurrence"] or {}
        untouched = (name for name in DATES if self.typed.get(name) == self.filled[name])
        return {name: recurrence[name] for name in untouched if name in recurrence}


def format_local(value: date | None) -> str | None:
    """Return a date or a local time as it is sent to the planner."""
    return None if value is None else value.isoformat()


def _with_offset(local: object, time_zone: str) -> str | None:
    return to_utc(local, time_zone).isoformat() if isinstance(local, datetime) else None


def _move_series(old: FormTimes, new: FormTimes, series_body: Mapping[str, Any]) -> FormTimes:
    """Return the times of a series of which an occurrence is moved from `old` to `new`."""
    if old.start is None or new.start is None:
        raise Invalid.field("/start", "cannot be cleared")
    start = parse_local_start(series_body, old.time_zone)
    try:
        if isinstance(new.start, datetime) and isinstance(old.start, datetime) and isinstance(start, datetime):
            moved: date = start + (new.start - old.start)
        else:
            days = timedelta(days=new.start.toordinal() - old.start.toordinal())
            moved = _date_of(start) + days
            if isinstance(new.start, datetime):
                moved = datetime.combine(moved, new.start.time())
        end = None if new.end is None else moved + (new.end - new.start)
        return FormTimes(moved, end, new.time_zone, new.end_time_zone)
    except OverflowError:
        raise Invalid.field("/start", "must be within the years 1 to 9999, for every occurrence") from None


def parse_local_start(body: Mapping[str, Any], time_zone: str) -> date:
    """Return the local start of an event as it is sent, which must have one."""
    return (
        parse_times(
            {
                "start": body["start"],
                "all_day": "on" if body["all_day"] else "",
                "time_zone": find_zone(body, time_zone),
            }
        ).start
        or date.min
    )


def _date_of(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def build_new_event(typed: Values, time_zone: str) -> EventCreate:
    """Return a new event. Raises `Invalid`.

    Days belong to the time zone of the account without naming it.
    """
    texts = {name: typed[name] for name in TEXTS if typed.get(name)}

    def build_times() -> dict[str, Any]:
        times = parse_times({**typed, "time_zone": typed.get("time_zone") or time_zone})
        fields: dict[str, Any] = {"start": format_local(times.start), "end": format_local(times.end)}
        fields["end_time_zone"] = times.end_time_zone
        if isinstance(times.start, datetime) or times.time_zone != time_zone:
            fields["time_zone"] = times.time_zone
        return fields | {"recurrence": parse_repeats(typed, times.start, {})}

    return validate_parts(EventCreate, [lambda: {"title": ""} | texts, *_parse_each(typed, PARSERS), build_times])


def _parse_each(typed: Values, names: Collection[str]) -> list[Part]:
    return [partial(_parse_field, typed, name) for name in PARSERS if name in names]


def _parse_field(typed: Values, name: str) -> dict[str, Any]:
    return {name: PARSERS[name](typed)}


def validate_parts(schema: type[Schema], parts: Iterable[Part]) -> Schema:
    """Return the request body that the parts make together; raises `Invalid` with all that is wrong with any."""
    fields: dict[str, Any] = {}
    errors: list[FieldError] = []
    for part in parts:
        try:
            fields |= part()
        except Invalid as error:
            errors += error.errors
    try:
        body = schema.model_validate(fields)
    except ValidationError as error:
        errors += field_errors(error)
    if errors:
        raise Invalid(errors)
    return body


def empty_values(time_zone: str) -> dict[str, str]:
    """Return the values of the form of a new event."""
    names: Iterable[str] = (name for group in GROUPS.values() for name in group)
    defaults = {"status": "confirmed", "visibility": "private", "transparency": "opaque", "priority": "0"}
    return dict.fromkeys(names, "") | fill_repeats(None, None, time_zone) | defaults | {"time_zone": time_zone}


def list_reminders(values: Values) -> list[int]:
    """Return the reminders that a form offers: the usual ones, and those that are ticked."""
    names = (name.removeprefix("reminder_") for name, value in values.items() if name.startswith("reminder_") and value)
    ticked = {int(text) for text in names if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 8}
    return sorted({*USUAL_REMINDERS, *ticked})

"""The fields of a form that describe an event: their values for an event, and what values mean.

Fields that mean something only together are a group. The values of a form are texts by the names of its fields; a
box that is ticked has the value `on`.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from planner.domain.times import parse_date_or_time, require_time_zone
from planner.domain.zones import UnknownZone, list_zone_names, to_local
from planner.errors import Invalid
from routes.pages.dates import parse_local, to_local_text
from routes.pages.events.repeats import Values, fill_repeats

USUAL_REMINDERS = (0, 5, 10, 15, 30, 60, 120, 1440, 2880, 10080)
ON = "on"
_DAY = timedelta(days=1)
# Fields whose value is sent as it was typed; an empty one clears the field.
TEXTS = ("title", "location", "url", "image", "description", "color", "status", "visibility", "transparency")
TIME_FIELDS = ("start", "end", "all_day", "time_zone", "end_time_zone")


class FormTimes(NamedTuple):
    """When the event of a form takes place: dates, or local times in its time zone.

    The end is exclusive, and a local time in a time zone of its own if there is one.
    """

    start: date | None
    end: date | None
    time_zone: str
    end_time_zone: str | None = None


def fill_form(body: Mapping[str, Any], time_zone: str) -> dict[str, str]:
    """Return the values of the fields for an event as it is sent; without a time zone of its own it has this one."""
    zone = find_zone(body, time_zone)
    values = {name: body[name] or "" for name in TEXTS}
    start = None if body["start"] is None else parse_local(body["start"], zone)
    values |= _fill_times(body, zone) | fill_repeats(body["recurrence"], start, zone)
    geo = body["geo"]
    values |= {"lat": "", "lon": ""} if geo is None else {name: f"{geo[name]!r}" for name in ("lat", "lon")}
    values |= {"tags": ", ".join(body["tags"]), "priority": str(body["priority"]), "reminders": ""}
    return values | {f"reminder_{minutes}": ON for minutes in body["reminders"]}


def find_zone(body: Mapping[str, Any], time_zone: str) -> str:
    """Return the time zone of an event as it is sent; one whose days or date belong to no zone has `time_zone`."""
    is_timed = body["start"] is not None and not body["all_day"]
    return str(body["time_zone"] or ("UTC" if is_timed else time_zone))


def _fill_times(body: Mapping[str, Any], zone: str) -> dict[str, str]:
    end, all_day, end_zone = body["end"], body["all_day"], body["end_time_zone"]
    if all_day and end is not None:
        # People name the last day, and not the one after it.
        end = (date.fromisoformat(end) - _DAY).isoformat()
    return {
        "start": "" if body["start"] is None else to_local_text(body["start"], zone),
        "end": "" if end is None else to_local_text(end, end_zone or zone),
        "all_day": ON if all_day else "",
        "time_zone": zone,
        "end_time_zone": end_zone or "",
    }


def parse_times(values: Values) -> FormTimes:
    """Return when the event takes place. Raises `Invalid` at the field that is wrong."""
    time_zone = values.get("time_zone", "").strip() or "UTC"
    end_time_zone = values.get("end_time_zone", "").strip() or None
    require_time_zone(time_zone)
    if end_time_zone is not None and end_time_zone not in list_zone_names():
        raise Invalid.field("/end_time_zone", str(UnknownZone()))
    all_day = bool(values.get("all_day"))
    start = _parse_moment(values.get("start", ""), "/start", all_day, time_zone)
    end = _parse_moment(values.get("end", ""), "/end", all_day, end_time_zone or time_zone)
    if end is None or not all_day:
        return FormTimes(start, end, time_zone, end_time_zone)
    if start is not None and end < start:
        raise Invalid.field("/end", "must not be before the first day")
    try:
        return FormTimes(start, end + _DAY, time_zone, end_time_zone)
    except OverflowError:
        raise Invalid.field("/end", "must be before the end of the calendar") from None


def _parse_moment(text: str, pointer: str, all_day: bool, time_zone: str) -> date | None:
    """Return a date if the event takes whole days, and otherwise a time; None for an empty field."""
    if not text.strip():
        return None
    moment = parse_date_or_time(text.strip(), pointer)
    if all_day:
        return moment.date() if isinstance(moment, datetime) else moment
    if not isinstance(moment, datetime):
        raise Invalid.field(pointer, "must have a time of day, unless the event takes whole days")
    return moment if moment.tzinfo is None else to_local(moment, time_zone)


def _parse_geo(values: Values) -> dict[str, float] | None:
    texts = {name: values.get(name, "").strip().replace(",", ".") for name in ("lat", "lon")}
    if not any(texts.values()):
        return None
    try:
        return {name: float(text) for name, text in texts.items()}
    except ValueError:
        raise Invalid.field("/geo", "must have a latitude and a longitude, in degrees such as 52.52") from None


def _parse_reminders(values: Values) -> list[int]:
    ticked = [
        name.removeprefix("reminder_") for name, value in values.items() if name.startswith("reminder_") and value
    ]
    typed = [text.strip() for text in values.get("reminders", "").split(",") if text.strip()]
    try:
        return [int(text) for text in (*ticked, *typed)]
    except ValueError:
        raise Invalid.field("/reminders", "must be whole numbers of minutes, separated by commas") from None


def _parse_priority(values: Values) -> int:
    try:
        return int(values.get("priority") or "0")
    except ValueError:
        raise Invalid.field("/priority", "must be a whole number from 0 to 9") from None


def parse_tags(values: Values) -> list[str]:
    """Return the tags that are typed with commas between them."""
    return [tag.strip() for tag in values.get("tags", "").split(",") if tag.strip()]


PARSERS: Mapping[str, Callable[[Values], Any]] = {
    "geo": _parse_geo,
    "reminders": _parse_reminders,
    "priority": _parse_priority,
    "tags": parse_tags,
}

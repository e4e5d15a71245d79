"""Content lines as properties: a name, parameters and a value (RFC 5545 §3.1). `icalendar` parses what is in them."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from icalendar.error import InvalidCalendar
from icalendar.parser import Contentline, split_on_unescaped_comma, unescape_backslash
from icalendar.prop import vDate, vDatetime, vDuration, vGeo

# All that stands before the value when no parameter is quoted; what is quoted may hold a colon.
_HEAD = re.compile(r'([A-Za-z0-9-]+)(?:;([^":]*))?:', re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_LATEST_SECOND = re.compile(r"(\d{8}T\d{4})60(Z?)", re.ASCII)


class Unreadable(ValueError):
    """A property that makes no sense; the message says which one and why."""


class Property(NamedTuple):
    """A property, with the line that it stood in; names are in capitals, values still escaped."""

    name: str
    parameters: Mapping[str, str]
    value: str
    line: str


class ICalTime(NamedTuple):
    """A DATE or DATE-TIME: a date, or a naive local time; its zone's TZID, `UTC`, or None for a floating one."""

    value: date
    tzid: str | None

    @property
    def dated(self) -> bool:
        """Whether it is a date."""
        return not isinstance(self.value, datetime)


def parse_property(line: str) -> Property:
    """The property in an unfolded line; raises `Unreadable`."""
    head = _HEAD.match(line)
    if head and not head[2]:
        return Property(head[1].upper(), {}, line[head.end() :], line)
    try:
        end = head.end() if head else Contentline(line).value_separator_index() + 1
        if not end:
            raise ValueError
        name, parameters, _ = Contentline(line[:end]).raw_parts()
    except (ValueError, AssertionError):
        raise Unreadable("one of its lines is not of the form NAME;PARAMETER=VALUE:VALUE") from None
    told = {key.upper(): value if isinstance(value, str) else ",".join(value) for key, value in parameters.items()}
    return Property(name.upper(), told, line[end:], line)


def remove_controls(text: str) -> str:
    """A text without the control characters that no iCalendar file may hold."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n")) if _CONTROLS.search(text) else text


def parse_text(told: Property) -> str:
    """A value of type TEXT (RFC 5545 §3.3.11)."""
    return remove_controls(unescape_backslash(told.value))


def parse_text_list(told: Property) -> list[str]:
    """A list of TEXTs, such as CATEGORIES has."""
    return [remove_controls(text) for text in split_on_unescaped_comma(told.value)]


def parse_integer(told: Property) -> int:
    """An INTEGER, such as SEQUENCE."""
    text = told.value.strip()
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"its {told.name} is not a whole number")
    return int(text)


def parse_geo(told: Property) -> tuple[float, float]:
    """The latitude and longitude of a GEO; raises `Unreadable` for what is not on the earth."""
    try:
        lat, lon = vGeo.from_ical(told.value.replace("\\;", ";"))
    except ValueError:
        raise Unreadable("its GEO is not a latitude and a longitude") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Unreadable("its GEO is not a place on the earth")
    return lat, lon


def parse_duration(told: Property) -> timedelta:
    """A DURATION (RFC 5545 §3.3.6), of any sign."""
    try:
        found: timedelta = vDuration.from_ical(told.value.strip().upper())
    except (ValueError, InvalidCalendar):
        raise Unreadable("its DURATION is not one, such as PT1H30M") from None
    return found


def parse_time(told: Property) -> ICalTime:
    """The one DATE or DATE-TIME of a property such as DTSTART."""
    found = parse_times(told)
    if len(found) != 1:
        raise Unreadable(f"its {told.name} is not one date or time")
    return found[0]


def parse_times(told: Property) -> list[ICalTime]:
    """The DATEs and DATE-TIMEs of a property such as EXDATE; periods (§3.3.9) are refused."""
    kind = told.parameters.get("VALUE", "").upper()
    if kind == "PERIOD" or "/" in told.value:
        raise Unreadable(f"its {told.name} holds periods, and only dates and times are known")
    tzid = told.parameters.get("TZID")
    return [_moment(told.name, part.strip(), tzid) for part in told.value.split(",") if part.strip()]


def _moment(name: str, text: str, tzid: str | None) -> ICalTime:
    try:
        if len(text) == 8:
            return ICalTime(vDate.from_ical(text), None)
        if len(text) not in (15, 16) or not text.isascii():
            raise ValueError
        # There are no leap seconds here (§3.3.12): the 60th is taken for the one before.
        found: datetime = vDatetime.from_ical(_LATEST_SECOND.sub(r"\g<1>59\g<2>", text.upper()))
    except (ValueError, InvalidCalendar):
        raise Unreadable(f"its {name} is not a date or time") from None
    if found.tzinfo is not None:
        return ICalTime(found.astimezone(UTC).replace(tzinfo=None), "UTC")
    return ICalTime(found, tzid)

"""Parsing of content lines into properties, and of their values (RFC 5545 §3.1, §3.3).

The names of properties are in the messages of errors, because the file's author sees them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from icalendar.error import InvalidCalendar
from icalendar.parser import Contentline, split_on_unescaped_comma, unescape_backslash
from icalendar.prop import vDate, vDatetime, vDuration, vGeo

# The name and the parameters of a line without quotes. A quoted parameter may contain a colon.
_NAME_AND_PARAMETERS = re.compile(r'([A-Za-z0-9-]+)(?:;([^":]*))?:', re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_LEAP_SECOND = re.compile(r"(\d{8}T\d{4})60(Z?)", re.ASCII)


class Unreadable(ValueError):
    """An entry, or a property of it, that cannot be read; the message says what is wrong with it."""


class Property(NamedTuple):
    """A property: its name and parameter names in upper case, its value still escaped, and the whole line."""

    name: str
    parameters: Mapping[str, str]
    value: str
    line: str


class ICalTime(NamedTuple):
    """A DATE or DATE-TIME: a date or a naive local time.

    `tzid` is the TZID of a local time, `UTC`, or None for a floating time and for a date.
    """

    value: date
    tzid: str | None

    @property
    def is_date(self) -> bool:
        """Whether it is a DATE."""
        return not isinstance(self.value, datetime)


class ICalPeriod(NamedTuple):
    """A PERIOD (RFC 5545 §3.3.9): its start, and its end or its duration in nominal days and exact time."""

    start: ICalTime
    end: ICalTime | None
    duration: "ICalDuration | None"


class ICalDuration(NamedTuple):
    """A DURATION (RFC 5545 §3.3.6): days, which clock changes may make shorter or longer, and an exact time."""

    nominal: timedelta
    exact: timedelta


def parse_property(line: str) -> Property:
    """Parse an unfolded line into a property. Raises `Unreadable`."""
    head = _NAME_AND_PARAMETERS.match(line)
    if head and not head[2]:
        return Property(head[1].upper(), {}, line[head.end() :], line)
    try:
        end = head.end() if head else Contentline(line).value_separator_index() + 1
        if not end:
            raise ValueError
        name, parameters, _ = Contentline(line[:end]).raw_parts()
    except (ValueError, AssertionError):
        raise Unreadable("it has a line that is not of the form NAME;PARAMETER=VALUE:VALUE") from None
    joined = {key.upper(): value if isinstance(value, str) else ",".join(value) for key, value in parameters.items()}
    return Property(name.upper(), joined, line[end:], line)


def remove_controls(text: str) -> str:
    """Return a text without the control characters that an iCalendar file must not have."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n")) if _CONTROLS.search(text) else text


def parse_text(prop: Property) -> str:
    """Parse a value of type TEXT (RFC 5545 §3.3.11)."""
    return remove_controls(unescape_backslash(prop.value))


def parse_text_list(prop: Property) -> list[str]:
    """Parse a list of TEXT values, such as that of CATEGORIES."""
    return [remove_controls(text) for text in split_on_unescaped_comma(prop.value)]


def parse_integer(prop: Property) -> int:
    """Parse an INTEGER (RFC 5545 §3.3.8), such as that of SEQUENCE. Raises `Unreadable`."""
    text = prop.value.strip()
    if not _INTEGER.fullmatch(text):
        raise Unreadable(f"its {prop.name} is not a whole number")
    return int(text)


def parse_geo(prop: Property) -> tuple[float, float]:
    """Parse a GEO (RFC 5545 §3.8.1.6) into its latitude and longitude. Raises `Unreadable`."""
    try:
        lat, lon = vGeo.from_ical(prop.value.replace("\\;", ";"))
    except ValueError:
        raise Unreadable("its GEO is not a latitude and a longitude, such as 52.52;13.405") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Unreadable("its GEO is not between -90 and 90 degrees of latitude and -180 and 180 of longitude")
    return lat, lon


def parse_duration(prop: Property) -> timedelta:
    """Parse a DURATION (RFC 5545 §3.3.6), which may be negative. Raises `Unreadable`."""
    try:
        duration: timedelta = vDuration.from_ical(prop.value.strip().upper())
    except (ValueError, InvalidCalendar):
        raise Unreadable(f"its {prop.name} is not a duration, such as PT1H30M") from None
    return duration


def parse_length(prop: Property) -> ICalDuration:
    """Parse the DURATION of an event, which is not negative. Raises `Unreadable`."""
    text = prop.value.strip().upper()
    days, _, time = text.partition("T")
    if days.startswith("-") and parse_duration(prop):
        raise Unreadable(f"its {prop.name} is negative")
    nominal = parse_duration(prop._replace(value=days.lstrip("-")))
    exact = parse_duration(prop._replace(value=f"PT{time}")) if time else timedelta(0)
    return ICalDuration(nominal, exact)


def parse_time(prop: Property) -> ICalTime:
    """Parse the one DATE or DATE-TIME of a property such as DTSTART. Raises `Unreadable`."""
    times = parse_times(prop)
    if len(times) != 1:
        raise Unreadable(f"its {prop.name} is not exactly one date or time")
    return times[0]


def parse_times(prop: Property) -> list[ICalTime]:
    """Parse the DATEs and DATE-TIMEs of a property such as EXDATE (RFC 5545 §3.3.4, §3.3.5). Raises `Unreadable`."""
    tzid, value = prop.parameters.get("TZID"), prop.value
    if tzid is not None and ":" in value:
        # A TZID with a colon must be in quotes (§3.2), such as tzone://Microsoft/Custom, but is not always.
        rest, _, value = value.rpartition(":")
        tzid = f"{tzid}:{rest}"
    return [_parse_time(prop.name, part.strip(), tzid) for part in value.split(",") if part.strip()]


def parse_times_or_periods(prop: Property) -> list[ICalTime | ICalPeriod]:
    """Parse the DATEs, DATE-TIMEs and PERIODs of an RDATE (RFC 5545 §3.8.5.2). Raises `Unreadable`."""
    found: list[ICalTime | ICalPeriod] = []
    for part in prop.value.split(","):
        value = prop._replace(value=part.strip())
        if "/" in part:
            found.append(_parse_period(value))
        else:
            found += parse_times(value)
    return found


def _parse_period(prop: Property) -> ICalPeriod:
    start, _, end = (part.strip() for part in prop.value.partition("/"))
    first = parse_time(prop._replace(value=start))
    if end[:1].upper() in ("P", "+", "-"):
        return ICalPeriod(first, None, parse_length(prop._replace(value=end)))
    return ICalPeriod(first, parse_time(prop._replace(value=end)), None)


def _parse_time(name: str, text: str, tzid: str | None) -> ICalTime:
    try:
        if len(text) == len("20260501"):
            return ICalTime(vDate.from_ical(text), None)
        if len(text) not in (len("20260501T180000"), len("20260501T180000Z")) or not text.isascii():
            raise ValueError
        # Python has no leap seconds, so second 60 is read as second 59 (RFC 5545 §3.3.12).
        found: datetime = vDatetime.from_ical(_LEAP_SECOND.sub(r"\g<1>59\g<2>", text.upper()))
    except (ValueError, InvalidCalendar):
        raise Unreadable(f"its {name} is not a date or time") from None
    if found.tzinfo is not None:
        return ICalTime(found.astimezone(UTC).replace(tzinfo=None), "UTC")
    return ICalTime(found, tzid)

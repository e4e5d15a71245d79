"""What one VEVENT says (RFC 5545 §3.6.1), in our fields as far as they reach; the rest is kept as it was written."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from planner.domain.ics.alarms import format_valarms, parse_reminder_minutes
from planner.domain.ics.content import escape_text, sanitize_line
from planner.domain.ics.reading.components import Component, parse_line_name
from planner.domain.ics.reading.properties import (
    ICalTime,
    Property,
    Unreadable,
    parse_duration,
    parse_geo,
    parse_integer,
    parse_property,
    parse_text,
    parse_text_list,
    parse_time,
    parse_times,
)
from planner.domain.recurrence.series import MAX_DATES
from planner.domain.urls import is_web_address

UNTITLED = "(no title)"
# The limits of the API's own fields: what is longer goes in shortened.
MAX_TITLE = 200
MAX_DESCRIPTION = 20_000
MAX_LOCATION = 300
MAX_URL = 2_000
MAX_TAGS = 20
MAX_TAG = 32
MAX_REMINDERS = 10
MAX_SEQUENCE = 2**31 - 1
# As much as is kept of what has no field, in characters: it is read with the event each time.
MAX_OTHER_CHARACTERS = 65_536

_STATUSES = frozenset({"CONFIRMED", "TENTATIVE", "CANCELLED"})
# About the writing of an entry, not about the event.
_PASSING = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})


class ParsedVEvent(NamedTuple):
    """One VEVENT. `fields` are those of the API by their names, and `ics`, what has no field."""

    uid: str
    sequence: int
    id: ICalTime | None
    start: ICalTime
    end: ICalTime | None
    length: tuple[timedelta, timedelta] | None
    rrule: str | None
    rdates: list[ICalTime]
    exdates: list[ICalTime]
    fields: dict[str, Any]


def parse_vevent(block: Component, uid: str) -> ParsedVEvent:
    """What a VEVENT says; raises `Unreadable` with the reason why it cannot be imported."""
    if block.trouble:
        raise Unreadable(block.trouble)
    reader = _Reader()
    for line in block.lines:
        reader.take(line)
    return reader.result(uid, block.blocks)


class _Reader:
    """Takes in one line after the other."""

    def __init__(self) -> None:
        self.once: dict[str, Property] = {}
        self.rdates: list[ICalTime] = []
        self.exdates: list[ICalTime] = []
        self.categories: list[str] = []
        self.image: str | None = None
        self.kept: list[str] = []

    def take(self, line: str) -> None:
        name = parse_line_name(line)
        if name in _PASSING:
            return
        if name not in _TAKEN:
            self.kept.append(line)
            return
        found = parse_property(line)
        match name:
            case "RDATE":
                self._add(self.rdates, found)
            case "EXDATE":
                self._add(self.exdates, found)
            case "EXRULE":
                raise Unreadable("it has an EXRULE, which the standard has withdrawn; its days can be told by EXDATE")
            case "CATEGORIES":
                self.categories += parse_text_list(found)
            case "IMAGE" if self.image is None and _is_image(found):
                self.image = found.value
            case "IMAGE":
                self.kept.append(line)
            case "RRULE" if name in self.once:
                raise Unreadable("it has more than one RRULE")
            case "GEO" | "URL" if not _is_ours(found):
                # An empty one says nothing.
                self.kept += [line] if found.value.strip(" ;") else []
            case _:
                self.once.setdefault(found.name, found)

    def _add(self, dates: list[ICalTime], found: Property) -> None:
        # Counted before they are read: a line may hold very many.
        if len(dates) + found.value.count(",") >= MAX_DATES:
            raise Unreadable(f"it has more than {MAX_DATES} dates in {found.name}")
        dates += parse_times(found)

    def result(self, uid: str, blocks: list[Component]) -> ParsedVEvent:
        once = self.once
        if "DTSTART" not in once:
            raise Unreadable("it has no DTSTART, so it is not known when it begins")
        if "RECURRENCE-ID" in once and once["RECURRENCE-ID"].parameters.get("RANGE", "").upper() == "THISANDFUTURE":
            raise Unreadable("it changes an occurrence and all that follow (THISANDFUTURE), which is not supported")
        return ParsedVEvent(
            uid=uid,
            sequence=min(max(parse_integer(once["SEQUENCE"]), 0), MAX_SEQUENCE) if "SEQUENCE" in once else 0,
            id=parse_time(once["RECURRENCE-ID"]) if "RECURRENCE-ID" in once else None,
            start=parse_time(once["DTSTART"]),
            end=parse_time(once["DTEND"]) if "DTEND" in once else None,
            length=_length(once["DURATION"]) if "DURATION" in once else None,
            rrule=once["RRULE"].value.replace(" ", "") if "RRULE" in once else None,
            rdates=self.rdates,
            exdates=self.exdates,
            fields=self._fields(blocks),
        )

    def _fields(self, blocks: list[Component]) -> dict[str, Any]:
        tags = self._tags()
        status = self.once["STATUS"].value.strip().upper() if "STATUS" in self.once else ""
        fields: dict[str, Any] = {
            "title": self._text("SUMMARY", MAX_TITLE) or UNTITLED,
            "description": self._text("DESCRIPTION", MAX_DESCRIPTION),
            "location": self._text("LOCATION", MAX_LOCATION),
            "image": self.image,
            "tags": tags,
            "geo": None,
            "url": self.once["URL"].value if "URL" in self.once else None,
            "status": status.lower() if status in _STATUSES else "confirmed",
        }
        if "GEO" in self.once:
            lat, lon = parse_geo(self.once["GEO"])
            fields["geo"] = {"lat": lat, "lon": lon}
        alarms = [[sanitize_line(line) for line in block.verbatim()] for block in blocks]
        found = {minutes for alarm in alarms if (minutes := parse_reminder_minutes(alarm)) is not None}
        reminders = fields["reminders"] = sorted(found)[:MAX_REMINDERS]
        # Those that we would write ourselves need not be kept.
        ours = [sorted(format_valarms(fields["title"], [minutes], [])) for minutes in reminders]
        ics = _kept(self.kept, [alarm for alarm in alarms if sorted(alarm) not in ours])
        fields["ics"] = ics if ics["lines"] or ics["alarms"] else None
        return fields

    def _text(self, name: str, most: int) -> str | None:
        """The text of a property, shortened to what its field may hold; the whole of it is then kept besides."""
        if name not in self.once:
            return None
        property_ = self.once[name]
        whole = parse_text(property_)
        if not whole.strip():
            return None
        if len(whole) <= most:
            return whole
        self.kept.append(f"X-PLANNER-{name}{property_.line[len(name) :]}")
        return f"{whole[: most - 1].rstrip()}…"

    def _tags(self) -> list[str]:
        """The categories that can be tags; the others are kept as they are."""
        tags: dict[str, None] = {}
        others: dict[str, None] = {}
        for category in self.categories:
            tag = category.strip().casefold()
            if tag and tag not in tags:
                fits = len(tag) <= MAX_TAG and len(tags) < MAX_TAGS
                (tags if fits else others)[tag if fits else category] = None
        if others:
            self.kept.append("CATEGORIES:" + ",".join(map(escape_text, others)))
        return list(tags)


_TAKEN = frozenset(
    {"UID", "SEQUENCE", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "URL", "IMAGE", "CATEGORIES"}
    | {"STATUS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"}
)


def _is_image(found: Property) -> bool:
    return found.value.startswith("https://") and len(found.value) <= MAX_URL and is_web_address(found.value)


def _is_ours(found: Property) -> bool:
    """Whether a GEO or URL is what our field of that name may hold."""
    if found.name == "URL":
        return len(found.value) <= MAX_URL and is_web_address(found.value)
    try:
        parse_geo(found)
    except Unreadable:
        return False
    return True


def _length(found: Property) -> tuple[timedelta, timedelta]:
    """A DURATION as its days, which clocks may make shorter or longer (§3.3.6), and its exact time."""
    days, _, time = found.value.strip().upper().partition("T")
    if days.startswith("-"):
        raise Unreadable("its DURATION is negative")
    nominal = parse_duration(found._replace(value=days))
    return nominal, parse_duration(found._replace(value=f"PT{time}")) if time else timedelta(0)


def _kept(lines: Iterable[str], alarms: Iterable[list[str]]) -> dict[str, Any]:
    """What has no field, as it was written; what would be too much of it is left out, an inline attachment say."""
    left = MAX_OTHER_CHARACTERS
    kept: dict[str, list[Any]] = {"lines": [], "alarms": []}
    for line in map(sanitize_line, lines):
        if len(line) <= left:
            kept["lines"].append(line)
            left -= len(line) + 2
    for alarm in alarms:
        size = sum(len(line) + 2 for line in alarm)
        if size <= left:
            kept["alarms"].append(alarm)
            left -= size
    return kept

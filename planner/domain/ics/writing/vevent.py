"""One stored event as VEVENTs (RFC 5545 §3.6.1), with a further one for each occurrence that differs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from planner.domain.ics.alarms import format_valarms
from planner.domain.ics.content import encode_lines, escape_text, sanitize_line
from planner.domain.ics.writing.vtimezone import format_tzid
from planner.domain.recurrence.documents import series_from_document
from planner.domain.recurrence.series import Override, Series, add_days_clamped
from planner.domain.zones import add_clamped, list_zone_names, to_local, to_utc

# They may stand in a VEVENT only once; what was imported gives way to what we say.
_ONCE = frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "URL", "STATUS", "SEQUENCE", "CREATED", "LAST-MODIFIED"}
)
_ZONE_NAMED = re.compile(r'[^:"]*;TZID="?([^;:"]+)', re.IGNORECASE)


# An event of many occurrences that differ is written in parts of about this many octets.
PART_OCTETS = 1 << 17


class RenderedVEvents(NamedTuple):
    """VEVENTs of one event, and the zones whose rules have to stand before them."""

    text: bytes
    zones: tuple[str, ...]


def render_vevents(stored: Mapping[str, Any], uid: str) -> RenderedVEvents | None:
    """The VEVENTs of a stored event; None for one without a date, which iCalendar cannot say."""
    found = list(render_vevents_in_parts(stored, uid))
    return RenderedVEvents(b"".join([part.text for part in found]), found[-1].zones) if found else None


def render_vevents_in_parts(stored: Mapping[str, Any], uid: str) -> Iterator[RenderedVEvents]:
    """The same in parts, none of them much larger than `PART_OCTETS`; none at all for an event without a date.

    Every entry says again what the whole event says, so a stored event of half a megabyte may
    become a hundred of them.
    """
    if stored.get("start") is None:
        return
    own = _Writer(stored, uid)
    entries = own.repeating() if stored.get("repeats") else own.single()
    text = b""
    for lines in entries:
        text += encode_lines(lines)
        if len(text) >= PART_OCTETS:
            yield RenderedVEvents(text, tuple(own.zones))
            text = b""
    if text:
        yield RenderedVEvents(text, tuple(own.zones))


class _Writer:
    """Writes the lines of one event, and notes the zones they name."""

    def __init__(self, stored: Mapping[str, Any], uid: str) -> None:
        self._stored = stored
        self._zone: str = stored.get("time_zone") or "UTC"
        # A dict, for its order.
        self.zones: dict[str, None] = {}
        created, updated = _utc(stored["created_at"]), _utc(stored["updated_at"])
        self._head = [
            "BEGIN:VEVENT",
            f"UID:{escape_text(uid)}",
            f"DTSTAMP:{updated}",
            f"CREATED:{created}",
            f"LAST-MODIFIED:{updated}",
            f"SEQUENCE:{stored.get('sequence', 0) + stored['revision'] - 1}",
        ]

    def single(self) -> Iterator[list[str]]:
        """The lines of an event that takes place once."""
        times = [self._kept("DTSTART", self._stored["start"])]
        if (end := self._stored.get("end")) is not None:
            times.append(self._kept("DTEND", end))
        yield [*self._head, *times, *self._told(self._stored), "END:VEVENT"]

    def repeating(self) -> Iterator[list[str]]:
        """The lines of an event that repeats, then those of each occurrence that differs."""
        series = series_from_document(self._stored)
        gone, extra = set(series.exdates), set(series.rdates)
        changed: list[tuple[date, Override]] = []
        for id, override in sorted(series.overrides.items()):
            if id in series.exdates:
                continue
            if not override.excluded:
                # One that adds an occurrence of its own is known to others by an RDATE.
                extra |= set() if series.generates(id) else {id}
                changed.append((id, override))
            elif series.generates(id):
                gone.add(id)
        times = list(self._times(series, series.start, series.duration))
        if series.rrule is not None:
            times.append(f"RRULE:{series.rrule}")
        times += [*self._dates("RDATE", extra), *self._dates("EXDATE", gone)]
        yield [*self._head, *times, *self._told(self._stored), "END:VEVENT"]
        for id, override in changed:
            start = id if override.start is None else override.start
            duration = series.duration if override.duration is None else override.duration
            times = [self._local("RECURRENCE-ID", id), *self._times(series, start, duration)]
            yield [*self._head, *times, *self._told({**self._stored, **override.fields}), "END:VEVENT"]

    def _times(self, series: Series, start: date, duration: timedelta | None) -> Iterator[str]:
        yield self._local("DTSTART", start)
        # An end has to be later than the start; without one, nothing is said of a length.
        if not duration:
            return
        if not isinstance(start, datetime):
            yield self._local("DTEND", add_days_clamped(start, duration))
            return
        ends = add_clamped(to_utc(start, series.time_zone), duration)
        local = to_local(ends, series.time_zone)
        # The same exact time later (§3.8.5.3). The second of two equal local times is told in UTC.
        yield self._local("DTEND", local) if to_utc(local, series.time_zone) == ends else f"DTEND:{_utc(ends)}"

    def _kept(self, name: str, kept: str) -> str:
        """A start or end as it is kept."""
        if len(kept) > len("2026-05-01T18:00:00"):
            # The second of two equal local times: beside a TZID it would mean the first (§3.3.5).
            return f"{name}:{_utc(datetime.fromisoformat(kept))}"
        return f"{name}{self._kind(len(kept) == 10)}{_compact(kept)}{self._suffix(len(kept) == 10)}"

    def _local(self, name: str, value: date) -> str:
        return self._kept(name, value.isoformat())

    def _dates(self, name: str, values: Iterable[date]) -> list[str]:
        values = sorted(values)
        if not values:
            return []
        dated = not isinstance(values[0], datetime)
        suffix = self._suffix(dated)
        return [name + self._kind(dated) + ",".join([_compact(value.isoformat()) + suffix for value in values])]

    def _kind(self, dated: bool) -> str:
        """What stands between the name of a property and a date or local time."""
        if dated:
            return ";VALUE=DATE:"
        if self._zone == "UTC":
            return ":"
        self.zones[self._zone] = None
        return f"{format_tzid(self._zone)}:"

    def _suffix(self, dated: bool) -> str:
        return "Z" if not dated and self._zone == "UTC" else ""

    def _told(self, fields: Mapping[str, Any]) -> list[str]:
        """Everything that an event or an occurrence says besides its times."""
        get = fields.get
        lines = [f"SUMMARY:{escape_text(fields['title'])}"]
        for name, value in (("DESCRIPTION", get("description")), ("LOCATION", get("location"))):
            if value:
                lines.append(f"{name}:{escape_text(value)}")
        if (geo := get("geo")) is not None:
            lines.append(f"GEO:{_degrees(geo['lat'])};{_degrees(geo['lon'])}")
        if url := get("url"):
            lines.append(f"URL:{url}")
        if image := get("image"):
            lines.append(f"IMAGE;VALUE=URI:{image}")
        if tags := get("tags"):
            lines.append("CATEGORIES:" + ",".join([escape_text(tag) for tag in tags]))
        lines.append(f"STATUS:{fields['status'].upper()}")
        ics = get("ics") or {}
        if besides := ics.get("lines"):
            lines += self._imported(lines, besides)
        reminders, alarms = get("reminders") or (), ics.get("alarms", ())
        return lines + format_valarms(fields["title"], reminders, alarms) if reminders or alarms else lines

    def _imported(self, ours: list[str], lines: Iterable[str]) -> list[str]:
        """The lines that another program has written, but none that would say again what we do."""
        said = {re.split("[:;]", line, maxsplit=1)[0] for line in ours} & _ONCE
        found = []
        for line in map(sanitize_line, lines):
            if re.split("[:;]", line, maxsplit=1)[0].upper() in said:
                continue
            found.append(line)
            named = _ZONE_NAMED.match(line)
            if named and named[1] in list_zone_names():
                self.zones[named[1]] = None
        return found


def _utc(moment: datetime) -> str:
    return f"{_compact(moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat())}Z"


def _compact(iso: str) -> str:
    return iso.replace("-", "").replace(":", "")


def _degrees(value: float) -> str:
    """Degrees to the last digit, and never as 1e-05, which the standard cannot read."""
    return format(Decimal(repr(value)), "f")

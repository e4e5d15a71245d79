"""The VCALENDAR that contains the events of a file (RFC 5545 §3.4), with RFC 7986 properties for subscribers."""

from collections.abc import Iterable

from planner.domain.ics.content import encode_lines, escape_text
from planner.domain.ics.writing.vevent import RenderedVEvents
from planner.domain.ics.writing.vtimezone import render_vtimezone

PRODUCT_ID = "-//Planner//Event planner//EN"
# How often a subscriber should read the file again (RFC 7986 §5.7).
REFRESH_INTERVAL = "PT1H"

VCALENDAR_END = b"END:VCALENDAR\r\n"


def render_vcalendar_start(name: str | None = None) -> bytes:
    """Return what is before all events. A file for subscribers has a `name`, under which they display it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT_ID}", "CALSCALE:GREGORIAN"]
    if name is not None:
        # Many programs know only the X- properties, which are older than those of RFC 7986.
        lines += [f"NAME:{escape_text(name)}", f"X-WR-CALNAME:{escape_text(name)}"]
        lines += [f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH_INTERVAL}", f"X-PUBLISHED-TTL:{REFRESH_INTERVAL}"]
    return encode_lines(lines)


class VCalendarBody:
    """The events of a file in parts, with the VTIMEZONE of each zone before the first event that uses it."""

    def __init__(self) -> None:
        self._time_zones: set[str] = set()
        self._is_empty = True

    def render(self, events: Iterable[RenderedVEvents]) -> bytes:
        """Return the next part of the body, with these events."""
        parts: list[bytes] = []
        for rendered in events:
            self._is_empty = False
            for time_zone in rendered.time_zones:
                if time_zone not in self._time_zones:
                    self._time_zones.add(time_zone)
                    parts.append(render_vtimezone(time_zone))
            parts.append(rendered.content)
        return b"".join(parts)

    def render_end(self) -> bytes:
        """Return what is after the last event."""
        # A VCALENDAR must have at least one component (RFC 5545 §3.6), so one without events has a VTIMEZONE.
        return render_vtimezone("UTC") + VCALENDAR_END if self._is_empty else VCALENDAR_END

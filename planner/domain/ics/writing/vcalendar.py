"""What stands around the events of an iCalendar file: RFC 5545 §3.4, and what RFC 7986 adds for subscribers."""

from collections.abc import Iterable

from planner.domain.ics.content import encode_lines, escape_text
from planner.domain.ics.writing.vevent import RenderedVEvents
from planner.domain.ics.writing.vtimezone import render_vtimezone

PRODUCT_ID = "-//Planner//Event planner//EN"
# How often a subscriber is asked to look again (RFC 7986 §5.7).
REFRESH_INTERVAL = "PT1H"

VCALENDAR_END = b"END:VCALENDAR\r\n"


def render_vcalendar_start(name: str | None = None) -> bytes:
    """What comes before all events; with the name under which a subscriber shows them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT_ID}", "CALSCALE:GREGORIAN"]
    if name is not None:
        # Many programs know only the older names, which began as extensions.
        lines += [f"NAME:{escape_text(name)}", f"X-WR-CALNAME:{escape_text(name)}"]
        lines += [f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH_INTERVAL}", f"X-PUBLISHED-TTL:{REFRESH_INTERVAL}"]
    return encode_lines(lines)


class VCalendarBody:
    """Puts events one behind the other, and the rules of each zone before the first that names it."""

    def __init__(self) -> None:
        self._zones: set[str] = set()
        self._empty = True

    def add(self, events: Iterable[RenderedVEvents]) -> bytes:
        """The next events."""
        parts: list[bytes] = []
        for rendered in events:
            self._empty = False
            for zone in rendered.zones:
                if zone not in self._zones:
                    self._zones.add(zone)
                    parts.append(render_vtimezone(zone))
            parts.append(rendered.text)
        return b"".join(parts)

    def end(self) -> bytes:
        """What comes after the last event. The standard wants one component at least: UTC does no harm."""
        return render_vtimezone("UTC") + VCALENDAR_END if self._empty else VCALENDAR_END

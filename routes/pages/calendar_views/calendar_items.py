"""Occurrences as the calendar shows them: on which days, and at which local times of the reader's zone."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from planner.domain.zones import to_local
from routes.pages.calendar_views.periods import DAY

_MIDNIGHT = time()
# What lasts so long is shown above the hours of its days, as what takes whole days is.
_LONG = timedelta(days=1)


class CalendarItem(NamedTuple):
    """An occurrence as it is shown. `start` and `end` are local times, the midnights of its days if it is `all_day`.

    `first` and `last` are the days on which it is; `address` is that of its page. Its `revision` is None if the
    reader may not change it.
    """

    title: str
    status: str
    color: str | None
    location: str | None
    address: str
    revision: int | None
    all_day: bool
    start: datetime
    end: datetime
    first: date
    last: date

    @property
    def is_long(self) -> bool:
        """Whether it stands above the hours."""
        return self.all_day or self.end - self.start >= _LONG

    @property
    def starts_at(self) -> str:
        """Its first minute, such as `18:00`."""
        return self.start.isoformat(timespec="minutes")[11:]

    @property
    def ends_at(self) -> str:
        """The minute at which it ends, such as `20:00`."""
        return self.end.isoformat(timespec="minutes")[11:]

    @property
    def order(self) -> tuple[bool, datetime, datetime, str]:
        """Its position on a day: what takes whole days comes first, then what begins earlier."""
        return (not self.is_long, self.start, self.end, self.title)


def build_item(body: Mapping[str, Any], time_zone: str, reader: str) -> CalendarItem:
    """Return an occurrence as it is sent as it is shown to an account, in its time zone."""
    all_day, sent_start, sent_end = body["all_day"], body["start"], body["end"]
    start = _parse(sent_start, time_zone, body["time_zone"])
    end = start + DAY if all_day else start
    if sent_end is not None:
        end = _parse(sent_end, time_zone, body["end_time_zone"] or body["time_zone"])
    # Clocks that are set back can put an end before its start.
    end = max(start, end)
    last = end.date() if end.time() != _MIDNIGHT or end == start else end.date() - DAY
    address = f"/events/{body['id']}"
    if (recurrence_id := body["recurrence_id"]) is not None:
        address += f"?occurrence={recurrence_id}"
    return CalendarItem(
        body["title"],
        body["status"],
        body["color"],
        body["location"],
        address,
        body["revision"] if body["creator"] == reader else None,
        all_day,
        start,
        end,
        start.date(),
        last,
    )


def _parse(sent: str, time_zone: str, sent_zone: str | None) -> datetime:
    """Return a date that was sent as its midnight, and a time, which is in a zone of its own, as it is in another one.

    To find the local time of a zone takes longer than everything else here, and most events are in the reader's zone.
    """
    moment = datetime.fromisoformat(sent)
    if sent_zone == time_zone and not sent.endswith("Z"):
        return moment.replace(tzinfo=None)
    return moment if moment.tzinfo is None else to_local(moment, time_zone)

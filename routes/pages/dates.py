"""Dates and times as English writes them; another language is another module like this one."""

from datetime import date, datetime, time

from planner.domain.zones import to_local

# fmt: off
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def write_date(day: date) -> str:
    """Return a date, such as `1 December 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def write_day(day: date) -> str:
    """Return a date with its weekday, such as `Tuesday, 1 December 2026`."""
    return f"{WEEKDAYS[day.weekday()]}, {write_date(day)}"


def write_time(moment: time) -> str:
    """Return a time of day, such as `18:00`; with seconds if it has some."""
    return moment.isoformat("seconds" if moment.second else "minutes")


def write_days(first: date, last: date) -> str:
    """Return a day, or the days from the first to the last."""
    return write_day(first) if last <= first else f"{write_day(first)} – {write_day(last)}"


def write_moments(start: datetime, end: datetime | None) -> str:
    """Return the time from a local time to another one; the day is said again only if it is another one."""
    text = f"{write_day(start)}, {write_time(start.time())}"
    if end is None:
        return text
    if end.date() == start.date():
        return f"{text} – {write_time(end.time())}"
    return f"{text} – {write_day(end)}, {write_time(end.time())}"


def write_instant(instant: str, time_zone: str) -> str:
    """Return a time that was sent (RFC 3339) as the local time of a time zone, to the minute."""
    return write_moments(to_local(datetime.fromisoformat(instant), time_zone).replace(second=0), None)


def parse_local(sent: str, time_zone: str) -> date:
    """Return a date or time that was sent (a date, or RFC 3339) as a date, or the local time in a time zone."""
    return (
        date.fromisoformat(sent)
        if len(sent) == len("2026-12-01")
        else to_local(datetime.fromisoformat(sent), time_zone)
    )


def to_local_text(sent: str, time_zone: str) -> str:
    """Return a date or time that was sent as the value of a field: a date, or a local time without its offset."""
    local = parse_local(sent, time_zone)
    if not isinstance(local, datetime):
        return local.isoformat()
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def join_words(words: list[str], last: str = "and") -> str:
    """Return an enumeration, such as `Monday, Tuesday and Friday`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def write_month(day: date) -> str:
    """Return the month of a day, such as `December 2026`."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def write_days_between(first: date, last: date) -> str:
    """Return the days from the first to the last without what both have in common, such as `7 – 13 December 2026`."""
    if first.year != last.year:
        return f"{write_date(first)} – {write_date(last)}"
    if first.month != last.month:
        return f"{first.day} {MONTHS[first.month - 1]} – {write_date(last)}"
    return f"{first.day} – {write_date(last)}"

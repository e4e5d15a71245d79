"""Entries of files as values, generated at random, and what a program might write for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.domain.ics.samples import zone
from tests.domain.oracle import compute_instant

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# How far after its start an entry is looked at.
REACH = 100 * DAY


@dataclass(frozen=True)
class Zone:
    """A zone as a file names it: its IANA name, and its TZID; None for floating times and for UTC."""

    iana: str
    tzid: str | None

    def to_utc(self, local: datetime) -> datetime:
        return compute_instant(local, self.iana)


@dataclass(frozen=True)
class Length:
    """The length of an entry: the property that it is written as, its days by the clock, and its exact time.

    A DTEND is written at the end of the first occurrence, and is exact for all.
    """

    property: str
    days: int = 0
    exact: timedelta = timedelta(0)


@dataclass(frozen=True)
class Instance:
    """An occurrence with an entry of its own; `is_following` if it is about all that follow as well.

    It lasts so many hours, or days if its start is a date. It may be of another kind than its event.
    """

    id: date
    start: date
    hours: int
    title: str
    is_following: bool = False


@dataclass(frozen=True)
class Entry:
    """All VEVENTs with one UID. `start` and all other times are local in the zone, or dates."""

    uid: str
    title: str
    zone: Zone
    start: date
    length: Length | None
    rrules: tuple[str, ...] = ()
    exrules: tuple[str, ...] = ()
    rdates: tuple[date, ...] = ()
    exdates: tuple[date, ...] = ()
    periods: dict[date, int] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    noise: tuple[str, ...] = ()

    @property
    def is_all_day(self) -> bool:
        return not isinstance(self.start, datetime)


BERLIN = Zone("Europe/Berlin", "Europe/Berlin")
ZONES = [
    BERLIN,
    Zone("America/New_York", "America/New_York"),
    Zone("Australia/Lord_Howe", "/mozilla.org/20050126_1/Australia/Lord_Howe"),
    Zone("Europe/Berlin", "W. Europe Standard Time"),
    Zone("Europe/Berlin", "Our own zone"),
    Zone("UTC", "UTC"),
    # Floating times are those of X-WR-TIMEZONE.
    Zone("America/New_York", None),
]
HEAD = "X-WR-TIMEZONE:America/New_York\r\n" + zone("Our own zone", "+0200", "+0100")

# Lines that say nothing, cannot be read, or say what no field has. None of them costs the event.
NOISE = [
    *("a line that somebody has broken", "X-FOO : bar", "", "GEO:", "GEO:north", "PRIORITY:", "PRIORITY:high", "URL:"),
    *("URL:about:blank", "SEQUENCE:", "SEQUENCE:1718888888", "SEQUENCE:many", "CLASS:PRIVATE", "STATUS:MAYBE"),
    *('TRANSP;X-NOTE="a:b":TRANSPARENT', 'ATTENDEE;CN="Größe; :":mailto:ann@example.org', "CATEGORIES:Straße,STRASSE"),
    *("BEGIN:VALARM\r\nTRIGGER:-PT10M\r\nACTION:DISPLAY\r\nbroken\r\nEND:VALARM", "X-A;B=c;B=d:e", "COMMENT:\\,\\;\\n"),
    *("BEGIN:VALARM\r\nTRIGGER;RELATED=END:PT1H\r\nACTION:AUDIO\r\nEND:VALARM", "EXDATE:", "RDATE:tomorrow", "COLOR:"),
    *("DESCRIPTION:会議 🎂 " + "é" * 90, "X-ALT-DESC;FMTTYPE=text/html:<p>", "LOCATION;ALTREP=\"cid:a\":Town"),
]  # fmt: skip

noise = st.lists(st.sampled_from(NOISE), max_size=4, unique=True).map(tuple)
# Days around which clocks change, and one around which none do.
DAYS = [date(2024, 3, 8), date(2024, 3, 29), date(2024, 4, 5), date(2024, 10, 4), date(2024, 10, 25), date(2024, 7, 1)]
days = st.builds(lambda day, more: day + more * DAY, st.sampled_from(DAYS), st.integers(0, 4))
times = st.builds(
    lambda day, hour, minute: datetime(day.year, day.month, day.day, hour, minute),
    days,
    st.sampled_from([0, 1, 2, 2, 3, 9, 12, 23]),
    st.sampled_from([0, 30]),
)
RULES = [
    *("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU", "FREQ=MONTHLY"),
    *("FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=30,31;RSCALE=GREGORIAN;SKIP=FORWARD", "FREQ=YEARLY"),
    *("FREQ=YEARLY;BYMONTHDAY=16", "FREQ=YEARLY;BYWEEKNO=14,44", "FREQ=MONTHLY;SKIP=BACKWARD;RSCALE=GREGORIAN"),
    *("FREQ=WEEKLY;BYDAY=TU,TH;BYSETPOS=-1", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR"),
]
ENDS = ["", "", ";COUNT=1", ";COUNT=5", ";COUNT=12", ";UNTIL=20250101", ";COUNT=4;UNTIL=20250101"]
rules = st.builds(str.__add__, st.sampled_from(RULES), st.sampled_from(ENDS))
lengths = st.sampled_from(
    [
        None,
        Length("DTEND", exact=HOUR),
        Length("DTEND", exact=25 * HOUR),
        Length("DURATION", exact=timedelta(minutes=90)),
        Length("DURATION", exact=24 * HOUR),
        Length("DURATION", days=1),
        Length("DURATION", days=7),
        Length("DURATION", days=1, exact=2 * HOUR),
        # Its end is before its start, so it has none.
        Length("DTEND", exact=-HOUR),
    ]
)
day_lengths = st.sampled_from([None, Length("DTEND", days=1), Length("DTEND", days=3), Length("DURATION", days=2)])


@st.composite
def entries(draw: st.DrawFn, uid: str) -> Entry:
    """Draw an entry that is imported as a whole."""
    all_day = draw(st.integers(1, 4)) == 1
    start: date = draw(days if all_day else times)
    some = st.builds(lambda more: start + more * DAY, st.integers(0, 30))
    rrules = draw(st.lists(rules, max_size=2, unique=True))
    rdates = draw(st.lists(some, max_size=3, unique=True))
    recurs = bool(rrules or rdates)
    return Entry(
        uid,
        draw(st.sampled_from(["Tea", "Größe, 会議; \\ 🎂", "x" * 90])),
        Zone("UTC", None) if all_day else draw(st.sampled_from(ZONES)),
        start,
        draw(day_lengths if all_day else lengths),
        tuple(rrules),
        tuple(draw(st.lists(rules, max_size=1))) if recurs else (),
        tuple(rdates),
        tuple(draw(st.lists(some, max_size=3, unique=True))) if recurs else (),
        draw(st.dictionaries(some, st.integers(1, 30), max_size=2)) if recurs and not all_day else {},
        noise=draw(noise),
    )


def write_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


class Writer:
    """What a program writes for an entry. Some of its times are in UTC, because programs mix both forms."""

    def __init__(self, entry: Entry, in_utc: Iterable[bool]) -> None:
        self._entry = entry
        self._in_utc = iter(in_utc)

    def write(self) -> list[str]:
        """Return the lines of its VEVENTs."""
        entry = self._entry
        lines = ["BEGIN:VEVENT", f"UID:{entry.uid}", "DTSTAMP:20240101T000000Z", f"SUMMARY:{write_text(entry.title)}"]
        lines += [self._write_time("DTSTART", entry.start, must_be_local=True), *self._write_length()]
        lines += [f"RRULE:{rule}" for rule in entry.rrules] + [f"EXRULE:{rule}" for rule in entry.exrules]
        lines += [self._write_time("RDATE", local) for local in entry.rdates]
        lines += [self._write_time("EXDATE", local) for local in entry.exdates]
        for local, hours in entry.periods.items():
            name, _, value = self._write_time("RDATE", local).partition(":")
            lines.append(f"{name};VALUE=PERIOD:{value}/PT{hours}H")
        lines += [*entry.noise, "END:VEVENT"]
        for instance in entry.instances:
            lines += ["BEGIN:VEVENT", f"UID:{entry.uid}", "DTSTAMP:20240101T000000Z"]
            name = f"RECURRENCE-ID{';RANGE=THISANDFUTURE' if instance.is_following else ''}"
            lines += [self._write_time(name, instance.id), self._write_time("DTSTART", instance.start)]
            is_day = not isinstance(instance.start, datetime)
            lines += [f"DURATION:{f'P{instance.hours}D' if is_day else f'PT{instance.hours}H'}"]
            lines += [f"SUMMARY:{instance.title}", "END:VEVENT"]
        return lines

    def _write_time(self, name: str, local: date, *, must_be_local: bool = False) -> str:
        if not isinstance(local, datetime):
            return f"{name};VALUE=DATE:{local:%Y%m%d}"
        zone = self._entry.zone
        instant = zone.to_utc(local)
        # A time that the clocks skip, or that occurs twice, has no other form.
        again = instant.astimezone(ZoneInfo(zone.iana)).replace(tzinfo=None)
        # Only the instance of an all-day entry has a time without a zone of its own.
        if (
            zone.tzid == "UTC"
            or self._entry.is_all_day
            or (not must_be_local and next(self._in_utc) and again == local)
        ):
            return f"{name}:{instant:%Y%m%dT%H%M%SZ}"
        return f"{name}{f';TZID={zone.tzid}' if zone.tzid else ''}:{local:%Y%m%dT%H%M%S}"

    def _write_length(self) -> list[str]:
        entry, length = self._entry, self._entry.length
        if length is None:
            return []
        if length.property == "DURATION":
            seconds = int(length.exact.total_seconds())
            time = f"T{seconds // 3600}H{seconds // 60 % 60}M" if seconds else ""
            return [f"DURATION:P{f'{length.days}D' if length.days else ''}{time}"]
        if not isinstance(entry.start, datetime):
            return [self._write_time("DTEND", entry.start + length.days * DAY)]
        end = entry.zone.to_utc(entry.start) + length.exact
        return [f"DTEND:{end.astimezone(UTC):%Y%m%dT%H%M%SZ}"]

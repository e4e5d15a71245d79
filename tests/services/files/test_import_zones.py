"""Events in the time zones that a file describes take place when the file says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NamedTuple

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from hypothesis import given
from hypothesis import strategies as st

from models.events.event import Event
from planner.domain.ics.reading.entry_times import FloatingZone
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.recurrence.documents import series_from_event
from planner.domain.recurrence.occurrences import list_occurrences
from planner.services.files.import_compare import has_same_export
from planner.services.files.import_drafts import build_draft
from tests.domain.ics.samples import always, event, file, zone

OWN = {"uid": "a", "revision": 1, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
OWN["updated_at"] = OWN["created_at"]


def observance(name: str, start: str, before: str, after: str, *lines: str) -> str:
    head = [f"BEGIN:{name}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
    return "\r\n".join([*head, *lines, f"END:{name}", ""])


def vtimezone(tzid: str, *observances: str) -> str:
    return f"BEGIN:VTIMEZONE\r\nTZID:{tzid}\r\n{''.join(observances)}END:VTIMEZONE\r\n"


def ruled(tzid: str, winter: str, summer: str, spring: str, autumn: str, *, start: int = 1601, hour: int = 2) -> str:
    """Return a VTIMEZONE whose clocks change by a rule for all years."""
    on = f"{start}0101T{hour:02}0000"
    return vtimezone(
        tzid,
        observance("STANDARD", on, summer, winter, f"RRULE:FREQ=YEARLY;{autumn}"),
        observance("DAYLIGHT", on, winter, summer, f"RRULE:FREQ=YEARLY;{spring}"),
    )


US_TODAY = ("BYDAY=2SU;BYMONTH=3", "BYDAY=1SU;BYMONTH=11")
MEXICO = ruled("America/Mexico_City", "-0600", "-0500", "BYDAY=1SU;BYMONTH=4", "BYDAY=-1SU;BYMONTH=10")
CUSTOM_NAME = "Customized Time Zone"
CUSTOM = ruled(CUSTOM_NAME, "-0500", "-0400", *US_TODAY)
MICROSOFT = "tzone://Microsoft/Custom"
NEWFOUNDLAND = always(MICROSOFT, "-0330")
EASTERN = zone("Europe/Berlin", "+0300", "+0200")
EUROPE_TODAY = ("BYDAY=-1SU;BYMONTH=3", "BYDAY=-1SU;BYMONTH=10")
BRITAIN = ruled("GMT", "+0000", "+0100", *EUROPE_TODAY, start=1970)
BERLIN_TODAY = ruled("Europe/Berlin", "+0100", "+0200", *EUROPE_TODAY, start=1996)
BRAZIL = ruled("America/Sao_Paulo", "-0300", "-0200", "BYDAY=3SU;BYMONTH=10", "BYDAY=3SU;BYMONTH=2")
US_BY_WINDOWS = ruled("Eastern Standard Time", "-0500", "-0400", *US_TODAY)
ONE_YEAR = vtimezone(
    "America/New_York",
    observance("DAYLIGHT", "20260308T020000", "-0500", "-0400"),
    observance("STANDARD", "20261101T020000", "-0400", "-0500"),
)
EST = ruled("EST", "-0500", "-0400", *US_TODAY, start=2007)


class Imported(NamedTuple):
    """What an entry of a file becomes: the stored event, its occurrences as instants, and the warnings."""

    event: Event
    starts: list[datetime]
    ends: list[datetime]
    warnings: list[str]

    @property
    def time_zone(self) -> str | None:
        return self.event.time_zone


def read(*parts: str, limit: int = 2_000, floating: FloatingZone = FloatingZone(), head: str = "") -> Imported:  # noqa: B008
    """Import the one entry of a file with these components, and check that its export says the same."""
    (group,) = parse_groups(file(*parts, head=head), floating)
    draft, failures, warnings, _ = build_draft(group)
    assert draft is not None and not failures, failures
    stored = Event.from_stored(draft.content | OWN)
    assert has_same_export(stored, draft.content)
    if stored.repeats:
        window = (datetime(1950, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
        found = list_occurrences(series_from_event(stored), *window, limit).items
        times: list[tuple[Any, Any]] = [(one.start, one.end) for one in found]
    else:
        times = [(stored.begins, stored.ends)]
    starts, ends = [start for start, _ in times], [end for _, end in times]
    return Imported(stored, starts, ends, [warning.reason for warning in warnings])


def utc(*moments: str) -> list[datetime]:
    return [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]


def single(tzid: str, description: str, start: str, *lines: str) -> Imported:
    return read(description, event(*lines, start=f"DTSTART;TZID={tzid}:{start}"))


@pytest.mark.parametrize(
    ("tzid", "description", "start", "instant", "time_zone"),
    [
        ("GMT", BRITAIN, "20260723T102000", "2026-07-23T09:20", "Europe/London"),
        ("GMT", BRITAIN, "20260123T102000", "2026-01-23T10:20", "GMT"),
        ("EST", EST, "20260723T102000", "2026-07-23T14:20", "America/New_York"),
        ("EST", EST, "20260123T102000", "2026-01-23T15:20", "EST"),
        ("Europe/Berlin", EASTERN, "20260701T100000", "2026-07-01T07:00", "Europe/Helsinki"),
        ("Home", CUSTOM.replace(CUSTOM_NAME, "Home"), "20260701T100000", "2026-07-01T14:00", "America/New_York"),
        ("Mine", always("Mine", "+0530"), "20260701T100000", "2026-07-01T04:30", "Asia/Calcutta"),
        ("Mine", always("Mine", "+0300"), "20260701T100000", "2026-07-01T07:00", "Etc/GMT-3"),
    ],
)  # fmt: skip
def test_the_zone_that_agrees_with_the_description_is_taken(
    tzid: str, description: str, start: str, instant: str, time_zone: str
) -> None:
    found = single(tzid, description, start)
    assert found.starts == utc(instant)
    assert found.time_zone in (time_zone, "Asia/Kolkata" if time_zone == "Asia/Calcutta" else None)
    assert found.event.start == datetime.strptime(start, "%Y%m%dT%H%M%S").isoformat()  # noqa: DTZ007
    assert not found.warnings


@pytest.mark.parametrize(
    ("tzid", "description", "start", "instant"),
    [
        ("Europe/Berlin", BERLIN_TODAY, "19900701T100000", "1990-07-01T08:00"),
        ("America/Sao_Paulo", BRAZIL, "20260701T100000", "2026-07-01T13:00"),
        ("Eastern Standard Time", US_BY_WINDOWS, "20050701T100000", "2005-07-01T14:00"),
        ("America/New_York", ONE_YEAR, "20270701T100000", "2027-07-01T14:00"),
    ],
)  # fmt: skip
def test_a_known_name_stays_if_its_description_does_not_contradict_it_at_the_time_of_the_event(
    tzid: str, description: str, start: str, instant: str
) -> None:
    found = single(tzid, description, start)
    assert found.starts == utc(instant)
    assert found.time_zone == {"Eastern Standard Time": "America/New_York"}.get(tzid, tzid)
    assert not found.warnings


RUNS_OUT = vtimezone(
    "Mine",
    observance("DAYLIGHT", "20250330T020000", "+0100", "+0200", "RDATE:20260329T020000"),
    observance("STANDARD", "20251026T030000", "+0200", "+0100", "RDATE:20261025T030000"),
)


@pytest.mark.parametrize(
    ("tzid", "description", "start", "instant"),
    [
        ("America/Mexico_City", MEXICO, "20260701T100000", "2026-07-01T15:00"),
        (CUSTOM_NAME, CUSTOM, "20050320T100000", "2005-03-20T14:00"),
        (MICROSOFT, NEWFOUNDLAND, "20260701T100000", "2026-07-01T13:30"),
        ("Mars", zone("Mars", "+0237", "+0137"), "20260701T100000", "2026-07-01T07:23"),
        ("Mars", always("Mars", "+0101"), "20260701T100000", "2026-07-01T08:59"),
    ],
)  # fmt: skip
def test_a_single_event_in_a_zone_that_is_none_keeps_its_instants_and_a_warning_says_so(
    tzid: str, description: str, start: str, instant: str
) -> None:
    found = single(tzid, description, start, "DURATION:PT90M")
    assert (found.starts, found.ends) == (utc(instant), [utc(instant)[0] + timedelta(minutes=90)])
    (warning,) = found.warnings
    assert tzid in warning


def test_the_clocks_of_listed_onsets_stay_as_the_last_one_left_them() -> None:
    assert single("Mine", RUNS_OUT, "20260701T100000").starts == utc("2026-07-01T08:00")
    assert single("Mine", RUNS_OUT, "20260701T100000").time_zone == "Europe/Berlin"
    assert single("Mine", RUNS_OUT, "20280701T100000").starts == utc("2028-07-01T09:00")
    series = single("Mine", RUNS_OUT, "20260101T100000", "RRULE:FREQ=MONTHLY;COUNT=24")
    hours = [moment.hour for moment in series.starts]
    assert hours == [9, 9, 9, 8, 8, 8, 8, 8, 8, 8, *[9] * 14]


def of_file(tzid: str, description: str) -> Any:
    """Return the clocks of a VTIMEZONE as another library reads them."""
    lines = ["BEGIN:VCALENDAR", *description.strip().split("\r\n"), "END:VCALENDAR"]
    return tzical(StringIO("\n".join(lines))).get(tzid)


def expected(tzid: str, description: str, start: datetime, rrule: str) -> Iterator[datetime]:
    clocks = of_file(tzid, description)
    for local in rrulestr(rrule, dtstart=start):
        yield local.replace(tzinfo=clocks).astimezone(UTC)


@pytest.mark.parametrize(
    ("tzid", "description", "start", "rrule"),
    [
        ("America/Mexico_City", MEXICO, datetime(2026, 1, 5, 10), "FREQ=WEEKLY;COUNT=60"),
        ("America/Mexico_City", MEXICO, datetime(2026, 4, 1, 10), "FREQ=DAILY;COUNT=400"),
        ("America/Mexico_City", MEXICO, datetime(2026, 6, 1, 23), "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=200"),
        (CUSTOM_NAME, CUSTOM, datetime(2005, 1, 5, 10), "FREQ=WEEKLY;COUNT=150"),
        (CUSTOM_NAME, CUSTOM, datetime(2005, 3, 20, 10), "FREQ=DAILY;COUNT=30"),
        ("Mars", zone("Mars", "+0237", "+0137"), datetime(2026, 3, 1, 10), "FREQ=DAILY;COUNT=60"),
        ("GMT", BRITAIN, datetime(2026, 1, 5, 10), "FREQ=WEEKLY;COUNT=100"),
        ("EST", EST, datetime(2026, 1, 5, 10), "FREQ=WEEKLY;COUNT=100"),
        (MICROSOFT, NEWFOUNDLAND, datetime(2026, 1, 5, 10), "FREQ=DAILY;COUNT=400"),
        (MICROSOFT, NEWFOUNDLAND, datetime(2026, 1, 5, 23, 45), "FREQ=WEEKLY;BYDAY=MO;COUNT=9"),
        (MICROSOFT, NEWFOUNDLAND, datetime(2026, 1, 30, 23, 45), "FREQ=MONTHLY;BYDAY=-1FR;COUNT=24"),
        (MICROSOFT, NEWFOUNDLAND, datetime(2026, 1, 31, 23, 45), "FREQ=MONTHLY;COUNT=9"),
    ],
)  # fmt: skip
def test_a_series_takes_place_when_the_clocks_of_the_file_say(
    tzid: str, description: str, start: datetime, rrule: str
) -> None:
    found = single(tzid, description, f"{start:%Y%m%dT%H%M%S}", f"RRULE:{rrule}", "DURATION:PT1H")
    moments = list(expected(tzid, description, start, rrule))
    assert found.starts == moments
    assert found.ends == [moment + timedelta(hours=1) for moment in moments]
    assert bool(found.warnings) == (tzid not in ("GMT", "EST"))


def test_days_of_a_duration_are_days_by_the_clocks_of_the_file() -> None:
    found = single(CUSTOM_NAME, CUSTOM, "20050311T100000", "RRULE:FREQ=DAILY;COUNT=3", "DURATION:P1D")
    assert found.starts == utc("2005-03-11T15:00", "2005-03-12T15:00", "2005-03-13T14:00")
    assert found.ends == utc("2005-03-12T15:00", "2005-03-13T14:00", "2005-03-14T14:00")


def test_an_excluded_occurrence_in_a_zone_that_is_none_does_not_come_back() -> None:
    lines = ("RRULE:FREQ=DAILY;COUNT=3", f"EXDATE;TZID={CUSTOM_NAME}:20050320T100000", "EXDATE:20050321T140000Z")
    assert single(CUSTOM_NAME, CUSTOM, "20050319T100000", *lines).starts == utc("2005-03-19T14:00")


def test_a_series_without_an_end_takes_place_when_the_file_says_for_years() -> None:
    found = single("America/Mexico_City", MEXICO, "20260105T100000", "RRULE:FREQ=WEEKLY")
    until = datetime(2036, 1, 1, tzinfo=UTC)
    moments = list(expected("America/Mexico_City", MEXICO, datetime(2026, 1, 5, 10), "FREQ=WEEKLY;COUNT=530"))
    assert [start for start in found.starts if start < until] == [moment for moment in moments if moment < until]
    (warning,) = found.warnings
    assert "until 2036" in warning


def test_a_series_by_the_rule_of_its_time_stays_in_its_zone() -> None:
    found = single("America/Mexico_City", MEXICO, "20150105T100000", "RRULE:FREQ=WEEKLY")
    assert (found.time_zone, found.warnings) == ("America/Mexico_City", [])


def test_the_exceptions_of_a_series_in_a_zone_that_is_none_are_those_of_its_occurrences() -> None:
    tzid = "Customized Time Zone"
    found = read(
        CUSTOM,
        event(
            "RRULE:FREQ=DAILY;UNTIL=20050324T140000Z",
            f"EXDATE;TZID={tzid}:20050320T100000",
            "EXDATE:20050321T140000Z",
            "EXDATE:20050322T100000",
            f"RDATE;TZID={tzid}:20050401T100000",
            "DURATION:PT1H",
            start=f"DTSTART;TZID={tzid}:20050319T100000",
        ),
        event(
            f"RECURRENCE-ID;TZID={tzid}:20050323T100000", "DURATION:PT2H", start=f"DTSTART;TZID={tzid}:20050323T120000"
        ),
    )
    assert found.starts == utc("2005-03-19T14:00", "2005-03-23T16:00", "2005-03-24T14:00", "2005-04-01T14:00")
    assert found.ends == utc("2005-03-19T15:00", "2005-03-23T18:00", "2005-03-24T15:00", "2005-04-01T15:00")


@given(
    st.sampled_from(["-0600", "+0000", "+0100", "+0330", "-0330", "+1000"]),
    st.sampled_from(["BYDAY=2SU;BYMONTH=3", "BYDAY=-1SU;BYMONTH=3", "BYDAY=1SU;BYMONTH=4", "BYDAY=1SU;BYMONTH=10"]),
    st.sampled_from(["BYDAY=1SU;BYMONTH=11", "BYDAY=-1SU;BYMONTH=9", "BYDAY=-1SU;BYMONTH=1"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=DAILY;INTERVAL=17"]),
    st.integers(1, 60),
)
def test_a_series_in_any_zone_takes_place_when_the_file_says(
    winter: str, spring: str, autumn: str, start: datetime, rule: str, count: int
) -> None:
    summer = f"{int(winter[:3]) + 1:+03}{winter[3:]}" if winter != "-0330" else "-0230"
    description = ruled("Zone", winter, summer, spring, autumn)
    rrule = f"{rule};COUNT={count}"
    start = rrulestr(rule, dtstart=start)[0]
    found = single("Zone", description, f"{start:%Y%m%dT%H%M%S}", f"RRULE:{rrule}")
    clocks = of_file("Zone", description)
    for moment, local in zip(found.starts, rrulestr(rrule, dtstart=start), strict=True):
        # What clock changes skip or repeat is read in more ways than one.
        near = {(local + timedelta(hours=hours)).replace(tzinfo=clocks).utcoffset() for hours in (-3, 3)}
        assert len(near) == 2 or moment == local.replace(tzinfo=clocks).astimezone(UTC)

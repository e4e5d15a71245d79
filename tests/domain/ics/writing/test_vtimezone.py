"""The VTIMEZONEs of zones, read by RFC 5545 §3.6.5 and compared with zoneinfo."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from typing import Any

import icalendar
import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from hypothesis import example, given
from hypothesis import strategies as st

from planner.domain.ics.tzif import YearlyRule, read_zone_history
from planner.domain.ics.writing.vtimezone import MonthDays, find_month_days, render_vtimezone
from planner.domain.zones import list_zone_names, load_zone

ODD = (
    "Europe/Berlin",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Africa/Cairo",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Pacific/Chatham",
    "America/Caracas",
    "Europe/Lisbon",
    "Europe/Moscow",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Monrovia",
    "Asia/Pyongyang",
    "Etc/GMT+12",
    "EST",
    "UTC",
)
NAMES = sorted(list_zone_names())
LAST = datetime(2101, 1, 1)


@cache
def onsets(name: str) -> list[tuple[datetime, timedelta]]:
    """Return the instants of the transitions of a VTIMEZONE, in UTC, and the offsets after them."""
    component: Any = icalendar.Component.from_ical(render_vtimezone(name))
    assert component["TZID"] == name
    found: list[tuple[datetime, timedelta]] = []
    for part in component.subcomponents:
        start, before, after = part["DTSTART"].dt, part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td
        locals_ = [start]
        if "RDATE" in part:
            locals_ += [value.dt for value in part["RDATE"].dts]
        if "RRULE" in part:
            rule = rrulestr(part["RRULE"].to_ical().decode(), dtstart=start)
            locals_ = rule.between(start, LAST, inc=True)
            assert locals_[0] == start, "a DTSTART that does not match its rule is no first onset"
        found += [(local - before, after) for local in locals_]
    return sorted(found)


def offset(name: str, instant: datetime) -> timedelta:
    found = onsets(name)
    return found[bisect_right(found, instant.replace(tzinfo=None), key=lambda onset: onset[0]) - 1][1]


def truth(name: str, instant: datetime) -> timedelta:
    found = instant.astimezone(load_zone(name)).utcoffset()
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_offsets_of_a_zone_are_those_of_zoneinfo_around_each_transition(name: str) -> None:
    moments = [at for at, _ in onsets(name)[1:]]
    moments += [
        datetime(1970, 1, 1) + timedelta(seconds=transition.at) for transition in read_zone_history(name).transitions
    ]
    moments += [datetime(year, month, 1) for year in (1850, 1969, 2025, 2037, 2038, 2099) for month in range(1, 13)]
    for moment in moments:
        if moment >= LAST:
            continue
        for shift in (-1, 0, 1):
            instant = (moment + timedelta(seconds=shift)).replace(tzinfo=UTC)
            assert offset(name, instant) == truth(name, instant), instant


@given(
    st.sampled_from(NAMES) | st.sampled_from(ODD),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC)),
)
@example("Africa/Cairo", datetime(2019, 7, 1, tzinfo=UTC))
@example("Asia/Gaza", datetime(2086, 5, 26, tzinfo=UTC))
def test_the_offset_at_any_instant_is_that_of_zoneinfo(name: str, instant: datetime) -> None:
    assert offset(name, instant) == truth(name, instant)


@pytest.mark.parametrize("name", ODD)
def test_dateutil_reads_the_same_offsets(name: str) -> None:
    # dateutil compares local times, so it is wrong in the hours around a transition. Noon of the 10th is far enough.
    read = tzical(StringIO(render_vtimezone(name).decode())).get(name)
    assert read is not None
    for year in (1975, 1999, 2024, 2026, 2050, 2099):
        for month in range(1, 13):
            local = datetime(year, month, 10, 12)
            near = [at for at, _ in onsets(name) if abs(at - local) < timedelta(days=2)]
            if not near:
                assert read.utcoffset(local) == load_zone(name).utcoffset(local), local


def test_a_vtimezone_has_a_rule_for_later_years() -> None:
    text = render_vtimezone("Europe/Berlin").decode()
    assert "DTSTART:19960331T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\n" in text
    assert "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n" in text


def test_the_summer_time_of_dublin_is_daylight_saving_time() -> None:
    component: Any = icalendar.Component.from_ical(render_vtimezone("Europe/Dublin"))
    ruled = {part.name: part["TZNAME"] for part in component.subcomponents if "RRULE" in part}
    assert ruled == {"DAYLIGHT": "IST", "STANDARD": "GMT"}


def test_a_transition_at_24_oclock_is_on_the_next_day() -> None:
    assert find_month_days(YearlyRule(86400, 10, 5, 4)) == [
        MonthDays(10, (-6, -5, -4, -3, -2, -1), 5),
        MonthDays(11, (1,), 5),
    ]


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("nth", range(1, 6))
@pytest.mark.parametrize("hours", [-25, -24, -1, 0, 2, 24, 26, 50])
def test_the_rrule_has_the_days_of_the_posix_rule(month: int, nth: int, hours: int) -> None:
    rule = YearlyRule(hours * 3600, month, nth, 4)
    found = find_month_days(rule)
    if found is None:
        assert nth == 4 and hours >= 24, "what has no rule is written out"
        return
    first, last = datetime(2001, 1, 1), datetime(2060, 12, 31)
    days = {
        moment
        for piece in found
        for moment in rrulestr(piece.format_rrule(), dtstart=first).between(first, last, inc=True)
    }
    meant = {rule.compute_local(year).replace(hour=0, minute=0) for year in range(2000, 2062)}
    assert days == {moment for moment in meant if first <= moment <= last}
    assert all(any(piece.contains(moment) for piece in found) for moment in meant)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (YearlyRule(7200, day=59), datetime(2028, 3, 1, 2)),
        (YearlyRule(7200, day=59, counts_leap_day=True), datetime(2028, 2, 29, 2)),
        (YearlyRule(-3600, 3, 5, 0), datetime(2028, 3, 25, 23)),
    ],
)
def test_a_day_of_the_year_counts_the_leap_day_or_does_not(rule: YearlyRule, expected: datetime) -> None:
    assert rule.compute_local(2028) == expected

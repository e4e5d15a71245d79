"""Time zones come from the `tzdata` package alone, and local times are converted by RFC 5545 §3.3.5."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.zones import (
    EARLIEST_INSTANT,
    LATEST_INSTANT,
    UnknownZone,
    load_zone,
    measure_duration,
    to_local,
    to_utc,
)

from . import strategies
from .oracle import compute_instant

NOT_ZONES = [
    "",
    " ",
    ".",
    "..",
    "/",
    "Europe",
    "Europe/",
    "/Europe/Berlin",
    "Europe//Berlin",
    "../zoneinfo/Europe/Berlin",
    "Europe/../Europe/Berlin",
    "/etc/localtime",
    "localtime",
    "posixrules",
    "Mars/Olympus_Mons",
    "Europe/Berlin\x00",
    "Europe/Berlin\n",
    " Europe/Berlin",
    "Europe.Berlin",
    "europe/berlin",
    "Europe\\Berlin",
    "CET-1CEST",
    "UTC+2",
    "+02:00",
    "tzdata.zi",
    "zone1970.tab",
    "iso3166.tab",
    "leapseconds",
    "__init__.py",
    "Europe/__init__.py",
    "os/path",
    "\u202eEurope/Berlin",
    "Δ/Ω",
    "x" * 5000,
    "x/" * 500,
    "Berlin",
    "America",
    "../etc/passwd",
    "/etc/passwd",
    "posix/UTC",
    "right/UTC",
    "\0",
    "UTC\n",
    "ü",
    "\ud800",
]


@pytest.mark.parametrize("name", NOT_ZONES)
def test_a_name_that_is_not_in_the_database_is_an_unknown_zone(name: str) -> None:
    with pytest.raises(UnknownZone):
        load_zone(name)


def test_every_zone_of_the_database_can_be_loaded() -> None:
    names = resources.files("tzdata").joinpath("zones").read_text().split()
    assert len(names) > 500
    for name in names:
        assert load_zone(name).utcoffset(datetime(2024, 7, 1)) is not None


def test_the_zones_of_the_machine_are_not_used() -> None:
    assert zoneinfo.TZPATH == ()


def test_the_clock_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert datetime(2024, 7, 1, 12, tzinfo=load_zone("Europe/Berlin")).astimezone(UTC).hour == 10


def test_the_error_for_a_long_name_is_short() -> None:
    with pytest.raises(UnknownZone) as caught:
        load_zone("x" * 10_000)
    assert len(str(caught.value)) < 200


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@given(strategies.locals_, strategies.zones)
def test_a_local_time_is_the_first_instant_at_which_clocks_show_it(local: datetime, name: str) -> None:
    assert to_utc(local, name) == compute_instant(local, name)


@given(st.datetimes(datetime(1972, 1, 1), datetime(2036, 12, 31)), strategies.zones)
def test_an_instant_has_the_local_time_that_clocks_show(moment: datetime, name: str) -> None:
    moment = moment.replace(tzinfo=UTC)
    local = to_local(moment, name)
    assert local.tzinfo is None
    assert local.fold == 0
    # The second occurrence of a local time becomes the first one.
    assert to_utc(local, name) in (
        moment,
        moment - timedelta(hours=1),
        moment - timedelta(minutes=30),
        moment - timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("local", "name", "expected"),
    [
        (datetime(2024, 3, 31, 2, 30), "Europe/Berlin", utc(2024, 3, 31, 1, 30)),
        (datetime(2024, 3, 10, 2, 0), "America/New_York", utc(2024, 3, 10, 7, 0)),
        (datetime(2019, 9, 8, 0, 15), "America/Santiago", utc(2019, 9, 8, 4, 15)),
        (datetime(2019, 10, 6, 2, 15), "Australia/Lord_Howe", utc(2019, 10, 5, 15, 45)),
        (datetime(2011, 12, 30, 10, 0), "Pacific/Apia", utc(2011, 12, 30, 20, 0)),
    ],
)
def test_a_skipped_time_is_read_with_the_offset_from_before_the_change(
    local: datetime, name: str, expected: datetime
) -> None:
    assert to_utc(local, name) == expected


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_occurs_twice_means_the_first(fold: int) -> None:
    assert to_utc(datetime(2024, 10, 27, 2, 30, fold=fold), "Europe/Berlin") == utc(2024, 10, 27, 0, 30)


def test_a_date_begins_at_midnight_in_its_zone() -> None:
    assert to_utc(date(2024, 7, 1), "Asia/Kolkata") == utc(2024, 6, 30, 18, 30)


def test_the_duration_of_a_night_with_a_clock_change_is_exact() -> None:
    evening, morning = datetime(2024, 3, 30, 22), datetime(2024, 3, 31, 6)
    assert measure_duration(evening, morning, "Europe/Berlin") == timedelta(hours=7)
    assert measure_duration(evening.date(), morning.date(), "Europe/Berlin") == timedelta(days=1)


@pytest.mark.parametrize("name", ["Asia/Kolkata", "America/New_York", "UTC"])
def test_the_ends_of_the_calendar_have_an_instant(name: str) -> None:
    assert EARLIEST_INSTANT <= to_utc(datetime.min, name) < to_utc(datetime.max, name) <= LATEST_INSTANT
    assert to_local(EARLIEST_INSTANT, name) < to_local(LATEST_INSTANT, name)


def test_an_instant_outside_the_calendar_is_an_error_if_it_is_not_to_be_clamped() -> None:
    with pytest.raises(OverflowError):
        to_utc(datetime.min, "Asia/Kolkata", clamp=False)
    with pytest.raises(OverflowError):
        to_utc(datetime.max, "America/New_York", clamp=False)
    assert to_utc(date(2024, 7, 1), "Asia/Kolkata", clamp=False) == utc(2024, 6, 30, 18, 30)

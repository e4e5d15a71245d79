"""Time zones come from the package, and their names from the IANA database alone."""

import zoneinfo
from datetime import UTC, datetime
from importlib import resources

import pytest

from planner.domain.zones import UnknownZone, load_zone

NO_ZONES = [
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
]


@pytest.mark.parametrize("name", NO_ZONES)
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

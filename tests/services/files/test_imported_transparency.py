"""Whether an imported event takes time: TRANSP, in all its spellings, is the field `transparency`."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import exported, imported, only
from tests.support.clients import Person, ok

HOUR = "DTEND:20260501T190000Z"
WINDOW = "from=2026-05-01&to=2026-05-10"


async def busy_days(person: Person) -> list[str]:
    found = ok(await person.get(f"/freebusy?{WINDOW}"))
    return [interval["start"][:10] for interval in found["busy"]]


async def listed(person: Person) -> list[Any]:
    return [item["transparency"] for item in ok(await person.get(f"/events/occurrences?{WINDOW}"))["items"]]


@pytest.mark.parametrize(
    ("line", "transparency"),
    [
        ("TRANSP:TRANSPARENT", "transparent"),
        ("transp:transparent", "transparent"),
        ('TRANSP;X-NOTE="a:b":TRANSPARENT', "transparent"),
        ('TRANSP;X-NOTE="a;TRANSP:OPAQUE":TRANSPARENT', "transparent"),
        ('TRANSP;X-NOTE="TRANSPARENT:TRANSPARENT":OPAQUE', "opaque"),
        ("TRANSP:OPAQUE", "opaque"),
        ("TRANSP:", "opaque"),
        ("TRANSP:X-WHO-KNOWS", "opaque"),
        ("X-TRANSP:TRANSPARENT", "opaque"),
    ],
)
async def test_an_entry_takes_time_unless_its_transp_says_otherwise(
    ada: Person, ben: Person, line: str, transparency: str
) -> None:
    assert await imported(ada, file(event(line, HOUR))) == [1, 0, 0]
    assert (await only(ada))["transparency"] == transparency
    assert await busy_days(ada) == (["2026-05-01"] if transparency == "opaque" else [])
    text = await exported(ada)
    assert f"TRANSP:{transparency.upper()}\r\n" in text
    assert await imported(ada, text) == [0, 0, 1]
    assert await imported(ben, text) == [1, 0, 0]
    assert (await only(ben))["transparency"] == transparency


async def test_a_changed_transparency_is_the_only_one_that_an_export_says(ada: Person) -> None:
    await imported(ada, file(event('TRANSP;X-NOTE="a:b":TRANSPARENT', "X-A:1", HOUR)))
    path = f"/events/{(await only(ada))['id']}"
    ok(await ada.patch(path, json={"transparency": "opaque"}))
    assert await busy_days(ada) == ["2026-05-01"]
    assert [line for line in (await exported(ada)).splitlines() if "TRANSP" in line] == ["TRANSP:OPAQUE"]
    ok(await ada.post(f"{path}/restore"))
    assert await busy_days(ada) == []


@pytest.mark.parametrize(("series", "one"), [("OPAQUE", "TRANSPARENT"), ("TRANSPARENT", "OPAQUE")])
async def test_one_occurrence_may_differ_from_its_series(ada: Person, ben: Person, series: str, one: str) -> None:
    text = file(
        event(f"TRANSP:{series}", HOUR, "RRULE:FREQ=DAILY;COUNT=3"),
        event(
            f'TRANSP;X-NOTE="a:b":{one}',
            "RECURRENCE-ID:20260502T180000Z",
            "DTEND:20260502T190000Z",
            start="DTSTART:20260502T180000Z",
        ),
    )
    assert await imported(ada, text) == [1, 0, 0]
    expected = [series.lower(), one.lower(), series.lower()]
    assert await listed(ada) == expected
    days = [f"2026-05-0{day}" for day, each in enumerate(expected, start=1) if each == "opaque"]
    assert await busy_days(ada) == days
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    assert await imported(ben, await exported(ada)) == [1, 0, 0]
    assert await listed(ben) == expected
    assert await busy_days(ben) == days


async def test_an_occurrence_without_transp_takes_time_also_in_a_series_that_takes_none(ada: Person) -> None:
    own = event("RECURRENCE-ID:20260502T180000Z", HOUR.replace("01T", "02T"), start="DTSTART:20260502T180000Z")
    await imported(ada, file(event("TRANSP:TRANSPARENT", HOUR, "RRULE:FREQ=DAILY;COUNT=3"), own))
    assert await busy_days(ada) == ["2026-05-02"]


async def test_an_all_day_event_may_take_no_time(ada: Person) -> None:
    await imported(ada, file(event("TRANSP:TRANSPARENT", start="DTSTART;VALUE=DATE:20260501")))
    assert await busy_days(ada) == []

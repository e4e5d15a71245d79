"""Changes of an occurrence and all that follow (RECURRENCE-ID;RANGE=THISANDFUTURE), in files and out again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from icalendar import Calendar
from khal.khalendar.backend import SQLiteDb

from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok

LOCALE: Any = {"default_timezone": UTC, "local_timezone": UTC}


def series(rule: str = "FREQ=DAILY;COUNT=6", *lines: str) -> str:
    return event("SUMMARY:s", "DTEND:20261222T110000Z", f"RRULE:{rule}", *lines, start="DTSTART:20261222T100000Z")


def moved(day: int, hour: int, *lines: str, following: bool = True, original: int = 10) -> str:
    """Return the VEVENT of an occurrence that lasts an hour, and of all that follow."""
    name = "RECURRENCE-ID;RANGE=THISANDFUTURE" if following else "RECURRENCE-ID"
    summary = [] if any(line.startswith("SUMMARY") for line in lines) else ["SUMMARY:s"]
    return event(
        f"{name}:202612{day}T{original}0000Z",
        f"DTEND:202612{day}T{hour + 1:02}0000Z",
        *summary,
        *lines,
        start=f"DTSTART:202612{day}T{hour:02}0000Z",
    )


async def imported(person: Person, text: str) -> Any:
    return ok(await person.post("/events/import", content=text, headers={"Content-Type": "text/calendar"}))


async def exported(person: Person) -> str:
    return (await person.get("/events.ics")).text


async def listed(person: Person, until: str = "2026-12-31") -> list[str]:
    """Return day, hour and title of each occurrence."""
    items = ok(await person.get("/events/occurrences", params={"from": "2026-12-01", "to": until}))["items"]
    return [f"{item['start'][8:10]} {item['start'][11:13]} {item['title']}" for item in items]


def read_by_khal(text: str, until: int = 31) -> list[str]:
    """Return what khal shows of a file with one UID, in the same form."""
    database = SQLiteDb(["c"], ":memory:", LOCALE)
    database.update(text, "a.ics", "1", "c")
    start, end = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, until, tzinfo=UTC)
    rows: list[Any] = sorted(database.get_localized(start, end), key=lambda row: row[2])
    titles = {_get_reference(component): str(component["SUMMARY"]) for component in read_vevents(text)}
    return [f"{begins.astimezone(UTC):%d %H} {titles[ref]}" for _, _, begins, _, ref, *_ in rows]


def read_vevents(text: str) -> list[Any]:
    return list(Calendar.from_ical(text).walk("VEVENT"))


def _get_reference(component: Any) -> str:
    """Return by which reference khal knows a VEVENT."""
    recurrence_id = component.get("RECURRENCE-ID")
    return "PROTO" if recurrence_id is None else str(int(recurrence_id.dt.timestamp()))


FIRST_THREE = ["22 10 s", "23 10 s", "24 10 s"]
MOVED = [*FIRST_THREE, "25 14 s", "26 14 s", "27 14 s"]
RULES = {"counted": "FREQ=DAILY;COUNT=6", "until": "FREQ=DAILY;UNTIL=20261227T100000Z", "endless": "FREQ=DAILY"}


@pytest.mark.parametrize("rule", RULES)
async def test_the_rest_of_the_series_moves(ada: Person, ben: Person, rule: str) -> None:
    text = file(series(RULES[rule]), moved(25, 14))
    found = await imported(ada, text)
    assert (found["created"], found["failed"], found["warnings"]) == (1, [], [])
    assert await listed(ada, "2026-12-28") == MOVED
    assert (await imported(ada, text))["unchanged"] == 1
    export = await exported(ada)
    assert read_by_khal(export, 28) == MOVED
    assert (await imported(ada, export))["unchanged"] == 1
    assert (await imported(ben, export))["created"] == 1
    assert await listed(ben, "2026-12-28") == MOVED
    assert (await imported(ben, export))["unchanged"] == 1


async def test_each_later_occurrence_is_in_the_export_for_programs_that_know_no_ranges(ada: Person) -> None:
    await imported(ada, file(series(), moved(25, 14)))
    export = await exported(ada)
    assert "RANGE" not in export
    found = [(each["RECURRENCE-ID"].dt.day, each["DTSTART"].dt.hour) for each in read_vevents(export)[1:]]
    assert found == [(25, 14), (26, 14), (27, 14)]


@pytest.mark.parametrize("rule", RULES)
async def test_fields_differ_from_there_on_as_well(ada: Person, rule: str) -> None:
    lines = ["SUMMARY:New", "LOCATION:Here", "TRANSP:TRANSPARENT"]
    await imported(ada, file(series(RULES[rule]), moved(25, 10, *lines)))
    found = [*FIRST_THREE, "25 10 New", "26 10 New", "27 10 New"]
    assert await listed(ada, "2026-12-28") == found
    assert read_by_khal(await exported(ada), 28) == found
    busy = ok(await ada.get("/freebusy?from=2026-12-22T00:00:00Z&to=2026-12-28T00:00:00Z"))["busy"]
    assert [slot["start"][8:13] for slot in busy] == ["22T10", "23T10", "24T10"]


@pytest.mark.parametrize("rule", RULES)
async def test_several_ranges_and_single_occurrences_after_them(ada: Person, rule: str) -> None:
    parts = [
        moved(26, 16, "SUMMARY:Later"),
        moved(27, 8, "SUMMARY:Single", following=False),
        moved(24, 14),
        moved(25, 10, "SUMMARY:As before", following=False),
    ]
    text = file(series(RULES[rule].replace("COUNT=6", "COUNT=7").replace("1227", "1228")), *parts)
    expected = ["22 10 s", "23 10 s", "24 14 s", "25 10 As before", "26 16 Later", "27 08 Single", "28 16 Later"]
    assert (await imported(ada, text))["created"] == 1
    assert await listed(ada, "2026-12-29") == expected
    assert read_by_khal(await exported(ada), 29) == expected
    assert (await imported(ada, text))["unchanged"] == 1
    assert (await imported(ada, await exported(ada)))["unchanged"] == 1


async def test_a_deleted_occurrence_in_the_range_stays_deleted(ada: Person) -> None:
    text = file(series("FREQ=DAILY", "EXDATE:20261226T100000Z"), moved(25, 14))
    await imported(ada, text)
    (event_id,) = [item["id"] for item in ok(await ada.get("/events"))["items"]]
    ok(await ada.delete(f"/events/{event_id}/occurrences/2026-12-25T10:00:00"), 204)
    expected = [*FIRST_THREE, "27 14 s"]
    assert await listed(ada, "2026-12-28") == expected
    assert read_by_khal(await exported(ada), 28) == expected
    changed = {"start": "2026-12-27T15:00:00", "end": "2026-12-27T16:00:00", "title": "One"}
    ok(await ada.patch(f"/events/{event_id}/occurrences/2026-12-27T10:00:00", json=changed))
    expected = [*FIRST_THREE, "27 15 One", "28 14 s"]
    assert await listed(ada, "2026-12-29") == expected
    assert read_by_khal(await exported(ada), 29) == expected


async def test_the_rest_can_be_split_off_like_any_other(ada: Person) -> None:
    await imported(ada, file(series(), moved(25, 14)))
    (event_id,) = [item["id"] for item in ok(await ada.get("/events"))["items"]]
    path = f"/events/{event_id}/occurrences/2026-12-26T10:00:00?scope=following"
    ok(await ada.patch(path, json={"title": "Split"}))
    assert await listed(ada) == [*MOVED[:4], "26 14 Split", "27 14 Split"]
    ok(await ada.post(f"/events/{event_id}/restore"))
    assert await listed(ada) == MOVED
    ok(await ada.patch(path, json={"start": "2026-12-26T18:00:00", "end": "2026-12-26T19:00:00"}))
    assert await listed(ada) == [*MOVED[:4], "26 18 s", "27 18 s"]


async def test_an_organizer_sends_the_range_later_and_takes_it_back(ada: Person) -> None:
    await imported(ada, file(series()))
    assert (await imported(ada, file(moved(25, 14, "SEQUENCE:1"))))["updated"] == 1
    assert await listed(ada) == MOVED
    # The same series again, without the range, is no news.
    assert (await imported(ada, file(series())))["unchanged"] == 1
    assert await listed(ada) == MOVED
    assert (await imported(ada, file(moved(25, 18, "SEQUENCE:2"))))["updated"] == 1
    assert (await listed(ada))[-1] == "27 18 s"
    outdated = moved(25, 12, "SEQUENCE:1")
    assert (await imported(ada, file(outdated)))["unchanged"] == 1
    newer = series("FREQ=DAILY;COUNT=5", "SEQUENCE:3")
    assert (await imported(ada, file(newer)))["updated"] == 1
    assert await listed(ada) == [*FIRST_THREE, "25 10 s", "26 10 s"]


async def test_an_occurrence_that_was_changed_before_the_range_stays_as_it_was(ada: Person) -> None:
    await imported(ada, file(series(), moved(26, 10, "SUMMARY:Special", following=False)))
    await imported(ada, file(moved(25, 14, "SEQUENCE:1")))
    assert (await listed(ada))[3:] == ["25 14 s", "26 10 Special", "27 14 s"]


async def test_the_event_and_the_rest_of_it_can_be_cancelled(ada: Person) -> None:
    await imported(ada, file(series(), moved(25, 14)))
    head = "METHOD:CANCEL\r\n"
    rest = event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261226T100000Z", "SEQUENCE:1", start=None)
    assert (await imported(ada, file(rest, head=head)))["updated"] == 1
    items = ok(await ada.get("/events/occurrences?from=2026-12-01&to=2026-12-31"))["items"]
    assert [item["status"] for item in items] == ["confirmed"] * 4 + ["cancelled"] * 2
    assert await listed(ada) == MOVED
    assert (await imported(ada, file(event("SEQUENCE:2", start=None), head=head)))["updated"] == 1
    items = ok(await ada.get("/events/occurrences?from=2026-12-01&to=2026-12-31"))["items"]
    assert {item["status"] for item in items} == {"cancelled"}
    assert await listed(ada) == MOVED


async def test_a_change_of_the_user_and_a_new_range_of_the_organizer_are_both_there(ada: Person) -> None:
    await imported(ada, file(series()))
    (event_id,) = [item["id"] for item in ok(await ada.get("/events"))["items"]]
    ok(await ada.patch(f"/events/{event_id}", json={"reminders": [15]}))
    ok(await ada.patch(f"/events/{event_id}/occurrences/2026-12-26T10:00:00", json={"tags": ["mine"]}))
    assert (await imported(ada, file(series("FREQ=DAILY;COUNT=6", "SEQUENCE:1"), moved(25, 14))))["updated"] == 1
    assert await listed(ada) == MOVED
    items = ok(await ada.get("/events/occurrences?from=2026-12-22&to=2026-12-31"))["items"]
    assert [item["tags"] for item in items] == [[], [], [], [], ["mine"], []]


async def test_the_rest_of_a_series_may_take_whole_days(ada: Person) -> None:
    days = event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261225T100000Z", "SUMMARY:s", start="DTSTART;VALUE=DATE:20261225")
    await imported(ada, file(series(), days))
    items = ok(await ada.get("/events/occurrences?from=2026-12-24&to=2026-12-31"))["items"]
    assert [item["start"] for item in items] == ["2026-12-24T10:00:00Z", "2026-12-25", "2026-12-26", "2026-12-27"]
    assert (await imported(ada, await exported(ada)))["unchanged"] == 1


async def test_a_range_without_its_series_is_an_event_until_that_comes(ada: Person) -> None:
    assert (await imported(ada, file(moved(25, 14))))["created"] == 1
    assert await listed(ada) == ["25 14 s"]
    await imported(ada, file(series(), moved(25, 14)))
    assert await listed(ada) == MOVED

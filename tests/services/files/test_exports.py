"""Exports of events as iCalendar files."""

from operator import itemgetter
from typing import Any

import icalendar
import pytest

from models.files.event_export import READ_EVENTS
from tests.support.clients import Person, ok
from tests.support.openapi.operations import CALENDAR


def read(response: Any) -> Any:
    """Return the file in a response, parsed by the `icalendar` library."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == f"{CALENDAR}; charset=utf-8"
    return icalendar.Calendar.from_ical(response.content)


def titles(response: Any) -> list[str]:
    return [str(event["SUMMARY"]) for event in read(response).walk("VEVENT")]


TUESDAY = {"start": "2026-12-01T18:00:00", "time_zone": "Europe/Berlin"}


async def test_an_event_can_be_exported_as_a_file(ada: Person) -> None:
    event = await ada.event(title="Reading, with tea", description="Bring\ncake", end="2026-12-01T20:00:00", **TUESDAY)
    response = await ada.get(f"/events/{event['id']}.ics")
    (found,) = read(response).walk("VEVENT")
    assert str(found["UID"]) == event["uid"]
    assert str(found["SUMMARY"]) == "Reading, with tea"
    assert str(found["DESCRIPTION"]) == "Bring\ncake"
    assert found["DTSTART"].dt.isoformat() == event["start"]
    assert found["DTEND"].dt.isoformat() == event["end"]
    assert response.headers["content-disposition"] == 'attachment; filename="reading-with-tea.ics"'


@pytest.mark.parametrize(("title", "name"), [("Ünïcode 漢字", "n-code"), ("漢字", "event"), ('a"; b=".exe', "a-b-exe")])
async def test_the_name_of_a_file_is_the_title_in_characters_that_every_system_accepts(
    ada: Person, title: str, name: str
) -> None:
    event = await ada.event(title=title, start="2026-12-01")
    response = await ada.get(f"/events/{event['id']}.ics")
    assert response.headers["content-disposition"] == f'attachment; filename="{name}.ics"'


async def test_each_revision_of_an_event_has_a_higher_sequence(ada: Person) -> None:
    event = await ada.event(start="2026-12-01")
    ok(await ada.patch(f"/events/{event['id']}", json={"title": "Another"}))
    (found,) = read(await ada.get(f"/events/{event['id']}.ics")).walk("VEVENT")
    assert found["SEQUENCE"] == 1


async def test_a_recurring_event_is_exported_with_its_overrides(ada: Person) -> None:
    event = await ada.event(**TUESDAY, recurrence={"rrule": "FREQ=WEEKLY;COUNT=4"})
    path = f"/events/{event['id']}/occurrences"
    ok(await ada.patch(f"{path}/2026-12-08T18:00:00", json={"start": "2026-12-09T19:00:00", "title": "Late"}))
    ok(await ada.delete(f"{path}/2026-12-15T18:00:00"), 204)
    first, second = read(await ada.get(f"/events/{event['id']}.ics")).walk("VEVENT")
    assert first["EXDATE"].dts[0].dt.isoformat() == "2026-12-15T18:00:00+01:00"
    assert second["RECURRENCE-ID"].dt.isoformat() == "2026-12-08T18:00:00+01:00"
    assert second["DTSTART"].dt.isoformat() == "2026-12-09T19:00:00+01:00"
    assert str(second["SUMMARY"]) == "Late"


async def test_the_export_of_a_single_undated_event_is_refused_with_the_reason(ada: Person) -> None:
    event = await ada.event()
    response = await ada.get(f"/events/{event['id']}.ics")
    assert response.status_code == 409
    assert "no date" in response.json()["detail"]


async def test_an_export_of_many_events_leaves_out_undated_ones(ada: Person) -> None:
    await ada.event(title="Some day")
    await ada.event(title="A day", start="2026-12-01")
    assert titles(await ada.get("/events.ics")) == ["A day"]


async def test_only_who_may_see_an_event_can_export_it(ada: Person, ben: Person) -> None:
    private = await ada.event(start="2026-12-01")
    public = await ada.event(start="2026-12-01", visibility="public")
    assert (await ben.get(f"/events/{private['id']}.ics")).status_code == 404
    assert (await ben.get(f"/events/{public['id']}.ics")).status_code == 200


@pytest.mark.parametrize(("scope", "expected"), [("mine", ["Own"]), ("public", ["Public"]), ("all", ["Own", "Public"])])
async def test_an_export_has_the_events_of_the_scope(ada: Person, ben: Person, scope: str, expected: list[str]) -> None:
    await ada.event(title="Own", start="2026-12-01")
    await ben.event(title="Public", start="2026-12-02", visibility="public")
    await ben.event(title="Private", start="2026-12-03")
    assert titles(await ada.get(f"/events.ics?scope={scope}")) == expected


async def test_an_export_can_be_limited_to_a_tag_and_a_window(ada: Person) -> None:
    await ada.event(title="Early", start="2026-11-01", tags=["books"])
    await ada.event(title="In time", start="2026-12-01", tags=["books"])
    await ada.event(title="Other", start="2026-12-01")
    assert titles(await ada.get("/events.ics?tag=Books&from=2026-11-15&to=2026-12-15")) == ["In time"]


async def test_an_export_of_an_empty_window_is_refused(ada: Person) -> None:
    response = await ada.get("/events.ics?from=2026-12-02&to=2026-12-01")
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/to"


async def test_an_export_without_events_is_a_valid_file(ada: Person) -> None:
    assert titles(await ada.get("/events.ics")) == []


async def test_a_long_export_has_every_event_once_in_order_and_each_zone_once(ada: Person) -> None:
    zones = ("Europe/Berlin", "Asia/Tokyo", None)
    created = []
    for number in range(2 * READ_EVENTS + 5):
        start = f"2026-12-{1 + number * 7 % 28:02}T{number % 24:02}:00:00"
        created.append(await ada.event(title=f"Event {number}", start=start, time_zone=zones[number % 3]))
    response = await ada.get("/events.ics")
    assert "content-length" not in response.headers, "the file was not sent in parts"
    file = read(response)
    uids = [str(event["UID"]) for event in file.walk("VEVENT")]
    listed = ok(await ada.get("/events?limit=200"))["items"]
    assert uids[:200] == [event["uid"] for event in listed]
    assert sorted(uids) == sorted(event["uid"] for event in created)
    assert sorted(str(zone["TZID"]) for zone in file.walk("VTIMEZONE")) == ["Asia/Tokyo", "Europe/Berlin"]


async def test_an_event_with_many_large_overrides_is_sent_in_parts(ada: Person) -> None:
    event = await ada.event(description="x" * 20_000, **TUESDAY, recurrence={"rrule": "FREQ=DAILY"})
    for day in range(2, 32):
        path = f"/events/{event['id']}/occurrences/2026-12-{day:02}T18:00:00"
        ok(await ada.patch(path, json={"title": f"Day {day}"}))
    for path in (f"/events/{event['id']}.ics", "/events.ics"):
        response = await ada.get(path)
        assert "content-length" not in response.headers
        assert sorted(titles(response)) == sorted(["Book launch", *(f"Day {day}" for day in range(2, 32))])
        assert [str(zone["TZID"]) for zone in read(response).walk("VTIMEZONE")] == ["Europe/Berlin"]


async def test_the_unchanged_file_of_an_event_is_answered_with_304(ada: Person) -> None:
    event = await ada.event(start="2026-12-01")
    path = f"/events/{event['id']}.ics"
    etag = (await ada.get(path)).headers["etag"]
    assert (await ada.get(path, headers={"if-none-match": etag})).status_code == 304
    ok(await ada.patch(f"/events/{event['id']}", json={"title": "Another"}))
    assert (await ada.get(path, headers={"if-none-match": etag})).status_code == 200


@pytest.mark.parametrize("change", ["create", "update", "delete", None])
async def test_the_etag_of_an_export_changes_exactly_when_an_event_does(ada: Person, change: str | None) -> None:
    event = await ada.event(start="2026-12-01")
    etag = (await ada.get("/events.ics")).headers["etag"]
    if change == "create":
        await ada.event(start="2026-12-02")
    elif change == "update":
        ok(await ada.patch(f"/events/{event['id']}", json={"title": "Another"}))
    elif change == "delete":
        ok(await ada.delete(f"/events/{event['id']}"), 204)
    response = await ada.get("/events.ics", headers={"if-none-match": etag})
    assert response.status_code == (304 if change is None else 200)
    assert (response.headers["etag"] == etag) == (change is None)


async def test_changes_of_private_events_do_not_change_the_export_of_others(ada: Person, ben: Person) -> None:
    await ada.event(start="2026-12-01")
    etag = (await ada.get("/events.ics")).headers["etag"]
    await ben.event(start="2026-12-01")
    assert (await ada.get("/events.ics", headers={"if-none-match": etag})).status_code == 304


async def test_a_public_event_that_becomes_private_changes_the_export_of_public_events(
    ada: Person, ben: Person
) -> None:
    event = await ben.event(start="2026-12-01", visibility="public")
    etag = (await ada.get("/events.ics?scope=public")).headers["etag"]
    ok(await ben.patch(f"/events/{event['id']}", json={"visibility": "private"}))
    response = await ada.get("/events.ics?scope=public", headers={"if-none-match": etag})
    assert titles(response) == []


EVENTS: list[dict[str, Any]] = [
    {"title": "Some days", "start": "2026-12-03", "end": "2026-12-05"},
    {"title": "In UTC", "start": "2026-12-03T10:00:00Z", "tags": ["a,b", "c\\d"], "description": "a\tb;\nc"},
    {"title": "In a zone like UTC", "start": "2026-12-03T10:00:00", "time_zone": "Etc/UTC"},
    {
        "title": "Ends in the second of two equal hours",
        "start": "2026-10-25T02:10:00",
        "end": "2026-10-25T02:30:00+01:00",
    }
    | {"time_zone": "Europe/Berlin"},
    {"title": "In an hour that the clock change skips", "start": "2026-03-29T02:30:00", "time_zone": "Europe/Berlin"},
    {"title": "Twice", "start": "2026-12-03T10:00:00", "recurrence": {"rdates": ["2026-12-05T10:00:00"]}},
    {"title": "Days", "start": "2026-12-03", "recurrence": {"rrule": "FREQ=DAILY", "exdates": ["2026-12-04"]}},
    {
        "title": "Everything",
        "description": "One; two, three",
        "image": "https://example.org/a.png",
        "tags": ["books"],
        "location": "Town library",
        "geo": {"lat": 52.5, "lon": -0.00001},
        "url": "https://example.org/a,b;c",
        "start": "2026-12-01T18:00:00",
        "end": "2026-12-01T20:00:00",
        "time_zone": "America/St_Johns",
        "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=4"},
        "status": "tentative",
        "reminders": [0, 10],
    },
]


async def import_into(person: Person, file: bytes) -> Any:
    return ok(await person.post("/events/import", content=file, headers={"content-type": CALENDAR}))


async def test_an_import_of_an_export_restores_every_field(ada: Person, ben: Person) -> None:
    for fields in EVENTS:
        event = await ada.event(**fields)
    path = f"/events/{event['id']}/occurrences"
    moved = {"start": "2026-12-09T19:00:00", "end": "2026-12-09T21:00:00", "title": "Late"}
    ok(await ada.patch(f"{path}/2026-12-08T18:00:00", json=moved))
    ok(await ada.delete(f"{path}/2026-12-15T18:00:00"), 204)
    file = (await ada.get("/events.ics")).content
    unchanged = {"created": 0, "updated": 0, "unchanged": len(EVENTS), "failed": [], "warnings": []}
    assert await import_into(ada, file) == unchanged
    assert await import_into(ben, file) == unchanged | {"created": len(EVENTS), "unchanged": 0}
    assert await import_into(ben, file) == unchanged
    server_fields = {"id", "creator", "revision", "created_at", "updated_at"}
    mine, theirs = (
        [{name: value for name, value in item.items() if name not in server_fields} for item in ok(answer)["items"]]
        for answer in (await ada.get("/events"), await ben.get("/events"))
    )
    key = itemgetter("uid")
    assert sorted(theirs, key=key) == sorted(mine, key=key)

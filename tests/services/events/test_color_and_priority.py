"""The colour and the priority of an event, everywhere a field can be."""

from typing import Any

import pytest

from tests.support.clients import Person, ok

WEEKLY = {"start": "2026-12-01T18:00:00Z", "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"}}
SECOND = "2026-12-08T18:00:00"


async def upload(person: Person, content: bytes) -> Any:
    return ok(await person.post("/events/import", content=content, headers={"Content-Type": "text/calendar"}))


async def download(person: Person, id: str) -> bytes:
    response = await person.get(f"/events/{id}.ics")
    ok_status = response.status_code
    assert ok_status == 200
    return response.content


@pytest.mark.parametrize(
    ("field", "value", "stored", "default"),
    [
        ("color", "DarkSlateGrey", "darkslategrey", None),
        ("color", "#FF8801", "#ff8801", None),
        ("priority", 9, 9, 0),
    ],
)
async def test_a_field_is_created_replaced_patched_cleared_and_restored(
    ada: Person, field: str, value: Any, stored: Any, default: Any
) -> None:
    event = await ada.event(**{field: value})
    assert event[field] == stored
    path = f"/events/{event['id']}"
    assert ok(await ada.patch(path, json={field: None}))[field] == default
    assert ok(await ada.post(f"{path}/restore"))[field] == stored
    assert ok(await ada.put(path, json={"title": "Book launch"}))[field] == default
    changed = [revision["fields"] for revision in ok(await ada.get(f"{path}/revisions"))["items"]]
    assert changed[:3] == [[field], [field], [field]]


@pytest.mark.parametrize(("field", "value", "other"), [("color", "teal", "#123456"), ("priority", 1, 5)])
async def test_one_occurrence_may_differ_in_a_field(ada: Person, field: str, value: Any, other: Any) -> None:
    event = await ada.event(**WEEKLY, **{field: value})
    path = f"/events/{event['id']}/occurrences/{SECOND}"
    assert ok(await ada.patch(path, json={field: other}))[field] == other
    listed = ok(await ada.get("/events/occurrences?scope=mine&from=2026-12-01&to=2026-12-31"))["items"]
    assert [item[field] for item in listed] == [value, other, value]


@pytest.mark.parametrize(("field", "value", "other"), [("color", "teal", "#123456"), ("priority", 1, 5)])
async def test_a_field_comes_back_from_a_file_as_it_was(
    ada: Person, ben: Person, field: str, value: Any, other: Any
) -> None:
    event = await ada.event(**WEEKLY, **{field: value})
    ok(await ada.patch(f"/events/{event['id']}/occurrences/{SECOND}", json={field: other}))
    content = await download(ada, event["id"])
    assert (await upload(ada, content))["unchanged"] == 1
    assert (await upload(ben, content))["created"] == 1
    listed = ok(await ben.get("/events/occurrences?scope=mine&from=2026-12-01&to=2026-12-31"))["items"]
    assert [item[field] for item in listed] == [value, other, value]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("color", value) for value in ("#fff", "rebeccapurple", 7, "")),
        *(("priority", value) for value in (-1, 10, 1.5, "5", True)),
    ],
)
async def test_any_other_value_is_refused_at_the_field(ada: Person, field: str, value: Any) -> None:
    for response in (
        await ada.post("/events", json={"title": "Book launch", field: value}),
        await ada.patch(f"/events/{(await ada.event())['id']}", json={field: value}),
    ):
        assert [error["pointer"] for error in ok(response, 422)["errors"]] == [f"/{field}"]


@pytest.mark.parametrize(("field", "value"), [("color", "teal"), ("priority", 3)])
async def test_a_field_is_in_the_export_of_an_account(ada: Person, field: str, value: Any) -> None:
    await ada.event(**{field: value})
    exported = ok(await ada.get("/users/me/export"))
    assert [event[field] for event in exported["events"]] == [value]

"""Every plain field of an event is everywhere: in requests, responses, occurrences, files, revisions and exports."""

from typing import Any

import pytest

from models.events.event_fields import EventContent
from planner.domain.fields import EDITORS_FIELDS, FIELDS, IMPORTED_OCCURRENCE_FIELDS, OCCURRENCE_FIELDS, PROPERTIES
from tests.support.clients import Person, ok

WEEKLY = {"start": "2026-10-06T18:00:00", "end": "2026-10-06T20:00:00", "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"}}
SECOND = "2026-10-13T18:00:00"
# A value of each field other than the one that an event of the tests has if nothing is sent.
EXAMPLES: dict[str, Any] = {
    name: field.examples[-1] for name, field in EventContent.model_fields.items() if field.examples
} | {"title": "Another title"}
EVERY_FIELD = pytest.mark.parametrize("name", EventContent.model_fields)


def default_of(name: str) -> Any:
    """Return what a field is when it is not sent; the title is always sent."""
    field = EventContent.model_fields[name]
    return "Book launch" if field.is_required() else field.get_default(call_default_factory=True)


@EVERY_FIELD
async def test_a_field_is_sent_as_it_was_created(ada: Person, name: str) -> None:
    created = await ada.event(**{name: EXAMPLES[name]})
    assert created[name] == EXAMPLES[name] != default_of(name)
    assert ok(await ada.get(f"/events/{created['id']}")) == created
    assert ok(await ada.get("/events"))["items"] == [created]


@EVERY_FIELD
async def test_a_field_that_is_not_sent_has_its_default(ada: Person, name: str) -> None:
    assert (await ada.event())[name] == default_of(name)


@EVERY_FIELD
async def test_a_patch_sets_a_field_and_null_clears_it(ada: Person, name: str) -> None:
    path = f"/events/{(await ada.event())['id']}"
    assert ok(await ada.patch(path, json={name: EXAMPLES[name]}))[name] == EXAMPLES[name]
    assert ok(await ada.patch(path, json={"start": "2026-12-01"}))[name] == EXAMPLES[name]
    if EventContent.model_fields[name].is_required():
        assert ok(await ada.patch(path, json={name: None}), 422)["errors"][0]["pointer"] == f"/{name}"
    else:
        assert ok(await ada.patch(path, json={name: None}))[name] == default_of(name)


@EVERY_FIELD
async def test_a_replaced_event_has_the_field_that_was_sent_or_its_default(ada: Person, name: str) -> None:
    path = f"/events/{(await ada.event())['id']}"
    body = {"title": "Book launch"}
    assert ok(await ada.put(path, json=body | {name: EXAMPLES[name]}))[name] == EXAMPLES[name]
    assert ok(await ada.put(path, json=body))[name] == default_of(name)


@EVERY_FIELD
async def test_one_occurrence_may_differ_in_the_fields_that_say_so(ada: Person, name: str) -> None:
    event = await ada.event(**WEEKLY)
    path = f"/events/{event['id']}/occurrences/{SECOND}"
    response = await ada.patch(path, json={name: EXAMPLES[name]})
    if name not in OCCURRENCE_FIELDS:
        assert ok(response, 422)["errors"][0]["pointer"] == f"/{name}"
        return
    assert ok(response)[name] == EXAMPLES[name]
    listed = ok(await ada.get("/events/occurrences?scope=mine&from=2026-10-01&to=2026-11-01"))["items"]
    assert [item[name] for item in listed] == [event[name], EXAMPLES[name], event[name]]
    assert ok(await ada.get(f"/events/{event['id']}"))[name] == event[name]


@pytest.mark.parametrize("name", OCCURRENCE_FIELDS)
async def test_following_occurrences_get_a_field_and_the_earlier_ones_keep_theirs(ada: Person, name: str) -> None:
    event = await ada.event(**WEEKLY)
    path = f"/events/{event['id']}/occurrences/{SECOND}?scope=following"
    following = ok(await ada.patch(path, json={name: EXAMPLES[name]}))
    assert following["id"] != event["id"]
    assert following[name] == EXAMPLES[name]
    assert ok(await ada.get(f"/events/{event['id']}"))[name] == event[name]


@EVERY_FIELD
async def test_a_revision_names_a_changed_field_and_restores_it(ada: Person, name: str) -> None:
    event = await ada.event(visibility="unlisted")
    path = f"/events/{event['id']}"
    ok(await ada.patch(path, json={name: EXAMPLES[name]}))
    latest = ok(await ada.get(f"{path}/revisions"))["items"][0]
    assert (latest["fields"], latest["event"][name]) == ([name], EXAMPLES[name])
    assert ok(await ada.post(f"{path}/restore"))[name] == event[name]


@EVERY_FIELD
async def test_the_export_of_an_account_has_every_field(ada: Person, name: str) -> None:
    event = await ada.event(**{name: EXAMPLES[name]})
    ok(await ada.patch(f"/events/{event['id']}", json={"start": "2026-12-01"}))
    exported = ok(await ada.get("/users/me/export"))
    assert exported["events"][0][name] == EXAMPLES[name]
    assert exported["revisions"][0]["event"][name] == EXAMPLES[name]


async def copy_by_file(ada: Person, ben: Person, path: str) -> Any:
    """Let Ben import what Ada exports, and return his event."""
    exported = await ada.get(path)
    assert exported.status_code == 200
    headers = {"content-type": "text/calendar"}
    counts = ok(await ben.post("/events/import", content=exported.content, headers=headers))
    assert (counts["created"], counts["failed"]) == (1, [])
    again = ok(await ben.post("/events/import", content=exported.content, headers=headers))
    assert again["unchanged"] == 1
    (event,) = ok(await ben.get("/events"))["items"]
    return event


@pytest.mark.parametrize("name", [*PROPERTIES, "reminders"])
async def test_an_exported_field_is_imported_as_it_was(ada: Person, ben: Person, name: str) -> None:
    event = await ada.event(start="2026-12-01T18:00:00", **{name: EXAMPLES[name]})
    copy = await copy_by_file(ada, ben, f"/events/{event['id']}.ics")
    assert copy[name] == EXAMPLES[name]


@pytest.mark.parametrize("name", [name for name in OCCURRENCE_FIELDS if FIELDS[name].ics])
async def test_a_field_of_one_occurrence_is_imported_as_it_was_exported(ada: Person, ben: Person, name: str) -> None:
    event = await ada.event(**WEEKLY)
    ok(await ada.patch(f"/events/{event['id']}/occurrences/{SECOND}", json={name: EXAMPLES[name]}))
    await copy_by_file(ada, ben, f"/events/{event['id']}.ics")
    listed = ok(await ben.get("/events/occurrences?scope=mine&from=2026-10-01&to=2026-11-01"))["items"]
    assert [item[name] for item in listed] == [event[name], EXAMPLES[name], event[name]]


def test_a_field_that_a_file_can_say_of_an_event_it_can_say_of_an_occurrence() -> None:
    assert set(PROPERTIES) <= set(IMPORTED_OCCURRENCE_FIELDS)


@EVERY_FIELD
async def test_a_field_of_a_public_event_is_sent_to_those_who_the_table_says(
    ada: Person, ben: Person, name: str
) -> None:
    event = await ada.event(**{"visibility": "public", name: EXAMPLES[name]})
    shown = event if name not in EDITORS_FIELDS else event | {name: default_of(name)}
    assert ok(await ben.get(f"/events/{event['id']}")) == shown


REFUSED: list[tuple[str, Any]] = [
    *(("title", value) for value in ("", " ", "x" * 201, 7)),
    *(("description", value) for value in ("x" * 20_001, "\x00", 7)),
    *(("image", value) for value in ("http://example.com/a.png", "a.png")),
    *(("tags", value) for value in ([""], ["x" * 33], "books")),
    *(("location", value) for value in ("x" * 301, 7)),
    *(("url", value) for value in ("ftp://example.com", "example.com")),
    *(("status", value) for value in ("", "Confirmed", 7)),
    *(("transparency", value) for value in ("", "TRANSPARENT", "free", True)),
    *(("visibility", value) for value in ("", "secret")),
    *(("reminders", value) for value in ([-40_321], [40_321], [1.5], 10)),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
async def test_a_value_that_a_field_cannot_have_is_refused_with_its_pointer(ada: Person, name: str, value: Any) -> None:
    body = {"title": "Book launch"} | WEEKLY
    event = await ada.event(**body)
    responses = [
        await ada.post("/events", json=body | {name: value}),
        await ada.put(f"/events/{event['id']}", json=body | {name: value}),
        await ada.patch(f"/events/{event['id']}", json={name: value}),
        await ada.patch(f"/events/{event['id']}/occurrences/{SECOND}", json={name: value}),
    ]
    for response in responses:
        (error,) = ok(response, 422)["errors"]
        assert error["pointer"].split("/")[1] == name
    assert ok(await ada.get(f"/events/{event['id']}")) == event

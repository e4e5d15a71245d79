"""PATCH is a JSON merge patch (RFC 7396): null clears, absent keeps."""

from typing import Any

import pytest

from tests.routes.all_routes.request_factory import RequestFactory
from tests.support.clients import Person, ok
from tests.support.openapi.operations import Operation

FULL: dict[str, Any] = {
    "uid": "launch@example.com",
    "title": "Book launch",
    "description": "Readings.",
    "image": "https://example.com/a.png",
    "tags": ["books", "launch"],
    "location": "Town library",
    "geo": {"lat": 52.5, "lon": 13.4},
    "url": "http://example.com/launch",
    "start": "2026-12-01T18:00:00",
    "end": "2026-12-01T20:00:00",
    "time_zone": "Europe/Berlin",
    "status": "tentative",
    "visibility": "public",
}
# What a cleared field becomes, where that is not null; and what cannot be cleared.
DEFAULTS: dict[str, Any] = {
    "tags": [],
    "status": "confirmed",
    "transparency": "opaque",
    "visibility": "private",
    "reminders": [],
    # An event that has a start is in UTC unless it says otherwise (the example's own zone is Berlin).
    "time_zone": "UTC",
    "waitlist": False,
}
NEEDED = ("title", "start")
# What null does not clear: it takes back a change of the address.
KEPT = ("uid", "email")
RECORD = ("revision", "updated_at")


@pytest.fixture
def patches(operations: list[Operation]) -> list[Operation]:
    """The routes that take a merge patch."""
    found = [operation for operation in operations if operation.method == "PATCH"]
    assert found
    return found


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


async def test_an_empty_patch_changes_nothing(
    patches: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in patches:
        with subtests.test(str(operation)):
            sample = await requests.sample(operation)
            first = ok(await sample.send())
            again = ok(await sample.with_changes(body={}).send())
            assert without(again, *RECORD) == without(first, *RECORD)


async def test_no_field_of_a_patch_is_required_and_all_may_be_null(
    patches: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in patches:
        assert not operation.body.get("required")
        for name in operation.properties:
            with subtests.test(f"{operation}: {name}"):
                sample = await requests.sample(operation)
                before = ok(await sample.send())
                response = await sample.with_changes(body={name: None}).send()
                if response.status_code == 422:
                    assert response.json()["errors"], "it cannot be cleared, and that is not said"
                    continue
                after = ok(response)
                assert after.get(name) in (None, [], False, {}) or name in DEFAULTS or name in KEPT
                assert set(after) == set(before)


async def test_null_clears_a_field_of_an_event_and_keeps_the_others(ada: Person, subtests: pytest.Subtests) -> None:
    for name in without(FULL, *NEEDED, "uid"):
        with subtests.test(name):
            event = await ada.event(**FULL | {"uid": None})
            after = ok(await ada.patch(f"/events/{event['id']}", json={name: None}))
            # Times are in some zone or other.
            assert after[name] == ("UTC" if name == "time_zone" else DEFAULTS.get(name))
            # The same local time in another zone is shown at another offset.
            others = (name, *RECORD, *(("start", "end") if name == "time_zone" else ()))
            assert without(after, *others) == without(event, *others)


async def test_each_field_of_an_event_is_changed_alone(ada: Person, subtests: pytest.Subtests) -> None:
    changes: dict[str, Any] = {
        "title": "Other",
        "description": "Other.",
        "image": "https://example.com/b.png",
        "tags": ["other"],
        "location": "Elsewhere",
        "geo": {"lat": 1.0, "lon": 2.0},
        "url": "https://example.com/other",
        "status": "cancelled",
        "visibility": "unlisted",
    }
    event = await ada.event(**FULL)
    for name, value in changes.items():
        with subtests.test(name):
            after = ok(await ada.patch(f"/events/{event['id']}", json={name: value}))
            assert after[name] == value
            assert without(after, name, *RECORD) == without(event, name, *RECORD)
            event = after


async def test_an_object_within_is_merged_and_a_list_is_replaced(ada: Person) -> None:
    event = await ada.event(**FULL)
    path = f"/events/{event['id']}"
    assert ok(await ada.patch(path, json={"geo": {"lat": 1}}))["geo"] == {"lat": 1, "lon": 13.4}
    assert ok(await ada.patch(path, json={"geo": {}}))["geo"] == {"lat": 1, "lon": 13.4}
    assert ok(await ada.patch(path, json={"tags": ["one"]}))["tags"] == ["one"]
    assert ok(await ada.patch(path, json={"geo": None}))["geo"] is None
    assert ok(await ada.patch(path, json={"geo": {"lat": 5, "lon": 6}}))["geo"] == {"lat": 5, "lon": 6}


async def test_half_a_place_is_refused(ada: Person, subtests: pytest.Subtests) -> None:
    placed = await ada.event(geo={"lat": 1, "lon": 2})
    nowhere = await ada.event()
    for event, patch, pointer in (
        (placed, {"lat": None}, "/geo/lat"),
        (placed, {"lon": None}, "/geo/lon"),
        (nowhere, {"lat": 5}, "/geo/lon"),
        (nowhere, {}, "/geo/lat"),
        (placed, {"lat": 91}, "/geo/lat"),
    ):
        with subtests.test(f"{event['geo']} {patch}"):
            response = await ada.patch(f"/events/{event['id']}", json={"geo": patch})
            assert response.status_code == 422
            assert pointer in [error["pointer"] for error in response.json()["errors"]]
            assert ok(await ada.get(f"/events/{event['id']}")) == event


async def test_clearing_a_required_field_is_refused_and_changes_nothing(ada: Person, subtests: pytest.Subtests) -> None:
    event = await ada.event(**FULL)
    for patch, pointer in (({"title": None}, "/title"), ({"start": None}, "/start")):
        with subtests.test(pointer):
            response = await ada.patch(f"/events/{event['id']}", json={**patch, "description": "changed"})
            assert response.status_code == 422
            assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
            assert ok(await ada.get(f"/events/{event['id']}")) == event


async def test_put_clears_what_it_leaves_out_where_a_patch_keeps_it(ada: Person) -> None:
    event = await ada.event(**FULL)
    path = f"/events/{event['id']}"
    kept = ok(await ada.patch(path, json={"title": "Only this"}))
    assert kept["location"] == FULL["location"]
    cleared = ok(await ada.put(path, json={"title": "Only this"}))
    bare = await ada.event(title="Only this")
    own = ("id", "uid", "created_at", *RECORD)
    assert without(cleared, *own) == without(bare, *own)
    assert cleared["uid"] == FULL["uid"]

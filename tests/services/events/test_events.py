"""Making, seeing, listing, changing and removing events."""

import asyncio
from typing import Any

import httpx
import pytest

from database.queries import new_id
from tests.support.clients import Person, headers_of, ok

FULL: dict[str, Any] = {
    "title": "Book launch",
    "description": "Readings and questions.",
    "image": "https://example.com/launch.png",
    "tags": ["books", "launch"],
    "location": "Town library",
    "geo": {"lat": 52.5, "lon": 13.4},
    "url": "https://example.com/launch",
    "start": "2024-12-01T18:00:00",
    "end": "2024-12-01T20:00:00",
    "time_zone": "Europe/Berlin",
    "status": "tentative",
    "visibility": "public",
}
LEAST: dict[str, Any] = {
    "description": None,
    "image": None,
    "tags": [],
    "location": None,
    "geo": None,
    "url": None,
    "start": None,
    "end": None,
    "all_day": False,
    "time_zone": None,
    "status": "confirmed",
    "visibility": "private",
}
SERVERS_OWN = ("id", "creator", "revision", "created_at", "updated_at")
TIMES = ("start", "end", "all_day", "time_zone")


def refused_at(response: httpx.Response) -> list[str]:
    """The pointers of the fields that are refused."""
    return [problem["pointer"] for problem in ok(response, 422)["errors"]]


def written(event: dict[str, Any]) -> dict[str, Any]:
    """What of an event its author writes."""
    return {name: value for name, value in event.items() if name not in SERVERS_OWN}


async def listed(person: Person, query: str) -> list[str]:
    return [event["id"] for event in ok(await person.get(f"/events?{query}"))["items"]]


async def test_only_the_title_of_an_event_is_required(ada: Person) -> None:
    event = await ada.event(title="Book launch")
    assert {name: event[name] for name in LEAST} == LEAST
    assert (event["title"], event["creator"], event["revision"]) == ("Book launch", ada.id, 1)
    assert event["created_at"] == event["updated_at"]


async def test_a_new_event_has_a_location_and_is_read_as_it_was_returned(ada: Person) -> None:
    response = await ada.post("/events", json=FULL)
    event = ok(response, 201)
    assert response.headers["location"] == f"/api/v1/events/{event['id']}"
    assert response.headers["etag"] == '"1"'
    again = await ada.get(f"/events/{event['id']}")
    assert ok(again) == event
    assert again.headers["etag"] == '"1"'
    assert event == event | FULL | {"start": "2024-12-01T18:00:00+01:00", "end": "2024-12-01T20:00:00+01:00"}


async def test_the_account_of_the_creator_has_the_ids_of_its_events(ada: Person, ben: Person) -> None:
    first, second, third = [await ada.event() for _ in range(3)]
    await ben.event()
    assert (await ada.me())["events"] == [first["id"], second["id"], third["id"]]
    ok(await ada.delete(f"/events/{second['id']}"), 204)
    assert (await ada.me())["events"] == [first["id"], third["id"]]


@pytest.mark.parametrize("name", ["id", "creator", "revision", "created_at", "updated_at", "attendees"])
async def test_fields_that_only_the_server_sets_are_refused_in_events(ada: Person, name: str) -> None:
    event = await ada.event()
    path, value = f"/events/{event['id']}", event.get(name, [])
    assert refused_at(await ada.post("/events", json={"title": "x", name: value})) == [f"/{name}"]
    assert refused_at(await ada.put(path, json={"title": "x", name: value})) == [f"/{name}"]
    assert refused_at(await ada.patch(path, json={name: value})) == [f"/{name}"]


async def test_a_private_event_and_a_missing_one_get_the_same_404(ada: Person, ben: Person) -> None:
    event = await ada.event(visibility="private")
    for method in ("GET", "DELETE", "PUT", "PATCH"):
        answers = [
            await ben.request(method, f"/events/{id}", json={"title": "x"}) for id in (event["id"], str(new_id()))
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert headers_of(answers[0]) == headers_of(answers[1])
    ok(await ada.get(f"/events/{event['id']}"))


async def test_an_unlisted_event_can_be_read_by_its_id_and_is_listed_to_its_creator_only(
    ada: Person, ben: Person
) -> None:
    event = await ada.event(visibility="unlisted")
    assert ok(await ben.get(f"/events/{event['id']}")) == event
    for scope in ("mine", "public", "all"):
        assert await listed(ben, f"scope={scope}") == []
    assert await listed(ada, "scope=all") == [event["id"]]


async def test_each_scope_lists_its_events(ada: Person, ben: Person) -> None:
    ids = {
        visibility: (await ada.event(visibility=visibility))["id"] for visibility in ("private", "unlisted", "public")
    }
    bens = (await ben.event(visibility="public"))["id"]
    assert await listed(ada, "") == list(ids.values())
    assert await listed(ada, "scope=mine") == list(ids.values())
    assert await listed(ada, "scope=public") == [ids["public"], bens]
    assert await listed(ada, "scope=all") == [*ids.values(), bens]
    assert await listed(ben, "scope=all") == [ids["public"], bens]


async def test_a_visible_event_of_another_account_cannot_be_changed(ada: Person, ben: Person) -> None:
    for visibility in ("public", "unlisted"):
        event = await ada.event(visibility=visibility)
        path = f"/events/{event['id']}"
        for answer in (
            await ben.put(path, json={"title": "Mine now"}),
            await ben.patch(path, json={"title": "Mine now"}),
            await ben.delete(path),
        ):
            assert answer.status_code == 403
        assert ok(await ada.get(path)) == event


async def test_making_an_event_private_hides_it_at_once(ada: Person, ben: Person) -> None:
    event = await ada.event(visibility="public")
    ok(await ben.get(f"/events/{event['id']}"))
    ok(await ada.patch(f"/events/{event['id']}", json={"visibility": "private"}))
    ok(await ben.get(f"/events/{event['id']}"), 404)
    assert await listed(ben, "scope=public") == []


async def test_a_uid_is_unique_among_the_events_of_one_account(ada: Person, ben: Person) -> None:
    uid = "20241201T180000Z-1@example.com"
    assert (await ada.event(uid=uid))["uid"] == uid
    ok(await ada.post("/events", json={"title": "Again", "uid": uid}), 409)
    assert len(await listed(ada, "")) == len((await ada.me())["events"]) == 1
    assert (await ben.event(uid=uid))["uid"] == uid


async def test_a_uid_cannot_be_changed(ada: Person) -> None:
    for fields in ({}, {"uid": "one@example.com"}):
        event = await ada.event(**fields)
        path, uid = f"/events/{event['id']}", event["uid"]
        assert refused_at(await ada.patch(path, json={"uid": "other@example.com"})) == ["/uid"]
        assert refused_at(await ada.put(path, json={"title": "x", "uid": "other@example.com"})) == ["/uid"]
        for answer in (
            await ada.patch(path, json={"uid": uid}),
            await ada.patch(path, json={"uid": None}),
            await ada.put(path, json={"title": "x", "uid": uid}),
            await ada.put(path, json={"title": "x"}),
        ):
            assert ok(answer)["uid"] == uid


async def test_tags_keep_their_letters_and_are_found_in_any_letter_case(ada: Person) -> None:
    event = await ada.event(tags=["Straße", "STRASSE", " Books ", "İstanbul", "ISTANBUL"])
    await ada.event(tags=["music"])
    assert event["tags"] == ["Straße", "Books", "İstanbul"]
    assert ok(await ada.get(f"/events/{event['id']}"))["tags"] == event["tags"]
    for tag in ("strasse", "Straße", "STRASSE", "BOOKS", "%20books%20", "istanbul", "İstanbul", "i̇stanbul"):
        assert await listed(ada, f"tag={tag}") == [event["id"]]
    assert await listed(ada, "tag=book") == []


async def test_put_replaces_the_fields_that_are_sent_and_clears_the_others(ada: Person) -> None:
    event = await ada.event(**FULL, uid="one@example.com")
    replaced = ok(await ada.put(f"/events/{event['id']}", json={"title": "Shorter"}))
    assert replaced == event | LEAST | {"title": "Shorter", "revision": 2, "updated_at": replaced["updated_at"]}
    assert ok(await ada.get(f"/events/{event['id']}")) == replaced


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Least"},
        FULL,
        {"title": "All day", "start": "2024-12-01", "end": "2024-12-03", "time_zone": "Asia/Tokyo"},
        {"title": "Second", "start": "2024-10-27T02:30:00+01:00", "time_zone": "Europe/Berlin"},
        {"title": "Long ago", "start": "1850-01-01T12:00:00", "time_zone": "Europe/Berlin"},
    ],
    ids=lambda fields: fields["title"],
)
async def test_an_event_sent_back_as_it_was_read_is_unchanged(ada: Person, fields: dict[str, Any]) -> None:
    event = await ada.event(**fields)
    again = ok(await ada.put(f"/events/{event['id']}", json=written(event)))
    assert written(again) == written(event)
    patched = ok(await ada.patch(f"/events/{event['id']}", json=written(event)))
    assert written(patched) == written(event)


async def test_a_patch_changes_the_fields_that_are_sent_and_null_clears(ada: Person) -> None:
    event = await ada.event(**FULL)
    patched = ok(await ada.patch(f"/events/{event['id']}", json={"title": "Moved", "location": None, "tags": ["new"]}))
    changes = {"title": "Moved", "location": None, "tags": ["new"], "revision": 2, "updated_at": patched["updated_at"]}
    assert patched == event | changes
    cleared = ok(await ada.patch(f"/events/{event['id']}", json=dict.fromkeys(LEAST)))
    assert {name: cleared[name] for name in LEAST} == LEAST


async def test_a_patch_of_geo_is_merged_into_it(ada: Person) -> None:
    path = f"/events/{(await ada.event(**FULL))['id']}"
    assert ok(await ada.patch(path, json={"geo": {"lat": 1}}))["geo"] == {"lat": 1, "lon": 13.4}
    assert refused_at(await ada.patch(path, json={"geo": {"lat": None}})) == ["/geo/lat"]
    assert ok(await ada.patch(path, json={"geo": None}))["geo"] is None
    assert refused_at(await ada.patch(path, json={"geo": {"lat": 1}})) == ["/geo/lon"]


async def test_the_title_cannot_be_cleared(ada: Person) -> None:
    path = f"/events/{(await ada.event())['id']}"
    assert refused_at(await ada.patch(path, json={"title": None})) == ["/title"]
    assert refused_at(await ada.patch(path, json={"title": " "})) == ["/title"]


async def test_a_patch_of_the_start_with_a_date_makes_an_all_day_event(ada: Person) -> None:
    path = f"/events/{(await ada.event(start='2024-12-01T18:00:00', time_zone='Europe/Berlin'))['id']}"
    days = ok(await ada.patch(path, json={"start": "2024-12-01"}))
    assert (days["all_day"], days["start"], days["time_zone"]) == (True, "2024-12-01", "Europe/Berlin")
    timed = ok(await ada.patch(path, json={"start": "2024-12-01T19:00:00", "end": "2024-12-01T20:00:00"}))
    assert (timed["all_day"], timed["start"]) == (False, "2024-12-01T19:00:00+01:00")
    # The end that stays is a time: it does not go with a date.
    assert refused_at(await ada.patch(path, json={"start": "2024-12-01"})) == ["/start"]
    assert refused_at(await ada.patch(path, json={"start": "2024-12-01", "end": None, "all_day": False})) == [
        "/all_day"
    ]
    assert ok(await ada.patch(path, json={"start": "2024-12-01", "end": "2024-12-02"}))["all_day"]


async def test_a_patch_of_the_zone_alone_does_not_change_the_instant(ada: Person) -> None:
    event = await ada.event(**FULL)
    patched = ok(await ada.patch(f"/events/{event['id']}", json={"time_zone": "America/New_York"}))
    assert (patched["start"], patched["end"]) == ("2024-12-01T12:00:00-05:00", "2024-12-01T14:00:00-05:00")
    cleared = ok(await ada.patch(f"/events/{event['id']}", json={"time_zone": None}))
    assert (cleared["start"], cleared["time_zone"]) == ("2024-12-01T17:00:00Z", "UTC")


async def test_a_dated_event_can_become_undated(ada: Person) -> None:
    path = f"/events/{(await ada.event(**FULL))['id']}"
    assert refused_at(await ada.patch(path, json={"start": None})) == ["/start"]
    undated = ok(await ada.patch(path, json={"start": None, "end": None}))
    assert [undated[name] for name in TIMES] == [None, None, False, "Europe/Berlin"]
    assert await listed(ada, "from=0001-01-01") == []


async def test_a_refused_change_changes_nothing(ada: Person) -> None:
    event = await ada.event(**FULL)
    path = f"/events/{event['id']}"
    for fields in ({"end": "2020-01-01"}, {"time_zone": "Mars/Base"}, {"title": 7}, {"tags": ["x" * 33]}):
        ok(await ada.patch(path, json={"description": "changed"} | fields), 422)
        ok(await ada.put(path, json=FULL | {"description": "changed"} | fields), 422)
    assert ok(await ada.get(path)) == event


async def test_a_change_with_an_old_etag_is_refused(ada: Person) -> None:
    path = f"/events/{(await ada.event())['id']}"
    patched = await ada.patch(path, json={"title": "Second"}, headers={"If-Match": '"1"'})
    assert ok(patched)["revision"] == 2
    assert patched.headers["etag"] == '"2"'
    stale = {"If-Match": '"1"'}
    ok(await ada.patch(path, json={"title": "Third"}, headers=stale), 412)
    ok(await ada.put(path, json={"title": "Third"}, headers=stale), 412)
    ok(await ada.delete(path, headers=stale), 412)
    assert ok(await ada.get(path)) == ok(patched)
    assert len((await ada.me())["events"]) == 1
    ok(await ada.delete(path, headers={"If-Match": '"1", "2"'}), 204)


async def test_of_many_changes_under_one_tag_a_single_one_happens(ada: Person) -> None:
    path = f"/events/{(await ada.event())['id']}"
    answers = await asyncio.gather(
        *(ada.patch(path, json={"title": f"Number {n}"}, headers={"If-Match": '"1"'}) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert ok(await ada.get(path))["revision"] == 2


async def test_many_changes_at_once_of_different_fields_all_happen(ada: Person) -> None:
    path = f"/events/{(await ada.event())['id']}"
    changes: list[dict[str, Any]] = [
        {"description": "d"},
        {"location": "l"},
        {"tags": ["t"]},
        {"status": "cancelled"},
        {"visibility": "public"},
        {"url": "https://example.com/"},
        {"geo": {"lat": 1, "lon": 2}},
        {"start": "2024-12-01"},
    ]
    answers = await asyncio.gather(*(ada.patch(path, json=change) for change in changes))
    assert [answer.status_code for answer in answers] == [200] * len(changes)
    event = ok(await ada.get(path))
    assert event["revision"] == 1 + len(changes)
    for change in changes:
        assert event | change == event


async def test_a_deleted_event_is_not_found_by_anybody(ada: Person, ben: Person) -> None:
    event = await ada.event(visibility="public")
    path = f"/events/{event['id']}"
    answer = await ada.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for person in (ada, ben):
        ok(await person.get(path), 404)
        ok(await person.delete(path), 404)
        assert await listed(person, "scope=all") == []


async def test_a_list_is_paged_by_the_link_it_gives(ada: Person) -> None:
    ids = [(await ada.event(start=f"2024-12-{day:02}"))["id"] for day in range(1, 8)]
    found: list[str] = []
    url: str | None = "/events?limit=3&from=2024-12-02"
    while url:
        answer = await ada.get(url)
        body = ok(answer)
        found += [event["id"] for event in body["items"]]
        link = answer.links.get("next")
        assert (link is None) == (body["next"] is None)
        url = link["url"] if link else None
    assert found == ids[1:]


async def test_a_window_contains_the_events_that_overlap_it(ada: Person) -> None:
    event = await ada.event(**FULL)
    for query in (
        "from=2024-12-01&to=2024-12-02",
        "from=2024-12-01T18:59:59Z",
        "to=2024-12-01T17:00:01Z",
        "from=2024-12-01T20:00:00%2B01:30&to=2024-12-31",
    ):
        assert await listed(ada, query) == [event["id"]], query
    for query in ("from=2024-12-01T19:00:00Z", "to=2024-12-01T17:00:00Z", "from=2024-12-01T19:00:00&to=2024-12-31"):
        assert await listed(ada, query) == [], query

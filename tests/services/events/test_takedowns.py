"""A moderator takes a public event down, and can give it back."""

import orjson
from fastapi import FastAPI

from models.shared.schema import PageQuery
from tests.support.clients import Person, ok
from tests.support.services import services_of


async def test_moderators_read_public_events_and_no_private_ones(moderator: Person, ada: Person) -> None:
    public, private = await ada.event(visibility="public"), await ada.event()
    assert [event["id"] for event in ok(await moderator.get("/events?scope=public"))["items"]] == [public["id"]]
    ok(await moderator.get(f"/events/{public['id']}"))
    ok(await moderator.get(f"/events/{private['id']}"), 404)
    ok(await moderator.put(f"/events/{private['id']}/takedown", json={"reason": "Curious."}), 404)
    ok(await moderator.patch(f"/events/{public['id']}", json={"title": "Mine now"}), 403)
    ok(await moderator.delete(f"/events/{public['id']}"), 403)


async def test_the_creator_of_a_taken_down_event_sees_the_reason_and_cannot_publish_it_again(
    moderator: Person, ada: Person, ben: Person
) -> None:
    event = await ada.event(visibility="public")
    path = f"/events/{event['id']}"
    ok(await moderator.put(f"{path}/takedown", json={"reason": "It advertises something else."}))
    seen = ok(await ada.get(path))
    assert (seen["visibility"], seen["takedown"]["reason"]) == ("private", "It advertises something else.")
    ok(await ben.get(path), 404)
    assert ok(await ben.get("/events?scope=public"))["items"] == []
    for visibility in ("public", "unlisted"):
        ok(await ada.patch(path, json={"visibility": visibility}), 409)
        ok(await ada.put(path, json={"title": "Book launch", "visibility": visibility}), 409)
    ok(await ada.patch(path, json={"takedown": None}), 422)
    assert ok(await ada.patch(path, json={"title": "Book launch, without advertising"}))["visibility"] == "private"


async def test_a_moderator_can_lift_a_takedown(moderator: Person, ada: Person, ben: Person) -> None:
    event = await ada.event(visibility="public")
    path = f"/events/{event['id']}"
    ok(await moderator.put(f"{path}/takedown", json={"reason": "It advertises something else."}))
    ok(await ada.request("DELETE", f"{path}/takedown"), 403)
    assert "takedown" not in ok(await moderator.delete(f"{path}/takedown"))
    ok(await ada.patch(path, json={"visibility": "public"}))
    ok(await ben.get(path))


async def test_moderators_have_a_list_of_what_is_taken_down(app: FastAPI, moderator: Person, ada: Person) -> None:
    taken, other = [await ada.event(visibility="public") for _ in range(3)], await ada.event(visibility="public")
    for event in taken:
        ok(await moderator.put(f"/events/{event['id']}/takedown", json={"reason": "It advertises."}))
    moderation, listed, cursor = services_of(app).moderation, [], None
    while True:
        page = await moderation.get_taken_down_page(PageQuery(limit=2, cursor=cursor))
        listed += [orjson.loads(item) for item in page.items]
        if (cursor := page.next) is None:
            break
    assert [event["id"] for event in listed] == sorted(event["id"] for event in taken)
    assert other["id"] not in [event["id"] for event in listed]
    assert {event["takedown"]["reason"] for event in listed} == {"It advertises."}


async def test_only_a_public_event_can_be_taken_down_and_only_once(moderator: Person, ada: Person) -> None:
    unlisted = await ada.event(visibility="unlisted")
    ok(await moderator.put(f"/events/{unlisted['id']}/takedown", json={"reason": "No."}), 409)
    public = await ada.event(visibility="public")
    ok(await moderator.put(f"/events/{public['id']}/takedown", json={"reason": "No."}))
    ok(await moderator.put(f"/events/{public['id']}/takedown", json={"reason": "No again."}), 409)
    ok(await moderator.delete(f"/events/{public['id']}/takedown"))
    ok(await moderator.delete(f"/events/{public['id']}/takedown"), 404)

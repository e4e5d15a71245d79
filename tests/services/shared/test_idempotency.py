"""A creation that is sent again makes nothing again (`Idempotency-Key`)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from database.connection import bound_database
from models.shared.idempotent_response import LIFETIME
from tests.support.clients import PASSWORD, Person, Planner, ok

KEY = {"Idempotency-Key": "first-attempt-7f3a"}
BODY = {"title": "Book launch", "start": "2024-12-01"}


async def stored(name: str) -> list[Any]:
    return await bound_database().handle[name].find({}).to_list(None)


async def test_the_same_request_again_gives_the_first_answer(ada: Person) -> None:
    first = await ada.post("/events", json=BODY, headers=KEY)
    event = ok(first, 201)
    again = await ada.post("/events", json=BODY, headers=KEY)
    assert ok(again, 201) == event
    for name in ("location", "etag", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert (await ada.me())["events"] == [event["id"]]


async def test_the_first_answer_is_given_even_when_the_event_has_changed_since(ada: Person) -> None:
    event = ok(await ada.post("/events", json=BODY, headers=KEY), 201)
    ok(await ada.patch(f"/events/{event['id']}", json={"title": "Moved"}))
    assert ok(await ada.post("/events", json=BODY, headers=KEY), 201) == event
    ok(await ada.delete(f"/events/{event['id']}"), 204)
    assert ok(await ada.post("/events", json=BODY, headers=KEY), 201) == event
    assert await stored("events") == []


async def test_20_at_once_under_one_key_make_one_event(ada: Person) -> None:
    answers = await asyncio.gather(*(ada.post("/events", json=BODY, headers=KEY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await stored("events")) == 1
    assert (await ada.me())["events"] == [answers[0].json()["id"]]


async def test_of_20_at_once_under_one_key_with_different_bodies_one_is_made_and_19_refused(ada: Person) -> None:
    answers = await asyncio.gather(
        *(ada.post("/events", json={"title": f"Number {n}"}, headers=KEY) for n in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 19
    assert len(await stored("events")) == 1


async def test_the_key_with_another_body_is_refused_and_changes_nothing(ada: Person) -> None:
    event = ok(await ada.post("/events", json=BODY, headers=KEY), 201)
    for other in ({"title": "Another"}, BODY | {"tags": ["x"]}, BODY | {"start": "2024-12-02"}):
        problem = ok(await ada.post("/events", json=other, headers=KEY), 422)
        assert "Idempotency-Key" in problem["errors"][0]["message"]
    assert [one["title"] for one in await stored("events")] == [event["title"]]


async def test_bodies_that_mean_the_same_are_the_same(ada: Person) -> None:
    event = ok(await ada.post("/events", json=BODY, headers=KEY), 201)
    spelled = b'{ "start" : "2024-12-01", "title":"Book \\u006caunch", "tags": [] }'
    headers = KEY | {"Content-Type": "application/json"}
    assert ok(await ada.post("/events", content=spelled, headers=headers), 201) == event


async def test_everybody_has_keys_of_their_own(ada: Person, ben: Person) -> None:
    assert ok(await ada.post("/events", json=BODY, headers=KEY), 201)["creator"] == ada.id
    assert ok(await ben.post("/events", json=BODY, headers=KEY), 201)["creator"] == ben.id


async def test_a_refusal_is_not_stored(ada: Person) -> None:
    ok(await ada.post("/events", json={"title": ""}, headers=KEY), 422)
    ok(await ada.post("/events", json=BODY | {"end": "2020-01-01"}, headers=KEY), 422)
    ok(await ada.post("/events", json=BODY, headers=KEY), 201)


async def test_a_response_is_stored_if_and_only_if_the_event_is_created(ada: Person) -> None:
    # Both stand in one group of writes: what refuses the one refuses the other.
    await ada.event(uid="one@example.com")
    taken = BODY | {"uid": "one@example.com"}
    ok(await ada.post("/events", json=taken, headers=KEY), 409)
    assert await stored("idempotent_responses") == []
    await bound_database().handle["events"].delete_many({})
    ok(await ada.post("/events", json=taken, headers=KEY), 201)
    assert len(await stored("idempotent_responses")) == 1


async def test_no_response_is_stored_for_a_deleted_account(ada: Person) -> None:
    await ada.me()
    # The token is still believed for a moment: the write itself must notice.
    await bound_database().handle["users"].delete_many({})
    ok(await ada.post("/events", json=BODY, headers=KEY), 401)
    assert await stored("idempotent_responses") == await stored("events") == []


async def test_signing_up_again_under_one_key_makes_one_account(api: Planner) -> None:
    body = {"email": "ada@example.com", "password": PASSWORD}
    answers = await asyncio.gather(*(api.post("/auth/signup", json=body, headers=KEY) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await stored("users")) == 1
    ok(await api.post("/auth/signup", json=body | {"password": PASSWORD + "!"}, headers=KEY), 422)
    ok(await api.post("/auth/signup", json=body), 409)


async def test_a_stored_response_contains_neither_key_nor_password(api: Planner) -> None:
    ok(await api.post("/auth/signup", json={"email": "ada@example.com", "password": PASSWORD}, headers=KEY), 201)
    (answer,) = await stored("idempotent_responses")
    assert KEY["Idempotency-Key"] not in str(answer)
    assert PASSWORD not in str(answer)


async def test_responses_are_stored_for_24_hours(ada: Person) -> None:
    indexes = await bound_database().handle["idempotent_responses"].index_information()
    assert timedelta(seconds=indexes["expired"]["expireAfterSeconds"]) == LIFETIME == timedelta(hours=24)
    assert indexes["expired"]["key"] == [("created_at", 1)]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "with a blank", "é", "a\tb"])
async def test_a_key_has_at_most_255_visible_characters(ada: Person, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1")), (b"authorization", f"Bearer {ada.token}".encode())]
    answer = await ada.api.post("/events", json=BODY, headers=headers)
    assert answer.status_code in (400, 422)
    assert await stored("events") == []

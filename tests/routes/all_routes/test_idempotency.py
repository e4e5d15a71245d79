"""A creation with an Idempotency-Key is made once, however often it is sent."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI

from tests.routes.all_routes.request_factory import RequestFactory, SampleRequest
from tests.support.clients import Person, ok
from tests.support.openapi.operations import JSON, Operation
from tests.support.services import database_of

# A field of each body that can be changed to make another one of it.
FREE_FIELDS = ("title", "name", "full_name", "label", "message")
BAD_KEYS = ("", " ", "a b", "x" * 256, "\x7f", "a\tb")


@pytest.fixture
def creations(operations: list[Operation]) -> list[Operation]:
    """The routes that make something."""
    found = [operation for operation in operations if operation.creates]
    assert found
    return found


def another(sample: SampleRequest) -> SampleRequest:
    """The same request with another body."""
    name = next((name for name in FREE_FIELDS if name in sample.operation.properties), None)
    assert name, f"{sample.operation}: none of FREE_FIELDS is a field of its body; add one in {__file__}"
    return sample.with_fields(**{name: "Another"})


async def stored(app: FastAPI) -> int:
    """How many documents there are in all, but for those that the background loop makes and removes."""
    database = database_of(app)
    names = set(await database.list_collection_names()) - {"queued_mails", "one_time_tokens"}
    return sum([await database[name].count_documents({}) for name in names])


def answer(response: Any) -> tuple[Any, ...]:
    """What the first answer and every later one have in common: all that the route decides."""
    return (response.status_code, response.content, dict(response.headers))


async def test_every_creation_takes_a_key(creations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            assert "idempotency-key" in {name.lower() for name in operation.parameters("header")}
            assert "location" in operation.response_headers(201)


async def test_the_same_request_again_gives_the_first_answer_and_makes_nothing(
    app: FastAPI, creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-1")
            before = await stored(app)
            first = await sample.send()
            assert first.status_code == 201, first.text
            after = await stored(app)
            assert after > before
            assert answer(await sample.send()) == answer(first)
            reordered = json.dumps(dict(reversed(sample.body.items())), indent=3).encode()
            assert answer(await sample.send_raw(reordered, JSON)) == answer(first)
            assert await stored(app) == after


async def test_twenty_of_the_same_request_at_once_make_one_thing(
    app: FastAPI, creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            alone = (await requests.sample(operation)).with_headers(idempotency_key="alone")
            before = await stored(app)
            assert (await alone.send()).status_code == 201
            one = await stored(app) - before
            sample = (await requests.sample(operation)).with_headers(idempotency_key="at-once")
            before = await stored(app)
            answers = await asyncio.gather(*(sample.send() for _ in range(20)))
            assert {each.status_code for each in answers} == {201}, [each.text for each in answers]
            assert len({each.content for each in answers}) == 1
            assert await stored(app) == before + one


async def test_twenty_events_made_at_once_with_one_key_are_one_event_of_its_creators(ada: Person) -> None:
    headers = {"idempotency-key": "one"}
    answers = await asyncio.gather(*(ada.post("/events", json={"title": "x"}, headers=headers) for _ in range(20)))
    ids = {ok(each, 201)["id"] for each in answers}
    assert len(ids) == 1
    assert (await ada.me())["events"] == [*ids]
    assert [item["id"] for item in ok(await ada.get("/events"))["items"]] == [*ids]


async def test_another_body_with_the_same_key_is_refused_and_makes_nothing(
    app: FastAPI, creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-2")
            first = await sample.send()
            assert first.status_code == 201
            count = await stored(app)
            refused = await another(sample).send()
            assert refused.status_code == 422
            assert "Idempotency-Key" in refused.json()["errors"][0]["message"]
            assert first.json()["id"] not in refused.text
            assert await stored(app) == count
            assert answer(await sample.send()) == answer(first)


async def test_two_bodies_at_once_with_the_same_key_make_one_thing(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-3")
            answers = await asyncio.gather(*((another(sample) if n % 2 else sample).send() for n in range(10)))
            assert sorted(each.status_code for each in answers) == [201] * 5 + [422] * 5
            assert len({each.content for each in answers if each.status_code == 201}) == 1


async def test_without_a_key_or_with_another_one_each_request_makes_a_thing(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            ids = set()
            for key in (None, None, "key-4", "key-5", "KEY-5", "k" * 255):
                sample = (await requests.sample(operation)).with_headers(idempotency_key=key)
                ids.add(ok(await sample.send(), 201)["id"])
            assert len(ids) == 6


async def test_a_key_is_its_users_own(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        if operation.public:
            continue
        with subtests.test(str(operation)):
            mine = (await requests.sample(operation)).with_headers(idempotency_key="key-6")
            theirs = await requests.sample(operation, person=requests.other)
            theirs = theirs.with_changes(body=mine.body).with_headers(idempotency_key="key-6")
            first, second = await mine.send(), await theirs.send()
            assert (first.status_code, second.status_code) == (201, 201)
            assert first.json()["id"] != second.json()["id"]
            assert (await another(theirs).send()).status_code == 422


async def test_a_key_is_its_routes_own(creations: list[Operation], requests: RequestFactory) -> None:
    answers = [
        await (await requests.sample(operation)).with_headers(idempotency_key="key-7").send() for operation in creations
    ]
    assert {each.status_code for each in answers} == {201}


async def test_a_request_that_was_refused_may_be_put_right_with_the_same_key(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-8")
            assert (await sample.with_fields(surprise=1).send()).status_code == 422
            assert (await sample.send()).status_code == 201


async def test_a_creation_that_collided_may_be_put_right_with_the_same_key(ada: Person) -> None:
    await ada.event(uid="one@example.com")
    headers = {"idempotency-key": "key-9"}
    body = {"title": "x", "uid": "one@example.com"}
    assert (await ada.post("/events", json=body, headers=headers)).status_code == 409
    assert (await ada.post("/events", json=body | {"uid": "two@example.com"}, headers=headers)).status_code == 201


async def test_the_first_answer_is_given_also_when_the_thing_was_changed_or_removed(ada: Person) -> None:
    headers = {"idempotency-key": "key-10"}
    first = await ada.post("/events", json={"title": "x"}, headers=headers)
    path = f"/events/{first.json()['id']}"
    ok(await ada.patch(path, json={"title": "changed"}))
    assert answer(await ada.post("/events", json={"title": "x"}, headers=headers)) == answer(first)
    ok(await ada.delete(path), 204)
    assert answer(await ada.post("/events", json={"title": "x"}, headers=headers)) == answer(first)
    assert (await ada.get(path)).status_code == 404


async def test_a_key_that_is_no_word_is_refused(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        for key in BAD_KEYS:
            with subtests.test(f"{operation} {key[:10]!r}"):
                sample = (await requests.sample(operation)).with_headers(idempotency_key=key)
                response = await sample.send()
                assert response.status_code == 422
                assert [error["pointer"] for error in response.json()["errors"]] == ["/idempotency-key"]


async def test_what_is_kept_of_a_key_and_its_body_does_not_tell_them(app: FastAPI, ada: Person) -> None:
    account = {"email": "carol@example.com", "password": "a password of hers"}
    headers = {"idempotency-key": "a-key-of-hers"}
    assert (await ada.api.post("/auth/signup", json=account, headers=headers)).status_code == 201
    kept = str(await database_of(app)["idempotent_responses"].find({}).to_list(None))
    assert "a password of hers" not in kept and "a-key-of-hers" not in kept

"""A creation with an Idempotency-Key is made once, however often it is sent."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI

from database.drivers.choice import driver
from models.shared.idempotent_response import IdempotentResponse
from tests.routes.all_routes.request_factory import RequestFactory, SampleRequest
from tests.support.clients import Person, headers_of, ok
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


def with_other_body(sample: SampleRequest) -> SampleRequest:
    """Return the same request with another body."""
    name = next((name for name in FREE_FIELDS if name in sample.operation.properties), None)
    assert name, f"{sample.operation}: none of FREE_FIELDS is a field of its body; add one in {__file__}"
    return sample.with_fields(**{name: "Another"})


async def count_documents(app: FastAPI) -> int:
    """Return how many documents are stored, without those that the background loop creates and deletes."""
    database = database_of(app)
    names = set(await database.list_collection_names()) - {"queued_mails", "one_time_tokens", "change_sequences"}
    return sum([await database[name].count_documents({}) for name in names])


def repeated_part(response: Any) -> tuple[Any, ...]:
    """Return what the first response and every later one must have in common."""
    return (response.status_code, response.content, headers_of(response))


async def test_every_creation_takes_a_key(creations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            assert "idempotency-key" in {name.lower() for name in operation.parameters("header")}
            assert "location" in operation.response_headers(201)


async def test_the_same_request_again_returns_the_first_response_and_creates_nothing(
    app: FastAPI, creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-1")
            before = await count_documents(app)
            first = await sample.send()
            assert first.status_code == 201, first.text
            after = await count_documents(app)
            assert after > before
            assert repeated_part(await sample.send()) == repeated_part(first)
            reordered = json.dumps(dict(reversed(sample.body.items())), indent=3).encode()
            assert repeated_part(await sample.send_raw(reordered, JSON)) == repeated_part(first)
            assert await count_documents(app) == after


async def test_twenty_equal_requests_at_once_create_one_resource(
    app: FastAPI, creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            alone = (await requests.sample(operation)).with_headers(idempotency_key="alone")
            before = await count_documents(app)
            assert (await alone.send()).status_code == 201
            one = await count_documents(app) - before
            sample = (await requests.sample(operation)).with_headers(idempotency_key="at-once")
            before = await count_documents(app)
            answers = await asyncio.gather(*(sample.send() for _ in range(20)))
            assert {each.status_code for each in answers} == {201}, [each.text for each in answers]
            assert len({each.content for each in answers}) == 1
            assert await count_documents(app) == before + one


async def test_twenty_requests_with_one_key_create_one_event_in_the_account(ada: Person) -> None:
    headers = {"idempotency-key": "one"}
    answers = await asyncio.gather(*(ada.post("/events", json={"title": "x"}, headers=headers) for _ in range(20)))
    ids = {ok(each, 201)["id"] for each in answers}
    assert len(ids) == 1
    assert (await ada.me())["events"] == [*ids]
    assert [item["id"] for item in ok(await ada.get("/events"))["items"]] == [*ids]


async def test_another_body_with_the_same_key_is_refused_and_creates_nothing(
    app: FastAPI, creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-2")
            first = await sample.send()
            assert first.status_code == 201
            count = await count_documents(app)
            refused = await with_other_body(sample).send()
            assert refused.status_code == 422
            assert "Idempotency-Key" in refused.json()["errors"][0]["message"]
            assert first.json()["id"] not in refused.text
            assert await count_documents(app) == count
            assert repeated_part(await sample.send()) == repeated_part(first)


async def test_two_bodies_at_once_with_the_same_key_create_one_resource(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-3")
            answers = await asyncio.gather(*((with_other_body(sample) if n % 2 else sample).send() for n in range(10)))
            assert sorted(each.status_code for each in answers) == [201] * 5 + [422] * 5
            assert len({each.content for each in answers if each.status_code == 201}) == 1


async def test_without_a_key_or_with_another_one_each_request_creates_a_resource(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            ids = set()
            for key in (None, None, "key-4", "key-5", "KEY-5", "k" * 255):
                sample = (await requests.sample(operation)).with_headers(idempotency_key=key)
                ids.add(ok(await sample.send(), 201)["id"])
            assert len(ids) == 6


async def test_the_same_key_of_another_account_is_another_key(
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
            assert (await with_other_body(theirs).send()).status_code == 422


async def test_the_same_key_on_another_route_is_another_key(
    creations: list[Operation], requests: RequestFactory
) -> None:
    answers = [
        await (await requests.sample(operation)).with_headers(idempotency_key="key-7").send() for operation in creations
    ]
    assert {each.status_code for each in answers} == {201}


async def test_a_refused_request_may_be_corrected_with_the_same_key(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        with subtests.test(str(operation)):
            sample = (await requests.sample(operation)).with_headers(idempotency_key="key-8")
            assert (await sample.with_fields(surprise=1).send()).status_code == 422
            assert (await sample.send()).status_code == 201


async def test_a_creation_that_conflicted_may_be_corrected_with_the_same_key(ada: Person) -> None:
    await ada.event(uid="one@example.com")
    headers = {"idempotency-key": "key-9"}
    body = {"title": "x", "uid": "one@example.com"}
    assert (await ada.post("/events", json=body, headers=headers)).status_code == 409
    assert (await ada.post("/events", json=body | {"uid": "two@example.com"}, headers=headers)).status_code == 201


async def test_the_first_response_is_repeated_after_the_event_was_changed_or_deleted(ada: Person) -> None:
    headers = {"idempotency-key": "key-10"}
    first = await ada.post("/events", json={"title": "x"}, headers=headers)
    path = f"/events/{first.json()['id']}"
    ok(await ada.patch(path, json={"title": "changed"}))
    assert repeated_part(await ada.post("/events", json={"title": "x"}, headers=headers)) == repeated_part(first)
    ok(await ada.delete(path), 204)
    assert repeated_part(await ada.post("/events", json={"title": "x"}, headers=headers)) == repeated_part(first)
    assert (await ada.get(path)).status_code == 404


async def test_a_malformed_key_is_refused(
    creations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in creations:
        for key in BAD_KEYS:
            with subtests.test(f"{operation} {key[:10]!r}"):
                sample = (await requests.sample(operation)).with_headers(idempotency_key=key)
                response = await sample.send()
                assert response.status_code == 422
                assert [error["pointer"] for error in response.json()["errors"]] == ["/idempotency-key"]


async def test_neither_the_key_nor_a_password_in_the_body_is_stored_with_the_response(ada: Person) -> None:
    account = {"email": "carol@example.com", "password": "a password of hers"}
    headers = {"idempotency-key": "a-key-of-hers"}
    assert (await ada.api.post("/auth/signup", json=account, headers=headers)).status_code == 201
    (stored,) = await driver.collection_of(IdempotentResponse).find({}).to_list(None)
    assert "a password of hers" not in str(stored) and "a-key-of-hers" not in str(stored)

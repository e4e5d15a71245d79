"""One thing has an ETag: it is not answered to those who have it, and changed only by those who have its latest."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.routes.all_routes.request_factory import RequestFactory, SampleRequest
from tests.support.clients import Person, ok
from tests.support.openapi.operations import Operation

MALFORMED = ("x", '"', '"1', '1"', "'1'", "1", 'w/"1"', "W/1", '"1" "2"', '*, "1"', '"1", *', '"a b"', '"1";', "\\")


@pytest.fixture
def things(operations: list[Operation]) -> list[Operation]:
    """The routes that answer one thing with a revision."""
    found = [operation for operation in operations if operation.has_etag]
    assert found
    return found


@dataclass
class Change:
    """A way to change a thing: the request, and the one that reads the thing it changes."""

    change: SampleRequest
    read: SampleRequest


async def changes(operations: list[Operation], requests: RequestFactory) -> list[Change]:
    """Every way to change one thing, each with a thing of its own."""
    readers = {operation.path: operation for operation in operations if operation.has_etag}
    found = []
    for operation in operations:
        if operation.method in ("PUT", "PATCH", "DELETE") and operation.path in readers:
            sample = await requests.sample(operation)
            reader = await requests.sample(readers[operation.path], person=sample.person, url=sample.url)
            found.append(Change(sample, reader))
    assert found
    return found


async def test_every_resource_that_can_be_changed_has_an_etag_and_takes_if_match(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    readers = {operation.path: operation for operation in operations if operation.method == "GET"}
    checked = 0
    for operation in operations:
        reader = readers.get(operation.path)
        if operation.method not in ("PUT", "PATCH", "DELETE") or reader is None or reader.is_list:
            continue
        if "revision" not in reader.response_schema(200).get("properties", ()) and not reader.has_etag:
            continue
        checked += 1
        with subtests.test(str(operation)):
            assert reader.has_etag
            assert "if-match" in {name.lower() for name in operation.parameters("header")}
            assert {400, 412} <= operation.statuses
            assert operation.method == "DELETE" or "etag" in operation.response_headers(200)
    assert checked


async def test_every_route_with_an_etag_documents_if_none_match(
    things: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in things:
        with subtests.test(str(operation)):
            assert "if-none-match" in {name.lower() for name in operation.parameters("header")}
            assert {304, 400} <= operation.statuses


async def test_a_strong_etag_stays_the_same_while_nothing_changes(
    things: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in things:
        with subtests.test(str(operation)):
            sample = await requests.sample(operation)
            first, second = await sample.send(), await sample.send()
            tag = first.headers["etag"]
            assert tag.startswith('"') and tag.endswith('"') and len(tag) > 2
            assert second.headers["etag"] == tag
            assert second.content == first.content


async def test_if_none_match_with_the_current_etag_returns_304(
    things: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in things:
        sample = await requests.sample(operation)
        tag = (await sample.send()).headers["etag"]
        for header in (tag, f"W/{tag}", f'"x", {tag}', f'W/"x",{tag}', f'{tag}, "x"', f'"", {tag}', "*", f" {tag} "):
            with subtests.test(f"{operation} {header}"):
                response = await sample.with_headers(if_none_match=header).send()
                assert response.status_code == 304
                assert response.headers["etag"] == tag
                assert response.content == b""
        for header in ('"x"', f'"x{tag[1:]}', 'W/"x"', '"0"', '"-1"', f'{tag[:-1]}x"'):
            with subtests.test(f"{operation} {header}"):
                response = await sample.with_headers(if_none_match=header).send()
                assert response.status_code == 200


async def test_a_malformed_condition_is_refused(
    operations: list[Operation], things: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in things:
        sample = await requests.sample(operation)
        for header in (*MALFORMED, ""):
            with subtests.test(f"{operation} If-None-Match: {header}"):
                assert (await sample.with_headers(if_none_match=header).send()).status_code == 400
    for found in await changes(operations, requests):
        before = ok(await found.read.send())
        for header in (*MALFORMED, ""):
            with subtests.test(f"{found.change.operation} If-Match: {header}"):
                assert (await found.change.with_headers(if_match=header).send()).status_code == 400
                assert ok(await found.read.send()) == before


async def test_if_match_with_an_old_etag_is_refused_and_changes_nothing(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for found in await changes(operations, requests):
        before = await found.read.send()
        tag = before.headers["etag"]
        for header in (
            '"0"',
            '"999"',
            '"x"',
            f"W/{tag}",
            f'"999", W/{tag}',
            '"99999999999999999999"',
            f'"0{tag[1:]}',
            '""',
        ):
            with subtests.test(f"{found.change.operation} If-Match: {header}"):
                response = await found.change.with_headers(if_match=header).send()
                assert response.status_code == 412
                assert response.json()["type"] == "/problems/precondition-failed"
                assert ("weak tags never match" in response.json()["detail"]) == ("W/" in header)
                after = await found.read.send()
                assert (after.content, after.headers["etag"]) == (before.content, tag)


async def test_if_match_with_the_current_etag_changes_and_returns_a_new_one(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    templates: tuple[Callable[[str], str | None], ...] = (
        lambda tag: tag,
        lambda tag: f'"x", {tag}',
        lambda tag: "*",
        lambda tag: None,
    )
    for template in templates:
        for found in await changes(operations, requests):
            tag = (await found.read.send()).headers["etag"]
            with subtests.test(f"{found.change.operation} If-Match: {template(tag)}"):
                change = found.change.with_headers(if_match=template(tag))
                response = await change.send()
                assert response.status_code in (200, 204), response.text
                if found.change.operation.method == "DELETE":
                    assert (await found.read.send()).status_code in (401, 404)
                    continue
                assert response.headers["etag"] != tag
                after = await found.read.send()
                assert (after.content, after.headers["etag"]) == (response.content, response.headers["etag"])
                stale = await found.change.with_headers(if_match=tag).send()
                assert stale.status_code == 412


async def test_of_ten_changes_of_one_revision_at_once_one_succeeds(ada: Person) -> None:
    event = await ada.event()
    path, headers = f"/events/{event['id']}", {"if-match": '"1"'}
    answers = await asyncio.gather(*(ada.patch(path, json={"title": str(n)}, headers=headers) for n in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert ok(await ada.get(path)) == winner.json()


async def test_changes_at_once_without_a_condition_all_succeed(ada: Person) -> None:
    event = await ada.event()
    path = f"/events/{event['id']}"
    answers = await asyncio.gather(*(ada.patch(path, json={"tags": [f"t{n}"]}) for n in range(10)))
    assert sorted(answer.json()["revision"] for answer in answers) == list(range(2, 12))


async def test_if_match_does_not_change_the_response_for_a_missing_or_foreign_event(ada: Person, ben: Person) -> None:
    hidden = await ben.event()
    seen = await ben.event(visibility="public")
    for condition in ('"1"', '"999"', "*"):
        headers = {"if-match": condition}
        for method in ("PATCH", "PUT", "DELETE"):
            body = None if method == "DELETE" else {"title": "x"}
            missing = await ada.request(method, f"/events/{'f' * 24}", headers=headers, json=body)
            not_seen = await ada.request(method, f"/events/{hidden['id']}", headers=headers, json=body)
            assert (missing.status_code, missing.content) == (404, not_seen.content)
            assert (await ada.request(method, f"/events/{seen['id']}", headers=headers, json=body)).status_code == 403


async def test_a_creation_returns_the_etag_that_reading_returns(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    creations = [operation for operation in operations if operation.creates and not operation.public]
    creations = [operation for operation in creations if "etag" in operation.response_headers(201)]
    assert creations
    for operation in creations:
        with subtests.test(str(operation)):
            made = await (await requests.sample(operation)).send()
            read = await requests.person.api.get(
                made.url.join(made.headers["location"]), headers=requests.person.headers
            )
            assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_an_event_that_if_none_match_excludes_is_not_changed(ada: Person, method: str) -> None:
    made = await ada.event()
    address, body = f"/events/{made['id']}", {"json": {"title": "Changed"}} if method != "DELETE" else {}
    for excluded in ("*", '"1"', 'W/"1"', '"7", "1"'):
        refused = await ada.request(method, address, headers={"If-None-Match": excluded}, **body)
        assert refused.status_code == 412
    assert ok(await ada.get(address)) == made
    assert (await ada.request(method, address, headers={"If-None-Match": '"7"'}, **body)).is_success

"""Lists are bounded and paged by key: nothing is skipped or repeated while others write."""

import base64
from typing import Any

import pytest

from tests.routes.all_routes.request_factory import RequestFactory
from tests.routes.all_routes.resources import ADD_LIST_ITEM, CONFIGURED_LISTS, HERE
from tests.support.clients import Person, ok
from tests.support.openapi.operations import Operation

# Lists that a new account finds empty.
EMPTY_AT_FIRST = {
    "GET /api/v1/events",
    "GET /api/v1/events/occurrences",
    "GET /api/v1/freebusy/shares",
    "GET /api/v1/auth/tokens",
    "GET /api/v1/feeds",
}


@pytest.fixture
def lists(operations: list[Operation]) -> list[Operation]:
    """The routes that answer pages."""
    found = [operation for operation in operations if operation.is_list]
    assert found
    return found


async def page(requests: RequestFactory, operation: Operation, query: str) -> Any:
    sample = await requests.sample(operation)
    return ok(await sample.with_more_query(query).send())


async def test_every_list_is_returned_in_pages(operations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in operations:
        answered = operation.response_schema(200)
        with subtests.test(str(operation)):
            assert answered.get("type") != "array", "a list without an end"
            if operation.method == "GET" and "items" in answered.get("properties", ()):
                assert {"items", "next"} <= set(answered["required"])


async def test_every_list_documents_its_limit_cursor_and_link(
    lists: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in lists:
        with subtests.test(str(operation)):
            query = operation.parameters("query")
            limit = query["limit"]["schema"]
            assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50)
            assert "cursor" in query
            assert "link" in operation.response_headers(200)


async def test_a_limit_out_of_bounds_is_refused(
    lists: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in lists:
        for limit in ("0", "-1", "201", "1e2", "1.5", "x", "", "NaN", "%00", "9" * 5000, "0x10", "1,2"):
            with subtests.test(f"{operation} {limit[:10]}"):
                sample = await requests.sample(operation)
                response = await sample.with_more_query(f"limit={limit}").send()
                assert response.status_code == 422
                assert [error["pointer"] for error in response.json()["errors"]] == ["/limit"]


async def test_a_cursor_that_the_list_did_not_give_out_is_refused(
    lists: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    def made(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    cursors = (
        "",
        "x",
        "!!!!",
        "%00",
        "%ff",
        "a" * 200,
        "a" * 10_000,
        made("nothing of ours"),
        made("{}"),
        made('{"$gt": ""}'),
        made("\0"),
        made("9" * 100),
        "%F0%9F%98%80",
        "null",
    )
    for operation in lists:
        for cursor in cursors:
            with subtests.test(f"{operation} {cursor[:20]}"):
                sample = await requests.sample(operation)
                response = await sample.with_more_query(f"cursor={cursor}").send()
                assert response.status_code in (400, 422), response.text


async def fill_list(requests: RequestFactory, operation: Operation, count: int) -> list[str]:
    """Add things to a list; answers what its items are known by."""
    if str(operation) in CONFIGURED_LISTS:
        return []
    add = ADD_LIST_ITEM.get(str(operation))
    assert add, f"{HERE} does not know how to add to {operation}; add it to LISTED"
    person = await requests.caller(operation)
    return [await add(requests, person, requests.count()) for _ in range(count)]


def ids_of(body: Any) -> list[str]:
    names = ("id", "name", "user", "revision")
    return [str(next(item[name] for name in names if name in item)) for item in body["items"]]


async def test_pages_of_any_size_together_are_the_list(
    lists: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in lists:
        added = await fill_list(requests, operation, 9)
        whole = await page(requests, operation, "limit=200")
        everything = ids_of(whole)
        assert set(added) <= set(everything) and whole["next"] is None
        for size in (1, 2, 4, len(everything) - 1, len(everything)):
            with subtests.test(f"{operation} by {size}"):
                seen: list[str] = []
                query = f"limit={size}"
                while True:
                    body = await page(requests, operation, query)
                    assert len(body["items"]) <= size
                    seen += ids_of(body)
                    if body["next"] is None:
                        break
                    query = f"limit={size}&cursor={body['next']}"
                assert seen == everything


async def test_a_page_links_to_the_next_one_and_the_last_to_none(
    lists: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in lists:
        with subtests.test(str(operation)):
            await fill_list(requests, operation, 5)
            everything = ids_of(await page(requests, operation, "limit=200"))
            seen: list[str] = []
            sample = await requests.sample(operation)
            url = f"{sample.url}?limit=2&surprise=%C3%A9%26"
            while True:
                response = await sample.with_changes(url=url).send()
                body = ok(response)
                seen += ids_of(body)
                assert ("next" in response.links) == (body["next"] is not None) == ("link" in response.headers)
                if "next" not in response.links:
                    break
                url = response.links["next"]["url"]
                assert url.startswith(sample.url)
                assert "limit=2" in url and "surprise=%C3%A9%26" in url
            assert seen == everything


async def test_a_list_with_nothing_in_it_is_an_empty_page_without_a_link(
    lists: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    assert {str(operation) for operation in lists} >= EMPTY_AT_FIRST
    for operation in lists:
        if str(operation) in EMPTY_AT_FIRST:
            with subtests.test(str(operation)):
                response = await (await requests.sample(operation)).send()
                assert ok(response) == {"items": [], "next": None}
                assert "link" not in response.headers


async def test_nothing_is_skipped_or_repeated_while_others_write(
    lists: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in lists:
        with subtests.test(str(operation)):
            there = set(await fill_list(requests, operation, 11))
            seen: list[str] = []
            query = "limit=2"
            while True:
                body = await page(requests, operation, query)
                seen += ids_of(body)
                if body["next"] is None:
                    break
                query = f"limit=2&cursor={body['next']}"
                if len(seen) < 30:
                    await fill_list(requests, operation, 1)
            assert len(seen) == len(set(seen)), "something was repeated"
            assert there <= set(seen), "something was skipped"


async def test_paging_skips_and_repeats_no_event_while_others_are_created_changed_and_deleted(ada: Person) -> None:
    tied = {"start": "2026-05-02T10:00:00Z"}
    made = [await ada.event(title=f"tied {number}", **tied) for number in range(6)]
    made += [await ada.event(title=f"undated {number}") for number in range(5)]
    made += [await ada.event(title="early", start="2026-05-01"), await ada.event(title="late", start="2099-01-01")]
    staying = {event["id"] for event in made}
    deleted = 0
    seen: list[str] = []
    query = "limit=1"
    while True:
        body = ok(await ada.get(f"/events?{query}"))
        seen += ids_of(body)
        if body["next"] is None:
            break
        query = f"limit=1&cursor={body['next']}"
        if len(seen) > 20:
            continue
        # One that ties with where the page ended, one before, one after; what the cursor names is deleted or changed.
        last = body["items"][0]
        await ada.event(start=last["start"])
        await ada.event(start="2026-04-01")
        await ada.event()
        if len(seen) % 2:
            ok(await ada.delete(f"/events/{last['id']}"), 204)
            deleted += 1
        else:
            ok(await ada.patch(f"/events/{last['id']}", json={"title": "changed"}))
    assert deleted > 5
    assert len(seen) == len(set(seen))
    assert staying <= set(seen)


async def test_a_cursor_is_valid_after_the_item_that_it_names_was_deleted(ada: Person) -> None:
    for number in range(4):
        await ada.event(title=str(number), start="2026-05-01")
    everything = ids_of(ok(await ada.get("/events")))
    first = ok(await ada.get("/events?limit=2"))
    for id in ids_of(first):
        ok(await ada.delete(f"/events/{id}"), 204)
    rest = ok(await ada.get(f"/events?limit=2&cursor={first['next']}"))
    assert ids_of(rest) == everything[2:]
    assert rest["next"] is None


async def test_a_page_without_a_limit_has_fifty_items(ada: Person) -> None:
    for number in range(51):
        await ada.event(title=str(number))
    assert len(ok(await ada.get("/events"))["items"]) == 50
    assert len(ok(await ada.get("/events?limit=200"))["items"]) == 51

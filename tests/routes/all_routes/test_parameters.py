"""Queries and headers that make no sense: each is a refusal in the usual shape, or changes nothing."""

import pytest

from tests.routes.all_routes.hostile_values import ENCODED_VALUES
from tests.routes.all_routes.request_factory import RequestFactory, ReusableSample
from tests.support.clients import Person
from tests.support.openapi.operations import Operation

HEADER_VALUES: tuple[bytes, ...] = (
    b"",
    b" ",
    b"x",
    b'"',
    b'"unfinished',
    b'W/"',
    b",",
    b'"1" "2"',
    b"*, *",
    b"\x80\xff",
    b'"\xff"',
    b"x" * 10_000,
    b'"1",' * 2_000,
    b"-1",
    b"NaN",
    b"9" * 5000,
    b"'; drop",
    b"\t",
)
COMMON_HEADERS = ("accept", "accept-language", "content-encoding", "cookie", "forwarded", "range", "x-forwarded-for")


@pytest.mark.real_server("the mock has no text index, which the parameter q needs")
async def test_no_value_in_a_query_makes_the_server_fail(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        for name in operation.parameters("query"):
            with subtests.test(f"{operation} {name}"):
                for value in ("", *ENCODED_VALUES.values()):
                    sample = await requests.sample(operation)
                    for query in (f"{name}={value}", f"{name}={value}&{name}={value}", f"{name}[]={value}"):
                        await sample.with_query(query).send()


async def test_a_nul_in_a_query_is_refused(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        for name in operation.parameters("query"):
            for value in ("%00", "a%00b"):
                with subtests.test(f"{operation} {name}={value}"):
                    sample = await requests.sample(operation)
                    response = await sample.with_query(f"{name}={value}").send()
                    assert response.status_code == 422
                    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]


async def test_a_query_that_a_route_does_not_know_changes_nothing(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    queries = ("%00=%00", "%ff=%ff", "=", "&&&", "x" * 5000, "a[b]=c", "%ED%A0%80=1", "__proto__=1", "surprise=NaN")
    for operation in operations:
        for query in queries:
            with subtests.test(f"{operation} {query[:20]}"):
                sample = await requests.sample(operation)
                response = await sample.with_more_query(query).send()
                assert response.status_code < 400, response.text


async def test_no_value_of_a_header_makes_the_server_fail(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        values = dict.fromkeys(operation.parameters("header"), HEADER_VALUES)
        if operation.method == "GET":
            values |= dict.fromkeys(COMMON_HEADERS, HEADER_VALUES[-3:])
        samples = ReusableSample(requests, operation)
        for name in values:
            with subtests.test(f"{operation} {name}"):
                for value in values[name]:
                    sample = await samples.next()
                    headers = [(key.encode(), text.encode()) for key, text in sample.headers.items()]
                    headers += [(name.encode(), value), (b"content-type", (sample.kind or "").encode())]
                    content = sample.content() if sample.kind else None
                    request = requests.person.api.request(
                        operation.method, sample.url, headers=headers, content=content
                    )
                    samples.discard_after_success(await request)


async def test_no_bearer_token_makes_the_server_fail(ada: Person, subtests: pytest.Subtests) -> None:
    for value in HEADER_VALUES:
        for prefix in (b"", b"Bearer ", b"bearer\t", b"Bearer  ", b"Basic "):
            with subtests.test(f"{prefix!r} {value[:20]!r}"):
                response = await ada.api.get("/users/me", headers=[(b"authorization", prefix + value)])
                assert response.status_code == 401

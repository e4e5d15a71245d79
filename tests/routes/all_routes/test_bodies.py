"""Bodies that no route can take: each is a refusal in the usual shape, never a failure."""

import gzip
from typing import Any

import pytest

from tests.routes.all_routes.hostile_values import (
    BODY_LIMITS,
    HOSTILE_VALUES,
    MIB,
    NOT_AN_OBJECT,
    NOT_JSON,
    RAW_JSON_VALUES,
    stream_in_chunks,
    with_raw_value,
)
from tests.routes.all_routes.request_factory import RequestFactory, ReusableSample
from tests.support.clients import Person
from tests.support.openapi.operations import CALENDAR, FORM, JSON, Operation, Schema


@pytest.fixture
def with_body(operations: list[Operation]) -> list[Operation]:
    """The routes that take a body of any kind."""
    found = [operation for operation in operations if operation.content]
    assert found
    return found


@pytest.fixture
def with_json(operations: list[Operation]) -> list[Operation]:
    """The routes that take JSON."""
    found = [operation for operation in operations if JSON in operation.content]
    assert found
    return found


async def test_the_example_of_every_body_is_accepted(
    with_body: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_body:
        with subtests.test(str(operation)):
            response = await (await requests.sample(operation)).send()
            assert 200 <= response.status_code < 300, response.text


async def test_a_body_that_is_not_json_is_refused(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        sample = await requests.sample(operation)
        for name, content in NOT_JSON.items():
            with subtests.test(f"{operation}: {name}"):
                response = await sample.send_raw(content, JSON)
                assert response.status_code == 400, response.text


async def test_json_that_is_not_an_object_is_refused_with_an_empty_pointer(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        sample = await requests.sample(operation)
        for name, content in NOT_AN_OBJECT.items():
            if name == "null" and not operation.needs_body:
                continue  # It stands for none.
            with subtests.test(f"{operation}: {name}"):
                response = await sample.send_raw(content, JSON)
                assert response.status_code == 422, response.text
                assert [error["pointer"] for error in response.json()["errors"]] == [""]


async def test_a_missing_body_is_refused_where_one_is_required(
    with_body: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_body:
        sample = await requests.sample(operation)
        if not operation.needs_body:
            with subtests.test(str(operation)):
                assert (await sample.send_raw(b"")).status_code < 300
            continue
        for kind in (sample.kind, None, "text/plain"):
            with subtests.test(f"{operation} as {kind}"):
                response = await sample.send_raw(b"", kind)
                assert response.status_code in (400, 415, 422), response.text


async def test_a_body_of_another_media_type_is_refused(
    with_body: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    others = (None, "", "text/plain", "multipart/form-data; boundary=x", "application/xml", "json", "text/json")
    for operation in with_body:
        sample = await requests.sample(operation)
        refused = 400 if FORM in operation.content else 415
        for kind in (*others, *({JSON, FORM, CALENDAR} - set(operation.content))):
            with subtests.test(f"{operation} as {kind}"):
                response = await sample.send_raw(sample.content(), kind)
                assert response.status_code == refused, response.text


async def test_a_body_with_a_content_encoding_is_refused(
    with_body: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_body:
        for encoding in ("gzip", "GZIP", "br, gzip", "identity, deflate"):
            sample = await requests.sample(operation)
            with subtests.test(f"{operation} in {encoding}"):
                encoded = sample.with_headers(content_encoding=encoding)
                response = await encoded.send_raw(gzip.compress(sample.content()), sample.kind)
                assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity"), response.text


async def test_a_media_type_is_read_without_regard_to_its_letter_case_and_parameters(
    with_body: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_body:
        for change in (str.upper, "{}; charset=utf-8".format, "{} ;charset=UTF-8".format):
            sample = await requests.sample(operation)
            assert sample.kind is not None
            with subtests.test(f"{operation} as {change(sample.kind)}"):
                response = await sample.send_raw(sample.content(), change(sample.kind))
                assert 200 <= response.status_code < 300, response.text


async def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(
    with_body: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_body:
        sample = await requests.sample(operation)
        most = BODY_LIMITS.get(str(operation), MIB)
        refused = 400 if FORM in operation.content else 413
        padding = b" " * (most + 1 - len(sample.content()))
        content = sample.content() + padding
        with subtests.test(f"{operation}: with its length"):
            assert (await sample.send_raw(content, sample.kind)).status_code == refused
        with subtests.test(f"{operation}: in chunks"):
            assert (await sample.send_raw(stream_in_chunks(content), sample.kind)).status_code == refused


async def test_a_body_of_exactly_the_largest_size_is_accepted(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        for name in ("with its length", "in chunks"):
            with subtests.test(f"{operation}: {name}"):
                sample = await requests.sample(operation)
                content = sample.content() + b" " * (BODY_LIMITS.get(str(operation), MIB) - len(sample.content()))
                response = await sample.send_raw(
                    content if name != "in chunks" else stream_in_chunks(content), sample.kind
                )
                assert 200 <= response.status_code < 300, response.text


async def test_unknown_fields_are_refused_wherever_they_stand(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        sample = await requests.sample(operation)
        for path, schema in objects(operation, operation.body):
            with subtests.test(f"{operation}: {'/'.join(path) or 'the body'}"):
                assert schema.get("additionalProperties") is False, "the document allows unknown fields"
                body: dict[str, Any] = {**sample.body}
                place = body
                for name in path:
                    place[name] = minimal(operation, place_schema(operation, path[: path.index(name) + 1]))
                    place = place[name]
                place["surprise"] = 1
                response = await sample.with_changes(body=body).send()
                assert response.status_code == 422
                assert "/".join(["", *path, "surprise"]) in {error["pointer"] for error in response.json()["errors"]}


async def test_fields_that_only_the_server_sets_are_refused(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        sample = await requests.sample(operation)
        answered: dict[str, Any] = {}
        for status in (200, 201):
            answered |= operation.response_schema(status).get("properties", {})
        for name in sorted(set(answered) - set(operation.properties)):
            with subtests.test(f"{operation}: {name}"):
                response = await sample.with_fields(**{name: None}).send()
                assert response.status_code == 422
                assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]


async def test_no_value_of_a_field_makes_the_server_fail(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    # The client's hook sees to it that no answer is a failure, and that each is documented.
    for operation in with_json:
        samples = ReusableSample(requests, operation)
        for name in operation.properties:
            with subtests.test(f"{operation}: {name}"):
                for value in HOSTILE_VALUES:
                    sample = await samples.next()
                    samples.discard_after_success(await sample.with_fields(**{name: value}).send())
                for raw in RAW_JSON_VALUES:
                    sample = await samples.next()
                    samples.discard_after_success(await sample.send_raw(with_raw_value(sample.body, name, raw), JSON))


async def test_a_text_with_a_nul_is_refused_in_every_field(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        sample = await requests.sample(operation)
        for name in operation.properties:
            for value in ("\0", "a\0b", ["\0"], {"a": "\0"}, {"\0": 1}):
                with subtests.test(f"{operation}: {name} is {value!r}"):
                    response = await sample.with_fields(**{name: value}).send()
                    assert response.status_code == 422, response.text


async def test_a_field_of_the_wrong_type_is_refused_and_not_converted(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    wrong: dict[str, tuple[object, ...]] = {
        "string": (5, True, ["x"], {"x": "x"}),
        "integer": ("5", 1.5, True, [1]),
        "number": ("5", True, [1]),
        "boolean": ("true", 1, 0, "yes"),
        "array": ("x", {"0": "x"}, 5),
        "object": ("x", [], 5),
    }
    for operation in with_json:
        sample = await requests.sample(operation)
        for name, found in operation.properties.items():
            kind = operation.resolve(found).get("type", "")
            for value in wrong.get(kind, ()):
                with subtests.test(f"{operation}: {name} is {value!r}"):
                    response = await sample.with_fields(**{name: value}).send()
                    assert response.status_code == 422
                    pointers = [error["pointer"] for error in response.json()["errors"]]
                    assert pointers and {pointer.split("/")[1] for pointer in pointers} == {name}


async def test_every_required_field_is_required(
    with_json: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    for operation in with_json:
        sample = await requests.sample(operation)
        for name in operation.body.get("required", ()):
            with subtests.test(f"{operation}: {name}"):
                body = {key: value for key, value in sample.body.items() if key != name}
                response = await sample.with_changes(body=body).send()
                assert response.status_code == 422
                assert response.json()["errors"] == [{"pointer": f"/{name}", "message": "is required"}]


async def test_a_change_may_come_as_a_merge_patch(ada: Person) -> None:
    event = await ada.event()
    headers = {"content-type": "application/merge-patch+json"}
    response = await ada.patch(f"/events/{event['id']}", content=b'{"title": "Later"}', headers=headers)
    assert response.json()["title"] == "Later"


def objects(operation: Operation, schema: Schema, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Schema]]:
    """Every object within a schema, and the names that lead to it."""
    found = [(path, schema)]
    for name, referred in schema.get("properties", {}).items():
        inner = operation.resolve(referred)
        if "properties" in inner:
            found += objects(operation, inner, (*path, name))
    return found


def place_schema(operation: Operation, path: tuple[str, ...]) -> Schema:
    return next(schema for place, schema in objects(operation, operation.body) if place == path)


def minimal(operation: Operation, schema: Schema) -> Any:
    """The least object that the schema allows, for fields of the plain kinds."""
    plain = {"string": "x", "number": 1.0, "integer": 1, "boolean": True, "array": []}
    required = {name: operation.resolve(schema["properties"][name]) for name in schema.get("required", ())}
    return {
        name: minimal(operation, found) if "properties" in found else plain[found["type"]]
        for name, found in required.items()
    }

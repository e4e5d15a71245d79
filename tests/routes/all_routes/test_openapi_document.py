"""`/openapi.json` describes every route, with examples and every error it may answer."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from routes.http.problems import MEDIA_TYPE
from tests.routes.all_routes.resources import OPTIONAL_BODIES
from tests.support.clients import Planner
from tests.support.openapi.operations import FORM, JSON, ROOT, TOKEN_ENDPOINT, Operation, Schema
from tests.support.openapi.response_checker import ResponseChecker

SENTENCE = re.compile(r"[A-Z0-9`'\"(].*[.:)]$", re.DOTALL)
# Words of our own that a reader of the API would have to guess.
PRIVATE_WORDS = re.compile(
    r"\b(?:told|wanted|hop|mend|furnish|for good|is over|reach(?:es)?|by itself|whatever|away|holds?)\b",
    re.I,
)
Where = tuple[str, Any]


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    return app.openapi()


def everything(value: Any, where: str = "") -> Iterator[Where]:
    """Each value within a JSON value, and where it stands."""
    yield where, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from everything(inner, f"{where}/{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from everything(inner, f"{where}/{number}")


async def test_the_document_is_served_and_is_openapi_3_1(api: Planner, document: dict[str, Any]) -> None:
    response = await api.get(f"{ROOT}/openapi.json")
    assert response.status_code == 200
    assert response.json() == json.loads(json.dumps(document))
    assert document["openapi"].startswith("3.1.")
    assert set(document) >= {"openapi", "info", "paths", "components"}
    assert set(document) <= {"openapi", "info", "servers", "paths", "components", "security", "tags"} | {
        "webhooks",
        "externalDocs",
        "jsonSchemaDialect",
    }
    assert {"title", "version"} <= set(document["info"])
    assert all(path.startswith("/") for path in document["paths"])


async def test_the_page_for_people_shows_the_document(api: Planner) -> None:
    response = await api.get(f"{ROOT}/docs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "/openapi.json" in response.text


async def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    references = {value["$ref"] for _, value in everything(document) if isinstance(value, dict) and "$ref" in value}
    assert references and references <= known


async def test_every_schema_in_the_document_is_a_json_schema(
    document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for name, schema in document["components"]["schemas"].items():
        with subtests.test(name):
            Draft202012Validator.check_schema(schema)


async def test_every_parameter_of_a_path_is_described(operations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in operations:
        with subtests.test(str(operation)):
            names = re.findall(r"\{(\w+)\}", operation.path)
            parameters = operation.parameters("path")
            assert set(parameters) == set(names) and len(names) == len(set(names))
            assert all(parameter["required"] for parameter in parameters.values())


async def test_every_route_says_in_words_what_it_does(operations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in operations:
        with subtests.test(str(operation)):
            assert operation.spec["summary"]
            assert SENTENCE.match(operation.spec["description"])
            assert operation.spec["tags"]
            assert "deprecated" not in operation.spec


async def test_every_route_has_a_name_of_its_own(operations: list[Operation]) -> None:
    names = Counter(operation.spec["operationId"] for operation in operations)
    assert [name for name, count in names.items() if count > 1] == []


async def test_every_parameter_says_in_words_what_it_is(operations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in operations:
        for parameter in operation.spec.get("parameters", ()):
            with subtests.test(f"{operation}: {parameter['name']}"):
                assert SENTENCE.match(parameter.get("description", ""))
                assert parameter["schema"]


async def test_every_route_documents_every_error_that_it_may_answer(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        with subtests.test(str(operation)):
            expected = {500, 503}
            if not operation.public:
                expected |= {401, 403}
            if operation.parameters("path"):
                expected |= {404}
            if operation.parameters("query") or operation.parameters("path"):
                expected |= {422}
            if JSON in operation.content:
                expected |= {400, 413, 415, 422}
            if FORM in operation.content:
                expected |= {400}
            headers = {name.lower() for name in operation.parameters("header")}
            if "if-match" in headers:
                expected |= {400, 412}
            if "idempotency-key" in headers:
                expected |= {422}
            assert expected <= operation.statuses
            assert any(status < 400 for status in operation.statuses)


async def test_every_answer_is_described_and_every_error_has_the_usual_shape(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        for status, answer in operation.spec["responses"].items():
            with subtests.test(f"{operation} {status}"):
                assert re.fullmatch("[1-5][0-9][0-9]", status)
                assert answer["description"]
                if int(status) < 400:
                    continue
                schema = {"$ref": "#/components/schemas/Problem"}
                if operation.path == TOKEN_ENDPOINT or (FORM in operation.content and status == "400"):
                    kinds = [content["schema"]["$ref"] for content in answer["content"].values()]
                    assert "#/components/schemas/TokenProblem" in kinds or schema["$ref"] in kinds
                else:
                    assert answer["content"] == {MEDIA_TYPE: {"schema": schema}}


async def test_every_body_has_an_example_that_fits_its_schema(
    operations: list[Operation], response_checker: ResponseChecker, subtests: pytest.Subtests
) -> None:
    for operation in operations:
        if operation.content:
            with subtests.test(str(operation)):
                assert operation.needs_body != (str(operation) in OPTIONAL_BODIES)
                for content in operation.content.values():
                    response_checker.check_value(content.get("schema", {}), operation.example, "the example")


async def test_every_answer_with_a_body_has_an_example(operations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in operations:
        for status in sorted(operation.statuses):
            schema = operation.response_schema(status)
            if status < 300 and schema:
                with subtests.test(f"{operation} {status}"):
                    assert has_example(operation, schema)


def has_example(operation: Operation, schema: Schema) -> bool:
    """Whether a schema has an example; that of a list may be one of its items."""
    if schema.get("examples") or schema == {"type": "object"}:
        return True
    items = schema.get("properties", {}).get("items", {}).get("items")
    return bool(items and operation.resolve(items).get("examples"))


async def test_every_example_of_a_schema_fits_it(
    document: dict[str, Any], response_checker: ResponseChecker, subtests: pytest.Subtests
) -> None:
    for name, schema in document["components"]["schemas"].items():
        for number, example in enumerate(schema.get("examples", ())):
            with subtests.test(f"{name} {number}"):
                response_checker.check_value({"$ref": f"#/components/schemas/{name}"}, example, "the example")


async def test_unknown_fields_of_bodies_are_excluded_by_the_document(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        if JSON in operation.content:
            with subtests.test(str(operation)):
                assert operation.body.get("additionalProperties") is False


async def test_a_secret_is_marked_as_one(operations: list[Operation], subtests: pytest.Subtests) -> None:
    passwords = [
        (operation, name, schema)
        for operation in operations
        if operation.content
        for name, schema in operation.properties.items()
        if "password" in name
    ]
    assert passwords
    for operation, name, schema in passwords:
        with subtests.test(f"{operation}: {name}"):
            assert operation.resolve(schema).get("format") == "password"


async def test_the_token_url_in_the_document_is_one_of_the_routes(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    addresses = [flow["tokenUrl"] for scheme in schemes.values() for flow in scheme.get("flows", {}).values()]
    assert addresses and all("post" in document["paths"][address] for address in addresses)
    used = {
        name
        for _, value in everything(document["paths"])
        if isinstance(value, dict)
        for requirement in value.get("security", ())
        for name in requirement
    }
    assert used == set(schemes)


async def test_every_text_is_in_standard_words(document: dict[str, Any]) -> None:
    texts = {
        where: value
        for where, value in everything(document)
        if where.endswith(("/description", "/summary")) and isinstance(value, str)
    }
    assert {where: found for where, text in texts.items() if (found := PRIVATE_WORDS.findall(text))} == {}

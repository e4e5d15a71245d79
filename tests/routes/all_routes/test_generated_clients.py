"""The document reads well in clients that are generated from it: names, scopes, headers, parameters."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from models.accounts.personal_token import SCOPE_DESCRIPTIONS
from planner.app import EXPOSED, create_app
from planner.settings import Settings
from tests.routes.all_routes.resources import SCOPES
from tests.support.openapi.operations import TOKEN_IS_OPTIONAL, Operation

# With these verbs begins the name of every operation. A new one should be as plain.
VERBS = frozenset(
    {
        *("create", "get", "list", "update", "replace", "delete", "restore", "import", "export"),
        *("sign", "start", "finish", "issue", "introspect", "revoke", "verify", "send", "request", "reset", "change"),
        *("take", "lift", "check", "explain", "unlock"),
    }
)
SNAKE_CASE = re.compile(r"[a-z]+(_[a-z]+)+")

SENTENCE = re.compile(r"[A-Z][^.]*[^.\s]")


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    return app.openapi()


async def test_the_name_of_an_operation_is_a_verb_and_a_noun_in_snake_case(operations: list[Operation]) -> None:
    names = [operation.spec["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert [name for name in names if not SNAKE_CASE.fullmatch(name)] == []
    assert [name for name in names if name.partition("_")[0] not in VERBS] == []


async def test_no_verb_is_allowed_that_no_operation_uses(operations: list[Operation]) -> None:
    assert {operation.spec["operationId"].partition("_")[0] for operation in operations} == VERBS


async def test_a_summary_is_one_short_line_of_its_own(operations: list[Operation]) -> None:
    summaries = [operation.spec["summary"] for operation in operations]
    assert len(set(summaries)) == len(summaries)
    assert [summary for summary in summaries if not SENTENCE.fullmatch(summary) or len(summary) > 75] == []


async def test_a_description_says_more_than_the_summary(operations: list[Operation]) -> None:
    spare = [
        operation.spec["operationId"]
        for operation in operations
        if operation.spec["description"].removesuffix(".") == operation.spec["summary"]
    ]
    assert spare == []


async def test_every_tag_is_declared_with_a_description_and_used(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    declared = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert set(declared) == {tag for operation in operations for tag in operation.spec["tags"]}
    assert all(len(operation.spec["tags"]) == 1 for operation in operations)
    assert all(re.fullmatch(r"[A-Z].+\.", description) for description in declared.values())


async def test_the_server_is_the_public_address(document: dict[str, Any], settings: Settings) -> None:
    assert [server["url"] for server in document["servers"]] == [settings.base_url]


async def test_the_scopes_are_declared_and_described(document: dict[str, Any]) -> None:
    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["password"]["scopes"] == SCOPE_DESCRIPTIONS
    assert all(re.fullmatch(r"[A-Z].+\.", description) for description in SCOPE_DESCRIPTIONS.values())


async def test_an_operation_lists_the_scope_that_it_needs(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        with subtests.test(str(operation)):
            needed = SCOPES.get(str(operation))
            requirement: list[dict[str, list[str]]] = [{}] if operation.public else []
            if not operation.public or str(operation) in TOKEN_IS_OPTIONAL:
                requirement.append({"bearer": [needed] if needed else []})
            assert operation.spec.get("security", [{}]) == requirement
            if not operation.public:
                forbidden = operation.spec["responses"]["403"]["description"]
                assert f"`{needed}`" in forbidden if needed else "No scope permits this request" in forbidden


async def test_no_parameter_can_be_null(operations: list[Operation], subtests: pytest.Subtests) -> None:
    for operation in operations:
        for parameter in operation.spec.get("parameters", ()):
            with subtests.test(f"{operation}: {parameter['name']}"):
                schema = operation.resolve(parameter["schema"])
                assert "anyOf" not in schema and schema["type"] in ("string", "integer", "boolean")
                assert "default" not in schema or schema["default"] is not None


async def test_the_headers_of_a_request_have_their_usual_names(operations: list[Operation]) -> None:
    names = {name for operation in operations for name in operation.parameters("header")}
    assert names == {"If-Match", "If-None-Match", "Idempotency-Key", "Prefer"}


async def test_a_header_of_a_response_is_described_and_is_a_string_or_a_number(
    operations: list[Operation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        for status, response in operation.spec["responses"].items():
            for name, header in response.get("headers", {}).items():
                with subtests.test(f"{operation} {status}: {name}"):
                    assert set(header) == {"description", "schema"}
                    assert re.fullmatch(r"[A-Z`].+[.)]", header["description"], re.DOTALL)
                    assert header["schema"]["type"] in ("string", "integer")


async def test_a_page_of_another_origin_may_read_only_headers_that_some_response_has(
    operations: list[Operation],
) -> None:
    described = {
        name
        for operation in operations
        for response in operation.spec["responses"].values()
        for name in response.get("headers", {})
    }
    # Every response has an X-Request-ID; the description of the API says so once.
    assert set(EXPOSED) - {"X-Request-ID"} <= described
    assert described - set(EXPOSED) <= {"Allow", "Content-Disposition", "Set-Cookie"}


@pytest.mark.parametrize(
    ("public_url", "token_url"),
    [
        ("https://planner.example.com", "/api/v1/auth/token"),
        ("https://example.com/planner", "/planner/api/v1/auth/token"),
    ],
)
async def test_the_token_endpoint_has_the_path_of_the_public_address(
    settings: Settings, public_url: str, token_url: str
) -> None:
    app = create_app(settings.model_copy(update={"public_url": public_url}))
    (scheme,) = app.openapi()["components"]["securitySchemes"].values()
    assert scheme["flows"]["password"]["tokenUrl"] == token_url
    assert app.openapi()["servers"][0]["url"] == public_url


async def test_every_response_has_a_description_of_its_own(operations: list[Operation]) -> None:
    descriptions = {
        f"{operation} {status}": response["description"]
        for operation in operations
        for status, response in operation.spec["responses"].items()
    }
    assert [name for name, description in descriptions.items() if description in ("", "Successful Response")] == []

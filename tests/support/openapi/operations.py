"""The routes, as the OpenAPI document describes them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

ROOT = "http://planner.test"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CALENDAR = "text/calendar"
Schema = dict[str, Any]

# Operations without a Bearer token: their callers prove who they are by something else, or need not.
PUBLIC = frozenset(
    {
        "GET /healthz",
        "GET /version",
        "GET /readyz",
        "GET /problems/{kind}",
        "GET /.well-known/oauth-authorization-server",
        "POST /api/v1/auth/signup",
        "POST /api/v1/auth/signin",
        "POST /api/v1/auth/token",
        "POST /api/v1/auth/revoke",
        "POST /api/v1/auth/email/verify",
        "POST /api/v1/auth/password/forgot",
        "POST /api/v1/auth/password/reset",
        "GET /api/v1/auth/providers",
        "GET /api/v1/auth/{provider}/signin",
        "GET /api/v1/auth/{provider}/callback",
        "POST /api/v1/auth/{provider}/callback",
        "GET /api/v1/feeds/{token}.ics",
    }
)
# Of these, the ones whose callers may send a token as their proof.
TOKEN_IS_OPTIONAL = frozenset({"POST /api/v1/auth/email/verify"})
TOKEN_ENDPOINT = "/api/v1/auth/token"


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    spec: dict[str, Any] = field(repr=False)
    document: dict[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def public(self) -> bool:
        return str(self) in PUBLIC

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.spec["responses"]}

    def resolve(self, schema: Schema) -> Schema:
        """Return the schema that a `$ref` stands for; null as an alternative is left aside."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            return self.resolve(self.document["components"]["schemas"][name])
        options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
        return self.resolve(options[0]) if len(options) == 1 else schema

    def parameters(self, where: str) -> dict[str, Schema]:
        """Return the parameters in the path, the query or the headers, by name."""
        return {found["name"]: found for found in self.spec.get("parameters", ()) if found["in"] == where}

    @property
    def content(self) -> dict[str, Any]:
        """The body's media types and what the document says of each; empty when there is no body."""
        found: dict[str, Any] = self.spec.get("requestBody", {}).get("content", {})
        return found

    @property
    def needs_body(self) -> bool:
        return bool(self.spec.get("requestBody", {}).get("required"))

    @property
    def body(self) -> Schema:
        """The schema of the JSON, form or text body."""
        kind = JSON if JSON in self.content else next(iter(self.content))
        return self.resolve(self.content[kind]["schema"])

    @property
    def properties(self) -> dict[str, Schema]:
        found: dict[str, Schema] = self.body.get("properties", {})
        return found

    @property
    def example(self) -> Any:
        """The body that the document gives as an example; a copy, free to change. Raises AssertionError for none."""
        for kind, content in self.content.items():
            schema = self.resolve(content["schema"])
            found = [content.get("example"), *schema.get("examples", ())]
            found += [example["value"] for example in content.get("examples", {}).values()]
            for example in found:
                if example is not None:
                    return example if kind == CALENDAR else json.loads(json.dumps(example))
        raise AssertionError(f"the body of {self} has no example in the OpenAPI document")

    def response_schema(self, status: int) -> Schema:
        """Return the schema of the JSON response with this status; empty when it has none."""
        content = self.spec["responses"].get(str(status), {}).get("content", {})
        return self.resolve(content.get(JSON, {}).get("schema", {}))

    def response_headers(self, status: int) -> set[str]:
        return {name.lower() for name in self.spec["responses"].get(str(status), {}).get("headers", {})}

    @property
    def is_list(self) -> bool:
        """Whether the response is a page of a list."""
        properties = set(self.response_schema(200).get("properties", ()))
        return self.method == "GET" and {"items", "next"} == properties - {"truncated"}

    @property
    def has_etag(self) -> bool:
        """Whether the response is one resource with an ETag."""
        return self.method == "GET" and "etag" in self.response_headers(200)

    @property
    def creates(self) -> bool:
        return self.method == "POST" and 201 in self.statuses


def operations_of(app: FastAPI) -> list[Operation]:
    """Return every operation in the document, of which there is at least one."""
    operations = list(_operations(app.openapi()))
    assert operations, "the document describes no operation"
    return operations


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, spec in methods.items():
            yield Operation(method.upper(), path, spec, document)

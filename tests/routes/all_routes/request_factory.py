"""A valid request for each route, from the examples of the OpenAPI document and the tables of resources.py."""

import dataclasses
import json
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from fastapi import FastAPI

from database.queries import Id, parse_id
from models.accounts.user import Role
from tests.routes.all_routes.resources import (
    BODIES,
    HERE,
    PATH_VALUES,
    PREPARED_REQUESTS,
    RESOURCES,
    ROLES,
    SINGLE_USE,
    PreparedRequest,
    Resource,
)
from tests.support.clients import Person, Planner, ok, sign_up
from tests.support.openapi.operations import FORM, JSON, ROOT, Operation
from tests.support.services import services_of

UNKNOWN_ID = "f" * 24


@dataclass(frozen=True)
class SampleRequest:
    """A valid request, to be sent as it is or with something changed."""

    operation: Operation
    person: Person
    url: str
    body: Any = None
    kind: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def with_changes(self, **changes: Any) -> "SampleRequest":
        return dataclasses.replace(self, **changes)

    def without_token(self) -> "SampleRequest":
        return self.with_headers(authorization=None)

    def with_headers(self, **headers: str | None) -> "SampleRequest":
        merged: dict[str, str | None] = {**self.headers}
        merged |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.with_changes(headers={name: value for name, value in merged.items() if value is not None})

    def with_fields(self, **fields: Any) -> "SampleRequest":
        """Return the request with some fields of the body replaced."""
        return self.with_changes(body={**self.body, **fields})

    def with_query(self, query: str) -> "SampleRequest":
        """Return the request with this query, and no other."""
        return self.with_changes(url=f"{self.url.partition('?')[0]}?{query}")

    def with_more_query(self, query: str) -> "SampleRequest":
        """Return the request with this query added to its own."""
        return self.with_changes(url=f"{self.url}{'&' if '?' in self.url else '?'}{query}")

    def content(self) -> bytes:
        if self.kind == FORM:
            return urlencode(self.body).encode()
        if self.kind == JSON:
            return json.dumps(self.body).encode()
        return self.body.encode() if isinstance(self.body, str) else b""

    async def send(self) -> httpx.Response:
        if self.kind is None:
            return await self.person.api.request(self.operation.method, self.url, headers=self.headers)
        return await self.send_raw(self.content(), self.kind)

    async def send_raw(self, content: bytes | AsyncIterable[bytes], kind: str | None = None) -> httpx.Response:
        """Send the request with these bytes as the body."""
        headers = self.headers | ({} if kind is None else {"content-type": kind})
        return await self.person.api.request(self.operation.method, self.url, headers=headers, content=content)


class RequestFactory:
    """Builds valid requests, and the accounts and resources that they need.

    `person` makes the requests that anybody may; `other` is somebody else.
    """

    def __init__(self, app: FastAPI, person: Person, other: Person) -> None:
        self.app = app
        self.api: Planner = person.api
        self.person = person
        self.other = other
        self._count = 0
        self._by_role: dict[Role, Person] = {"user": person}
        self.changed_events: dict[str, list[str]] = {}
        self.returned: PreparedRequest | None = None

    def count(self) -> int:
        self._count += 1
        return self._count

    def address(self) -> str:
        """Return an e-mail address that no account has."""
        return f"person{self.count()}@example.com"

    def id_of(self, resource: Any) -> Id:
        """Return the id of a resource as the API shows it."""
        id = parse_id(resource["id"])
        assert id is not None
        return id

    async def with_role(self, role: Role) -> Person:
        """Return somebody who has exactly this role."""
        if role not in self._by_role:
            made = await sign_up(self.api, self.address())
            if role == "admin":
                await services_of(self.app).administration.make_admin(made.email)
            else:
                admin = await self.with_role("admin")
                ok(await admin.patch(f"/users/{made.id}", json={"role": role}))
            self._by_role[role] = made
        return self._by_role[role]

    async def caller(self, operation: Operation) -> Person:
        """Return somebody who may call the operation."""
        if str(operation) in SINGLE_USE:
            return await sign_up(self.api, self.address())
        return await self.with_role(ROLES.get(str(operation), "user"))

    async def sample(
        self, operation: Operation, *, person: Person | None = None, url: str | None = None
    ) -> SampleRequest:
        """Return a request that succeeds; each time a new one."""
        caller = person or await self.caller(operation)
        kind = next(iter(operation.content), None)
        body = None
        if kind is not None:
            made = BODIES.get(str(operation))
            body = await made(self, caller) if made else operation.example
        for name, found in operation.parameters("query").items():
            assert not found.get("required"), f"{HERE} knows no value for {name!r} of {operation}"
        headers = {} if operation.public else {name.lower(): value for name, value in caller.headers.items()}
        if url is None and (way := PREPARED_REQUESTS.get(str(operation))):
            prepared = await way(self, caller)
            url, headers = prepared.url, headers | prepared.headers
        address = url or await self.url(operation, caller)
        return SampleRequest(operation, caller, address, body, kind, headers)

    async def url(self, operation: Operation, owner: Person) -> str:
        """Return the operation's address, of resources created for `owner`."""
        if values := PATH_VALUES.get(str(operation)):
            return fill_path(operation, *await values(self, owner))
        parts = []
        for part in path_prefixes(operation):
            resource = RESOURCES.get(part)
            assert resource, f"{operation}: {HERE} does not know how to create the resource {part}; add it to RESOURCES"
            parts.append(await resource.create_private(self, owner))
        return fill_path(operation, *parts)

    async def private_url(self, operation: Operation, owner: Person) -> str:
        """Return the operation's address, of resources that only `owner` may see."""
        return fill_path(
            operation, *[await RESOURCES[part].create_private(self, owner) for part in path_prefixes(operation)]
        )


class ReusableSample:
    """Sample requests of one route: the same one until it has succeeded, and then a new one."""

    def __init__(self, requests: RequestFactory, operation: Operation) -> None:
        self._world = requests
        self._operation = operation
        self._sample: SampleRequest | None = None

    async def next(self) -> SampleRequest:
        if self._sample is None:
            self._sample = await self._world.sample(self._operation)
        return self._sample

    def discard_after_success(self, response: httpx.Response) -> None:
        if response.status_code < 400 and self._operation.method != "GET":
            self._sample = None


def path_prefixes(operation: Operation) -> list[str]:
    """Return the path up to each of its parameters: `/a/{b}/c/{d}` has `/a/{b}` and `/a/{b}/c/{d}`."""
    path = operation.path
    return [path[: position + 1] for position, sign in enumerate(path) if sign == "}"]


def fill_path(operation: Operation | str, *values: str) -> str:
    """Return the address of an operation, or of a path, with these values for its parameters, percent-encoded."""
    path = operation if isinstance(operation, str) else operation.path
    for value in values:
        before, _, rest = path.partition("{")
        path = before + quote(value, safe="") + rest.partition("}")[2]
    return ROOT + path


def resource_of(operation: Operation) -> Resource | None:
    """Return what the last parameter of the operation's path names, or None."""
    found = path_prefixes(operation)
    return RESOURCES.get(found[-1]) if found else None

"""A valid request for each route: the examples of the OpenAPI document, and what things.py adds."""

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
from tests.routes.everywhere.operations import FORM, JSON, ROOT, Operation
from tests.routes.everywhere.things import BODIES, HERE, LAST_ACTS, PATHS, ROLES, THINGS, WAYS, Thing
from tests.support.clients import Person, Planner, ok, sign_up
from tests.support.services import services_of

MOST_UNKNOWN_ID = "f" * 24


@dataclass(frozen=True)
class Sample:
    """A request, ready to be sent or to be spoilt first."""

    operation: Operation
    person: Person
    url: str
    body: Any = None
    kind: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def changed(self, **changes: Any) -> "Sample":
        return dataclasses.replace(self, **changes)

    def without_token(self) -> "Sample":
        return self.with_headers(authorization=None)

    def with_headers(self, **headers: str | None) -> "Sample":
        merged: dict[str, str | None] = {**self.headers}
        merged |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.changed(headers={name: value for name, value in merged.items() if value is not None})

    def with_fields(self, **fields: Any) -> "Sample":
        """With some fields of the body replaced."""
        return self.changed(body={**self.body, **fields})

    def asking(self, query: str) -> "Sample":
        """With this query, and no other."""
        return self.changed(url=f"{self.url.partition('?')[0]}?{query}")

    def asking_also(self, query: str) -> "Sample":
        """With this query besides what there is of one."""
        return self.changed(url=f"{self.url}{'&' if '?' in self.url else '?'}{query}")

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
        """With these bytes as the body."""
        headers = self.headers | ({} if kind is None else {"content-type": kind})
        return await self.person.api.request(self.operation.method, self.url, headers=headers, content=content)


class World:
    """What requests are made from: people, and things of theirs."""

    def __init__(self, app: FastAPI, person: Person, other: Person) -> None:
        self.app = app
        self.api: Planner = person.api
        self.person = person
        self.other = other
        self._count = 0
        self._by_role: dict[Role, Person] = {"user": person}
        self.changed_events: dict[str, list[str]] = {}

    def count(self) -> int:
        self._count += 1
        return self._count

    def address(self) -> str:
        """An e-mail address that nobody has."""
        return f"person{self.count()}@example.com"

    def id_of(self, thing: Any) -> Id:
        """The id of something that the API answered."""
        id = parse_id(thing["id"])
        assert id is not None
        return id

    async def with_role(self, role: Role) -> Person:
        """Somebody who has this role and no higher one."""
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
        """Somebody who may call the operation."""
        if str(operation) in LAST_ACTS:
            return await sign_up(self.api, self.address())
        return await self.with_role(ROLES.get(str(operation), "user"))

    async def sample(self, operation: Operation, *, person: Person | None = None, url: str | None = None) -> Sample:
        """A request that is answered with success, made anew each time."""
        caller = person or await self.caller(operation)
        kind = next(iter(operation.content), None)
        body = None
        if kind is not None:
            made = BODIES.get(str(operation))
            body = await made(self, caller) if made else operation.example
        for name, found in operation.parameters("query").items():
            assert not found.get("required"), f"{HERE} knows no value for {name!r} of {operation}"
        headers = {} if operation.public else {name.lower(): value for name, value in caller.headers.items()}
        if url is None and (way := WAYS.get(str(operation))):
            prepared = await way(self, caller)
            url, headers = prepared.url, headers | prepared.headers
        address = url or await self.url(operation, caller)
        return Sample(operation, caller, address, body, kind, headers)

    async def url(self, operation: Operation, owner: Person) -> str:
        """The operation's address, of things made for `owner`."""
        if values := PATHS.get(str(operation)):
            return fill(operation, *await values(self, owner))
        parts = []
        for part in segments(operation):
            thing = THINGS.get(part)
            assert thing, f"{operation}: {HERE} does not know how to make a thing for {part}; add it to THINGS"
            parts.append(await thing.own(self, owner))
        return fill(operation, *parts)

    async def hidden(self, operation: Operation, owner: Person) -> str:
        """The operation's address, of something that only `owner` may see."""
        return fill(operation, *[await THINGS[part].own(self, owner) for part in segments(operation)])


class Refilled:
    """Valid samples of one route; a new one is made when the last was used up by a success."""

    def __init__(self, world: World, operation: Operation) -> None:
        self._world = world
        self._operation = operation
        self._sample: Sample | None = None

    async def next(self) -> Sample:
        if self._sample is None:
            self._sample = await self._world.sample(self._operation)
        return self._sample

    def seen(self, response: httpx.Response) -> None:
        if response.status_code < 400 and self._operation.method != "GET":
            self._sample = None


def segments(operation: Operation) -> list[str]:
    """The path up to each of its parameters: `/a/{b}/c/{d}` has `/a/{b}` and `/a/{b}/c/{d}`."""
    path = operation.path
    return [path[: position + 1] for position, sign in enumerate(path) if sign == "}"]


def fill(operation: Operation | str, *values: str) -> str:
    """The address of an operation, or of a path, with these values for its parameters, percent-encoded."""
    path = operation if isinstance(operation, str) else operation.path
    for value in values:
        before, _, rest = path.partition("{")
        path = before + quote(value, safe="") + rest.partition("}")[2]
    return ROOT + path


def thing_of(operation: Operation) -> Thing | None:
    """What the last parameter of the operation's path names."""
    found = segments(operation)
    return THINGS.get(found[-1]) if found else None

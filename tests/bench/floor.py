"""The floor: the least code that does what the planner is measured at, over the same driver.

No framework, no models, no validation, no ownership. A request's token is checked, the event is read
or written, and the answer is JSON. Whatever the planner does beyond this has to fit into the difference.
"""

import base64
import hashlib
import hmac
import os
import time
from typing import Any

import orjson
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from starlette.types import Message, Receive, Scope, Send

KEY = b"the key of a benchmark, worth nothing"
DATABASE = "bench_floor"
URL = "FLOOR_DATABASE_URL"
PAGE = 50
Stored = dict[str, Any]


def token(user: ObjectId) -> str:
    """A signed statement of who is calling and until when."""
    claims = _url_safe(orjson.dumps({"sub": str(user), "exp": int(time.time()) + 86_400}))
    return (claims + b"." + _signature(claims)).decode()


def _caller(header: bytes) -> ObjectId | None:
    claims, _, signature = header.removeprefix(b"Bearer ").partition(b".")
    if not hmac.compare_digest(signature, _signature(claims)):
        return None
    said = orjson.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))
    return ObjectId(said["sub"]) if said["exp"] > time.time() else None


def _signature(claims: bytes) -> bytes:
    return _url_safe(hmac.digest(KEY, claims, hashlib.sha256))


def _url_safe(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _shown(event: Stored) -> Stored:
    event["id"] = str(event.pop("_id"))
    event["creator"] = str(event["creator"])
    return event


class Floor:
    """The application: `GET /events/{id}`, `GET /events`, `POST /events`."""

    def __init__(self) -> None:
        self._client: AsyncIOMotorClient[Stored] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        status, body = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        # Durability is the planner's: a write is answered when a majority has it on disk.
        self._client = AsyncIOMotorClient(os.environ[URL], w="majority")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._client.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        caller = _caller(header)
        if caller is None:
            return 401, b""
        assert self._client is not None
        database = self._client[DATABASE]
        if scope["method"] == "POST":
            event = orjson.loads(await _body(receive)) | {"_id": ObjectId(), "creator": caller}
            await self._create(event)
            return 201, orjson.dumps(_shown(event))
        id = scope["path"].removeprefix("/events").strip("/")
        if id:
            found = await database.events.find_one({"_id": ObjectId(id)})
            return (404, b"") if found is None else (200, orjson.dumps(_shown(found)))
        page = await database.events.find({"creator": caller}).sort("_id", 1).limit(PAGE).to_list(PAGE)
        return 200, orjson.dumps([_shown(event) for event in page])

    async def _create(self, event: Stored) -> None:
        assert self._client is not None
        database = self._client[DATABASE]

        async def both(session: AsyncIOMotorClientSession) -> None:
            await database.events.insert_one(event, session=session)
            pushed = {"$push": {"events": event["_id"]}}
            await database.users.update_one({"_id": event["creator"]}, pushed, session=session)

        async with await self._client.start_session() as session:
            await session.with_transaction(both)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message: Message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


app = Floor()

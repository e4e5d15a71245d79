"""Creating something once, however often the request is sent (`Idempotency-Key`)."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel

from database.errors import DuplicateKey
from database.queries import Id, as_id
from database.writes import Insert, Write
from models.shared.idempotent_response import IdempotentResponse
from models.shared.views import View
from planner.errors import DoubleBooking, Invalid


class IdempotencyKey(NamedTuple):
    """Who asks, what for, and the key they chose; `secret` keeps what is stored unreadable."""

    scope: str
    key: str
    secret: str
    owner: Id | None = None

    def id(self) -> str:
        """What the answer is stored under."""
        return self._digest("key", f"{self.scope}\n{self.key}".encode())

    def fingerprint(self, body: BaseModel) -> str:
        """Tells two bodies apart, without telling what was in them."""
        return self._digest("body", body.model_dump_json().encode())

    def _digest(self, purpose: str, message: bytes) -> str:
        return hmac.digest(self.secret.encode(), purpose.encode() + b"\0" + message, hashlib.sha256).hex()


async def once(
    ask: IdempotencyKey | None,
    body: BaseModel,
    now: datetime,
    make: Callable[[Callable[[View], list[Write]]], Awaitable[View]],
) -> View:
    """What `make` makes, or the first answer when the same request was made before.

    `make` is given a function that turns the view it is about to answer into the writes
    that remember it; they belong into the same group as the creation itself, so that a
    crash leaves both or neither.

    Raises `Invalid` when the key was used with another body.
    """
    if ask is None:
        return await make(lambda view: [])
    id, fingerprint = ask.id(), ask.fingerprint(body)

    def remember(view: View) -> list[Write]:
        stored = {
            "_id": id,
            "fingerprint": fingerprint,
            "json": view.json,
            "thing": view.id,
            "revision": view.revision,
            # What nobody signed in has made is an account: it is its own owner.
            "owner": ask.owner or as_id(view.id),
            "created_at": now,
        }
        return [Insert(IdempotentResponse, stored)]

    if first := await _first(id, fingerprint):
        return first
    try:
        return await make(remember)
    except (DuplicateKey, DoubleBooking):
        # The same request, sent twice at once: the other one was first, and took the time as well.
        if first := await _first(id, fingerprint):
            return first
        raise


async def _first(id: str, fingerprint: str) -> View | None:
    answer = await IdempotentResponse.get(id)
    if answer is None:
        return None
    if not hmac.compare_digest(answer.fingerprint, fingerprint):
        raise Invalid.field("", "this Idempotency-Key was used with another body")
    return View(answer.json_, answer.thing, answer.revision)

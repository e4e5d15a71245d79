"""Idempotency keys: a client may send a request again without creating a second thing.

The response is stored in the same group of writes as what the request creates, so that a crash
leaves both or neither. A use case that creates something

1. returns `find_stored_response(key, body)` when there is one,
2. commits `store_response(key, body, view, now)` together with its own writes,
3. looks for a stored response again when a unique index refuses the group: the same request may
   have arrived twice at the same moment, and the other one was faster.
"""

import hashlib
import hmac
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel

from database.queries import Id, parse_id
from database.writes import Insert, Write
from models.shared.idempotent_response import IdempotentResponse
from planner.errors import Invalid
from planner.services.shared.views import View


class IdempotencyKey(NamedTuple):
    """The key that a client has chosen, for one user and one route.

    `secret` is the server's: with it, nothing that is stored reveals the key or the body.
    """

    scope: str
    key: str
    secret: str
    owner: Id | None = None

    def id(self) -> str:
        """Return the id that the response is stored under."""
        return self._digest("key", f"{self.scope}\n{self.key}".encode())

    def fingerprint(self, body: BaseModel) -> str:
        """Return what tells two bodies apart, without revealing them."""
        return self._digest("body", body.model_dump_json().encode())

    def _digest(self, purpose: str, message: bytes) -> str:
        return hmac.digest(self.secret.encode(), purpose.encode() + b"\0" + message, hashlib.sha256).hex()


async def find_stored_response(key: IdempotencyKey | None, body: BaseModel) -> View | None:
    """Return the first response to a request with this key; None without one, or without a key.

    Raises `Invalid` when the key was used with another body.
    """
    if key is None:
        return None
    stored = await IdempotentResponse.by_id(key.id())
    if stored is None:
        return None
    if not hmac.compare_digest(stored.fingerprint, key.fingerprint(body)):
        raise Invalid.field("", "this Idempotency-Key was used with another body")
    return View(stored.body, stored.resource, stored.revision)


def store_response(key: IdempotencyKey | None, body: BaseModel, view: View, now: datetime) -> list[Write]:
    """Return the writes that store the response to a request; none without a key."""
    if key is None:
        return []
    response = IdempotentResponse(
        id=key.id(),
        fingerprint=key.fingerprint(body),
        body=view.json,
        resource=view.id,
        revision=view.revision,
        # Without a signed-in user, what is created is an account: it owns its response.
        owner=key.owner or parse_id(view.id),
        created_at=now,
    )
    return [Insert(response)]

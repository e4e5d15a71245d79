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
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel

from auth.secret_keys import SecretKeys, derive
from database.queries import Id, parse_id
from database.writes import Insert, Write
from models.shared.idempotent_response import IdempotentResponse
from planner.errors import Invalid
from planner.services.shared.views import View


class IdempotencyKey(NamedTuple):
    """The key that a client has chosen, for one user and one route.

    `secrets` are the server's: with them, nothing that is stored reveals the key or the body.
    """

    scope: str
    key: str
    secrets: SecretKeys
    owner: Id | None = None

    def id(self, secret: str) -> str:
        """Return the id that the response is stored under, with this secret of the server."""
        return _digest(secret, "key", f"{self.scope}\n{self.key}".encode())

    def fingerprint(self, body: BaseModel, secret: str) -> str:
        """Return what tells two bodies apart, without revealing them, with this secret of the server."""
        return _digest(secret, "body", body.model_dump_json().encode())

    def derive_secrets(self, purpose: str, body: BaseModel, id: str) -> list[str]:
        """Return the secret that the request gives to what it creates, which has this id: always the same.

        The first response has to be sent again, but its secret must not be stored. So it is derived from the request,
        the id and the server's secret. Without the id, the same request would lead to the same secret again after the
        key has expired. There is one for each secret of the server that is accepted, the current one first.
        """
        return [
            derive(secret, purpose, f"{self.id(secret)}{self.fingerprint(body, secret)}{id}")
            for secret in self.secrets.accepted
        ]


def _digest(secret: str, purpose: str, message: bytes) -> str:
    return hmac.digest(secret.encode(), purpose.encode() + b"\0" + message, hashlib.sha256).hex()


async def find_stored_response(key: IdempotencyKey | None, body: BaseModel) -> View | None:
    """Return the first response to a request with this key; None without one, or without a key.

    Raises `Invalid` when the key was used with another body.
    """
    if key is None:
        return None
    for secret in key.secrets.accepted:
        stored = await IdempotentResponse.by_id(key.id(secret))
        if stored is None:
            continue
        if not hmac.compare_digest(stored.fingerprint, key.fingerprint(body, secret)):
            raise Invalid.field("", "this Idempotency-Key was used with another body")
        return View(stored.body, stored.resource, stored.revision)
    return None


def store_response(key: IdempotencyKey | None, body: BaseModel, view: View, now: datetime) -> list[Write]:
    """Return the writes that store the response to a request; none without a key.

    While the server's secret is replaced, it is stored with both secrets. So the unique index also refuses the second
    of two requests that arrive at the same moment at planners of which only one has the new secret yet.
    """
    if key is None:
        return []
    return [
        Insert(
            IdempotentResponse(
                id=key.id(secret),
                fingerprint=key.fingerprint(body, secret),
                body=view.json,
                resource=view.id,
                revision=view.revision,
                # Without a signed-in user, what is created is an account: it owns its response.
                owner=key.owner or parse_id(view.id),
                created_at=now,
            )
        )
        for secret in key.secrets.accepted
    ]


async def choose_stored(secrets: Sequence[str], find: Callable[[str], Awaitable[object]]) -> str:
    """Return which of the secrets that `derive_secrets` gives was stored: the one that `find` finds, or the first."""
    for secret in secrets[1:]:
        if await find(secret) is not None:
            return secret
    return secrets[0]

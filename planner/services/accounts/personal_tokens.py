"""Personal access tokens: made, listed, removed."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.queries import new_id, parse_id
from database.writes import InsertStored, Write
from models.accounts.personal_token import PersonalToken, PersonalTokenCreate, personal_token_body
from models.accounts.user import User
from models.shared.views import Page, View, to_json
from planner.clock import Clock
from planner.domain.cursors import ID_PATTERN, decode_cursor
from planner.errors import InvalidToken, NotFound
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.idempotency import IdempotencyKey, once


class NewToken(NamedTuple):
    """A new token, and its secret, which is shown this once."""

    view: View
    secret: str


class PersonalTokens:
    """The use cases of personal access tokens."""

    def __init__(self, principals: Principals, audit: AuditLog, tokens: OpaqueTokens, clock: Clock) -> None:
        self._principals = principals
        self._audit = audit
        self._tokens = tokens
        self._clock = clock

    async def create(
        self, caller: Principal, draft: PersonalTokenCreate, client: ClientInfo, ask: IdempotencyKey | None
    ) -> NewToken:
        """A new token for the caller."""
        now, id = self._clock.now(), new_id()

        def secret_of(id: str) -> str:
            # The first answer has to be given again, but its secret must not be stored: with an
            # Idempotency-Key the secret follows from the request, the token's id and the server's
            # own secret. Without the id, the request made again after a day would give the same one.
            if ask is None:
                return self._tokens.personal_token()
            return self._tokens.personal_token(
                self._tokens.derive("personal token", f"{ask.id()}{ask.fingerprint(draft)}{id}")
            )

        secret = secret_of(str(id))
        stored = {
            "_id": id,
            "user": caller.id,
            "name": draft.name,
            "scopes": list(dict.fromkeys(draft.scopes)),
            "digest": digest(secret),
            "created_at": now,
            "expires_at": now + timedelta(seconds=draft.expires_in),
            "last_used_at": None,
        }
        view = View(to_json(personal_token_body(stored)), str(stored["_id"]), 1)

        async def make(remember: Callable[[View], list[Write]]) -> View:
            note = self._audit.entry("token-created", client, caller.id, caller.id, " ".join(draft.scopes))
            alive = User.signing_in(caller.id, now)
            if not await commit_atomically([*remember(view), InsertStored(PersonalToken, stored), alive, note]):
                raise InvalidToken("The account of this access token is gone.")
            return view

        first = await once(ask, draft, now, make)
        return NewToken(first, secret if first is view else secret_of(first.id))

    async def listed(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """A page of the caller's tokens, without their secrets."""
        after = decode_cursor(cursor, ID_PATTERN)
        return await PersonalToken.listed(caller.id, self._clock.now(), parse_id(after) if after else None, limit)

    async def remove(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """Make one of the caller's tokens worthless; raises `NotFound`."""
        known = parse_id(id)
        note = self._audit.entry("token-removed", client, caller.id, caller.id)
        if known is None or not await commit_atomically([PersonalToken.removing(known, caller.id), note]):
            raise NotFound
        self._principals.forget_user(caller.id)

    async def revoke(self, secret: str, client: ClientInfo) -> bool:
        """Make the token with this secret worthless (RFC 7009); False when there is none."""
        found = await PersonalToken.by_digest(digest(secret), self._clock.now())
        if found is None:
            return False
        note = self._audit.entry("token-revoked", client, found["user"])
        await commit_atomically([PersonalToken.removing(found["_id"], found["user"]), note])
        self._principals.forget_user(found["user"])
        return True

"""Personal access tokens: created, listed, revoked."""

from datetime import timedelta
from typing import NamedTuple

from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import new_id, parse_id
from database.writes import Insert, Write
from models.accounts.personal_token import PersonalToken, PersonalTokenCreate, PersonalTokenRead
from models.accounts.user import User
from planner.clock import Clock
from planner.errors import InvalidToken, NotFound
from planner.services.accounts.grants import require_session_writes
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.idempotency import IdempotencyKey, choose_stored, find_stored_response, store_response
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.views import Page, View


class CreatedToken(NamedTuple):
    """A new token, and its secret, which is shown only once."""

    token: PersonalTokenRead
    secret: str


class PersonalTokens:
    """The use cases of personal access tokens."""

    def __init__(self, principals: Principals, audit: AuditLog, opaque_tokens: OpaqueTokens, clock: Clock) -> None:
        self._principals = principals
        self._audit = audit
        self._opaque_tokens = opaque_tokens
        self._clock = clock

    async def create(
        self, caller: Principal, draft: PersonalTokenCreate, client: ClientInfo, key: IdempotencyKey | None
    ) -> CreatedToken:
        """Create a token of the caller's; raises `InvalidToken` when the account was deleted or disabled meanwhile."""
        if created := await self._find_created(draft, key):
            return created
        now, id = self._clock.now(), new_id()
        secret = self._make_secrets(str(id), draft, key)[0]
        token = PersonalToken(
            id=id,
            user=caller.id,
            name=draft.name,
            scopes=list(dict.fromkeys(draft.scopes)),
            digest=digest(secret),
            created_at=now,
            expires_at=now + timedelta(seconds=draft.expires_in),
            last_used_at=None,
        )
        response = PersonalTokenRead.from_document(token)
        writes: list[Write] = [
            *store_response(key, draft, View(response.to_json(), response.id, 1), now),
            Insert(token),
            User.sign_in_write(caller.id, now),
            *require_session_writes(caller, now),
            self._audit.entry_write("token-created", client, caller.id, caller.id, " ".join(draft.scopes)),
        ]
        try:
            if not await commit_atomically(writes):
                raise InvalidToken("The account of this access token is deleted or disabled.")
        except DuplicateKey:
            if created := await self._find_created(draft, key):
                return created
            raise
        return CreatedToken(response, secret)

    async def _find_created(self, draft: PersonalTokenCreate, key: IdempotencyKey | None) -> CreatedToken | None:
        """Return what the first request with this key has created, or None."""
        stored = await find_stored_response(key, draft)
        if stored is None:
            return None
        now = self._clock.now()
        secrets = self._make_secrets(stored.id, draft, key)
        secret = await choose_stored(secrets, lambda secret: PersonalToken.by_digest(digest(secret), now))
        return CreatedToken(PersonalTokenRead.model_validate_json(stored.json), secret)

    def _make_secrets(self, id: str, draft: PersonalTokenCreate, key: IdempotencyKey | None) -> list[str]:
        """Return the secret of a token: random, or with an Idempotency-Key those of `derive_secrets`."""
        if key is None:
            return [self._opaque_tokens.personal_token()]
        materials = key.derive_secrets("personal token", draft, id)
        return [self._opaque_tokens.personal_token(material) for material in materials]

    async def get_page(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """Return a page of the caller's tokens without their secrets, the oldest first."""
        found = await PersonalToken.find_by_user(caller.id, self._clock.now(), parse_id_cursor(cursor), limit)
        return page_by_id(found, render_personal_token)

    async def revoke(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """Revoke one of the caller's tokens; raises `NotFound`."""
        token = parse_id(id)
        entry = self._audit.entry_write("token-removed", client, caller.id, caller.id)
        if token is None or not await commit_atomically([PersonalToken.delete_write(token, caller.id), entry]):
            raise NotFound
        self._principals.forget_user(caller.id)

    async def revoke_secret(self, secret: str, client: ClientInfo) -> None:
        """Revoke the token with this secret (RFC 7009), if there is one."""
        token = await PersonalToken.by_digest(digest(secret), self._clock.now())
        if token is None:
            return
        entry = self._audit.entry_write("token-revoked", client, token.user)
        await commit_atomically([PersonalToken.delete_write(token.id, token.user), entry])
        self._principals.forget_user(token.user)


def render_personal_token(token: PersonalToken) -> bytes:
    """Return the JSON of a token, without its secret."""
    return PersonalTokenRead.from_document(token).to_json()

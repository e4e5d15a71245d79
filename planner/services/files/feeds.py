"""Feeds: made, listed, removed, and opened by who has the address."""

from collections.abc import Callable
from typing import NamedTuple

from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import NOTED, Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import new_id, parse_id
from database.writes import InsertStored, Write
from models.accounts.user import User
from models.files.feed import MOST, Feed, FeedCreate, feed_body
from models.shared.fields import fold_tag
from models.shared.views import Page, View, to_json
from planner.clock import Clock
from planner.domain.cursors import ID_PATTERN, decode_cursor
from planner.errors import Conflict, InvalidToken, NotFound
from planner.services.files.exports import ExportSelection
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.idempotency import IdempotencyKey, once


class NewFeed(NamedTuple):
    """A new feed, and the secret of its address, which is shown this once."""

    view: View
    secret: str


class Feeds:
    """The use cases of feeds."""

    def __init__(self, audit: AuditLog, tokens: OpaqueTokens, clock: Clock) -> None:
        self._audit = audit
        self._tokens = tokens
        self._clock = clock

    async def create(
        self, caller: Principal, draft: FeedCreate, client: ClientInfo, ask: IdempotencyKey | None
    ) -> NewFeed:
        """A new feed of the caller's; raises `Conflict` for one too many."""
        now, id = self._clock.now(), new_id()

        def secret_of(id: str) -> str:
            # As with personal tokens: what has to be answered again, and must not be stored, follows
            # from the request and the server's own secret.
            if ask is None:
                return self._tokens.feed_token()
            return self._tokens.feed_token(self._tokens.derive("feed", f"{ask.id()}{ask.fingerprint(draft)}{id}"))

        secret = secret_of(str(id))
        stored = {
            "_id": id,
            "user": caller.id,
            "name": draft.name,
            "scope": draft.scope,
            "tag": None if draft.tag is None else fold_tag(draft.tag),
            "digest": digest(secret),
            "created_at": now,
            "last_read_at": None,
        }
        view = View(to_json(feed_body(stored)), str(id), 1)

        async def make(remember: Callable[[View], list[Write]]) -> View:
            slot = await Feed.free_slot(caller.id)
            if slot is None:
                raise Conflict(f"You have {MOST} feeds already; remove one first.")
            note = self._audit.entry("feed-created", client, caller.id, caller.id, draft.scope)
            alive = User.signing_in(caller.id, now)
            writes: list[Write] = [*remember(view), InsertStored(Feed, {**stored, "slot": slot}), alive, note]
            if not await commit_atomically(writes):
                raise InvalidToken("The account of this access token is gone.")
            return view

        # Each loss means that another feed of the same person's took the slot.
        for _ in range(MOST):
            try:
                first = await once(ask, draft, now, make)
            except DuplicateKey:
                continue
            return NewFeed(first, secret if first is view else secret_of(first.id))
        raise Conflict("Many feeds of yours are being made at once. Try again.")

    async def listed(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """A page of the caller's feeds, without their addresses."""
        after = decode_cursor(cursor, ID_PATTERN)
        return await Feed.listed(caller.id, parse_id(after) if after else None, limit)

    async def remove(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """Make the address of one of the caller's feeds worthless; raises `NotFound`."""
        known = parse_id(id)
        note = self._audit.entry("feed-removed", client, caller.id, caller.id)
        if known is None or not await commit_atomically([Feed.removing(known, caller.id), note]):
            raise NotFound

    async def open(self, secret: str) -> ExportSelection:
        """What the feed at an address shows.

        Raises `NotFound` for one that was never given out or is worthless by now, and when the
        account is gone or disabled. It is read anew each time: whoever removes a feed wants it
        gone at once.
        """
        found, now = await Feed.by_digest(digest(secret)), self._clock.now()
        if found is None:
            raise NotFound
        standing = await User.standing(found["user"])
        if standing is None or standing["disabled"]:
            raise NotFound
        if found["last_read_at"] is None or now - found["last_read_at"] > NOTED:
            await Feed.touch(found["_id"], now)
        return ExportSelection(found["scope"], found["user"], found["tag"], name=found["name"])

"""Creating, listing and deleting feeds, and finding the feed at an address."""

from typing import NamedTuple

from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import LAST_USED_ACCURACY, Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, new_id, parse_id
from database.writes import Insert
from models.accounts.closed_account import refresh_closed_accounts
from models.accounts.user import User
from models.events.event_fields import fold_tag
from models.events.event_queries import EventSelection
from models.files.feed import MAX_FEEDS, Feed
from models.files.feed_schema import FeedCreate, FeedRead
from planner.clock import Clock
from planner.errors import Conflict, InvalidToken, NotFound
from planner.services.accounts.grants import require_session_writes
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.exports import ExportSelection
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.idempotency import IdempotencyKey, choose_stored, find_stored_response, store_response
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.views import Page, View


class NewFeed(NamedTuple):
    """A new feed, and the secret token of its address."""

    feed: FeedRead
    token: str


class Feeds:
    """The use cases of feeds."""

    def __init__(self, locks: UserWriteLocks, audit: AuditLog, tokens: OpaqueTokens, clock: Clock) -> None:
        self._locks = locks
        self._audit = audit
        self._tokens = tokens
        self._clock = clock

    async def create(
        self, caller: Principal, body: FeedCreate, client: ClientInfo, key: IdempotencyKey | None
    ) -> NewFeed:
        """Create a feed of the caller.

        Raises `Conflict` when the caller has `MAX_FEEDS` feeds, and `InvalidToken` when the account is
        deleted or disabled.
        """
        if (stored := await self._find_created(key, body)) is not None:
            return stored
        now, id = self._clock.now(), new_id()
        token = self._make_tokens(id, key, body)[0]
        feed = Feed(
            id=id,
            user=caller.id,
            name=body.name,
            scope=body.scope,
            tag=None if body.tag is None else body.tag.strip(),
            digest=digest(token),
            created_at=now,
        )
        response = FeedRead.from_document(feed)
        writes = [
            *store_response(key, body, View(response.to_json(), str(id), 1), now),
            Insert(feed),
            User.sign_in_write(caller.id, now),
            *require_session_writes(caller, now),
            self._audit.entry_write("feed-created", client, caller.id, caller.id, feed.scope),
        ]

        async def check_limit() -> None:
            if await Feed.is_limit_reached(caller.id):
                raise Conflict(f"You have {MAX_FEEDS} feeds, which is the maximum. Delete one first.")

        try:
            is_created = await self._locks.decide_and_commit(caller.id, check_limit, writes)
        except (Conflict, DuplicateKey):
            # The same request may have arrived twice at once, and the other one created the feed.
            if (stored := await self._find_created(key, body)) is not None:
                return stored
            raise
        if not is_created:
            raise InvalidToken("The account of this access token has been deleted or disabled.")
        return NewFeed(response, token)

    async def _find_created(self, key: IdempotencyKey | None, body: FeedCreate) -> NewFeed | None:
        """Return what a request with the same key has created, or None."""
        stored = await find_stored_response(key, body)
        if stored is None:
            return None
        feed = FeedRead.model_validate_json(stored.json)
        tokens = self._make_tokens(Id(feed.id), key, body)
        return NewFeed(feed, await choose_stored(tokens, lambda token: Feed.by_digest(digest(token))))

    def _make_tokens(self, feed: Id, key: IdempotencyKey | None, body: FeedCreate) -> list[str]:
        """Return the token of a feed: random, or with an Idempotency-Key those of `derive_secrets`."""
        if key is None:
            return [self._tokens.feed_token()]
        return [self._tokens.feed_token(material) for material in key.derive_secrets("feed", body, str(feed))]

    async def get_page(self, caller: Principal, cursor: str | None, limit: int) -> Page:
        """Return a page of the caller's feeds, without their addresses. Raises `Invalid` for a wrong cursor."""
        return page_by_id(await Feed.find_by_user(caller.id, parse_id_cursor(cursor), limit), render_feed)

    async def delete(self, caller: Principal, id: str, client: ClientInfo) -> None:
        """Delete a feed of the caller, so that its address stops working. Raises `NotFound`."""
        feed_id = parse_id(id)
        entry = self._audit.entry_write("feed-removed", client, caller.id, caller.id)
        if feed_id is None or not await commit_atomically([Feed.delete_write(feed_id, caller.id), entry]):
            raise NotFound

    async def open(self, token: str) -> ExportSelection:
        """Return what the feed with this token contains.

        Raises `NotFound` when there is no such feed, or its user's account is disabled. Nothing is
        cached: a deleted feed stops working at once.
        """
        await refresh_closed_accounts()
        feed, now = await Feed.by_digest(digest(token)), self._clock.now()
        if feed is None or not await User.is_active(feed.user):
            raise NotFound
        if feed.last_read_at is None or now - feed.last_read_at > LAST_USED_ACCURACY:
            await Feed.record_read(feed.id, now)
        tag = None if feed.tag is None else fold_tag(feed.tag)
        # Whoever publishes public events passes the address on: it shows what everyone may see.
        reader = None if feed.scope == "public" else feed.user
        return ExportSelection(EventSelection(feed.scope, feed.user, tag=tag), reader, feed.name)


def render_feed(feed: Feed) -> bytes:
    """Return the JSON of a feed, without its address."""
    return FeedRead.from_document(feed).to_json()

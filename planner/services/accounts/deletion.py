"""Taking one's data along, and leaving without a trace."""

from collections.abc import AsyncIterator

from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.writes import Delete, Write
from models.accounts.oidc_login import AuthorizationCode
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import User
from models.events.event import Event
from models.events.revision import Revision
from models.events.revision_view import exported
from models.files.feed import MAX_FEEDS, Feed
from models.files.feed_schema import FeedRead
from models.files.import_job import ImportJob
from models.files.import_schema import ImportJobRead
from models.mail.queued_mail import QueuedMail
from models.people.busy_share import MOST as MOST_SHARES
from models.people.busy_share import BusyShare
from models.shared.audit import Audit
from models.shared.idempotent_response import IdempotentResponse
from models.shared.views import to_json
from planner.clock import Clock
from planner.domain.cursors import ORDER_KEY_PATTERN, decode_cursor
from planner.errors import Conflict, InvalidToken, Stale
from planner.services.accounts.accounts import Accounts
from planner.services.accounts.administration import LAST_ADMIN, keep_an_admin
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo

# Leaving removes everything at once, however much there is.
SECONDS = 60.0
PAGE = 200


class AccountDeletion:
    """The use cases of export and deletion."""

    def __init__(self, accounts: Accounts, principals: Principals, audit: AuditLog, clock: Clock) -> None:
        self._accounts = accounts
        self._principals = principals
        self._audit = audit
        self._clock = clock

    async def export(self, caller: Principal) -> AsyncIterator[bytes]:
        """Everything that is held on the caller, as one JSON object, in parts."""
        account = await self._accounts.me(caller)
        stored = await User.stored(caller.id) or {}
        now = self._clock.now()
        yield b'{"account":' + account.json + b',"identities":' + to_json(stored.get("identities", []))
        yield b',"sessions":[' + b",".join((await Session.listed(caller.id, caller.session, now, None, 1000)).items)
        yield b'],"tokens":[' + b",".join((await PersonalToken.listed(caller.id, now, None, 1000)).items)
        yield b'],"free_busy_shares":[' + b",".join((await BusyShare.listed(caller.id, None, MOST_SHARES)).items)
        feeds = (await Feed.find_by_user(caller.id, None, MAX_FEEDS)).items
        yield b'],"feeds":[' + b",".join(FeedRead.from_document(feed).to_json() for feed in feeds)
        yield b'],"audit":[' + b",".join(await self._audit.about(caller, 10_000))
        yield b'],"events":['
        after, first = None, True
        while True:
            page = await Event.listed("mine", caller.id, (None, None), None, after, PAGE)
            if page.items:
                yield (b"" if first else b",") + b",".join(page.items)
                first = False
            if page.next is None:
                break
            after = decode_cursor(page.next, ORDER_KEY_PATTERN)
        yield b'],"revisions":['
        first = True
        async for kept in Revision.of_creator(caller.id):
            yield (b"" if first else b",") + exported(kept)
            first = False
        yield b'],"imports":['
        first = True
        async for job in ImportJob.iterate_by_owner(caller.id):
            yield (b"" if first else b",") + ImportJobRead.from_document(job).to_json()
            first = False
        yield b"]}"

    async def leave(
        self, caller: Principal, password: str, revisions: frozenset[int] | None, client: ClientInfo
    ) -> None:
        """Remove the account and everything that is its own, as one write; needs the password.

        What was noted in the audit stays, without saying any more whom it was about. Raises
        `Forbidden`, `Stale`, and `Conflict` for the last admin.
        """
        user = await self._accounts.prove(caller, password, client)
        if revisions is not None and user["revision"] not in revisions:
            raise Stale("Your account was changed since you read it.")
        id, now = caller.id, self._clock.now()
        is_admin = user["role"] == "admin" and not user["disabled"]
        writes: list[Write] = [
            *(keep_an_admin(id) if is_admin else []),
            Delete(User, {"_id": id, "role": user["role"]}),
            *await Event.delete_all_of(id, now),
            Revision.delete_all_of(id),
            Revision.forgetting(id),
            Event.forgetting(id),
            Session.ending_all(id),
            PersonalToken.delete_all_of(id),
            Feed.delete_all_write(id),
            *ImportJob.delete_all_writes(id),
            OneTimeToken.delete_all_of(id),
            *BusyShare.delete_all_of(id),
            QueuedMail.delete_all_of(id),
            # Recovery mails that were asked for do not say whose they are.
            Delete(QueuedMail, {"address": {"$in": [user["email"], user["email_key"]]}}, many=True),
            Delete(AuthorizationCode, {"user": id}, many=True),
            Delete(IdempotentResponse, {"owner": id}, many=True),
            *Audit.forgetting(id),
            self._audit.entry("account-deleted", None, None),
        ]
        if not await commit_atomically(writes, seconds=SECONDS):
            if await User.stored(id) is None:
                raise InvalidToken("The account of this access token is gone.")
            raise Conflict(LAST_ADMIN if is_admin else "Your account was changed by another request. Try again.")
        self._principals.forget_user(id)

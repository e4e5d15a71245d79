"""The deletion of an account with everything that belongs to it.

The account is closed in one transaction, which deletes it: nobody can sign in any more or use a token of it, and
nothing of it can be seen. Then what belongs to it is deleted in pieces, for `REQUEST_SECONDS` in the request, and the
rest in the background, by any process. See docs/decisions/0032-deletion-in-pieces.md.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.connection import lift_request_limit
from database.errors import DuplicateKey
from database.pieces import limit_write
from database.queries import Id, new_id
from database.writes import Delete, Insert, Update, Write
from models.accounts.closed_account import ClosedAccount
from models.accounts.export_job import ExportJob
from models.accounts.user import User
from models.events.event import Event
from models.events.event_writes import delete_some_events
from models.events.revision import Revision
from models.events.tombstone import Tombstone
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail
from models.people.busy_share import BusyShare
from models.shared.audit import AuditEntry
from models.shared.idempotent_response import IdempotentResponse
from planner.clock import Clock
from planner.errors import Conflict, InvalidToken, Stale
from planner.services.accounts.accounts import Accounts
from planner.services.accounts.administration import LAST_ADMIN, is_active_admin, other_admin_writes, read_account
from planner.services.accounts.grants import end_grants_writes
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.leased_work import do_leased_work
from planner.services.shared.rate_limiter import RateLimiter, failed_sign_ins

log = logging.getLogger("planner.deletion")
# So many documents are deleted in one transaction, which takes a fraction of a second.
PIECE_SIZE = 500
PIECE_SECONDS = 30.0
# How long a request deletes before it leaves the rest to the background. It is longer than `KNOWN_SECONDS`: when the
# response is sent, every process knows that the account is closed.
REQUEST_SECONDS = 2.0
FIRST_PAUSE = timedelta(seconds=10)


class _Piece(NamedTuple):
    """Writes that belong together, and how many events they delete."""

    writes: Sequence[Write]
    events: int = 0


class AccountDeletion:
    """The use cases of a person who deletes their account, and of an admin who deletes another one.

    `wake` is set when a deletion has to go on in the background.
    """

    def __init__(
        self,
        accounts: Accounts,
        principals: Principals,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._principals = principals
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._clock = clock
        self.wake = asyncio.Event()

    async def delete(
        self, caller: Principal, password: str, revisions: frozenset[int] | None, client: ClientInfo
    ) -> None:
        """Delete the caller's account and everything that belongs to it; needs the password.

        Audit entries about the account stay, without any reference to it. Raises `Forbidden` for a wrong password,
        `Stale` when the account has none of the `revisions` (None: any), and `Conflict` for the last admin.
        """
        user = await self._accounts.require_password(caller, password, client)
        await self._delete(user, revisions, self._audit.entry_write("account-deleted", None, None))

    async def delete_other(
        self, admin: Principal, id: str, revisions: frozenset[int] | None, client: ClientInfo
    ) -> None:
        """Delete somebody else's account, with everything that belongs to it, as its owner would.

        Raises `NotFound`, `Stale` and `Conflict`.
        """
        user = await read_account(id)
        if user.id == admin.id:
            raise Conflict("This is your own account. Delete it at /users/me, which asks for your password.")
        await self._delete(user, revisions, self._audit.entry_write("account-deleted", client, None, admin.id))

    async def run_due(self) -> int:
        """Go on with every deletion that is due, from where it was left; return how many were finished.

        One that raises what it should not is tried again after a pause.
        """
        return sum(await do_leased_work(ClosedAccount, self._delete_pieces, self._clock, log, first_pause=FIRST_PAUSE))

    async def finish_all(self, notify: Callable[[int], None]) -> None:
        """Return when nothing of any closed account is left; others may work on it as well.

        Calls `notify` each second, and at the end, with the number of accounts of which something is left.
        """
        while True:
            await self.run_due()
            left = await ClosedAccount.count_all()
            notify(left)
            if not left:
                return
            await asyncio.sleep(1)

    async def _delete(self, user: User, revisions: frozenset[int] | None, entry: Write) -> None:
        if revisions is not None and user.revision not in revisions:
            raise Stale("The account was changed since you read it.")
        holder = new_id()
        closed = ClosedAccount.new(user.id, len(user.event_ids), holder, self._clock.now())
        await self._close(user, closed, entry)
        # The account is closed, whatever happens from now on.
        lift_request_limit()
        until = time.monotonic() + REQUEST_SECONDS
        try:
            if await self._delete_pieces(closed, holder, until=until):
                return
            await ClosedAccount.release_lease(user.id, holder, self._clock.now())
            self.wake.set()
        except Exception:  # When the lease expires, the background goes on.
            log.exception("what belongs to a closed account could not be deleted at once")
        await asyncio.sleep(max(until - time.monotonic(), 0))

    async def _close(self, user: User, closed: ClosedAccount, entry: Write) -> None:
        """Delete the account itself, and with it all that its address and name are reserved or used for."""
        is_admin = is_active_admin(user)
        writes: list[Write] = [
            *(other_admin_writes(user.id) if is_admin else []),
            Insert(closed),
            Delete(User, {User.id: user.id, User.role: user.role}),
            # A recovery mail has no user, but one of the addresses, which somebody else may have tomorrow.
            *QueuedMail.delete_all_writes(user.id, [user.email, user.email_key]),
            self._rate_limiter.clear_write(*map(failed_sign_ins, user.login_keys)),
            entry,
        ]
        try:
            is_closed = await commit_atomically(writes)
        except DuplicateKey:
            is_closed = False  # Another request has closed it.
        if not is_closed:
            if await User.by_id(user.id) is None:
                raise InvalidToken("The account of this access token has been deleted.")
            raise Conflict(LAST_ADMIN if is_admin else "The account was changed by another request. Try again.")
        self._principals.forget_user(user.id)

    async def _delete_pieces(self, closed: ClosedAccount, holder: Id, until: float | None = None) -> bool:
        """Delete what is left of a closed account, piece by piece, each with its progress.

        Returns False if something is left at `until`, a time of `time.monotonic`, or another process goes on.
        """
        async for piece in self._iterate_pieces(closed.id):
            if until is not None and time.monotonic() >= until:
                return False
            progress = ClosedAccount.progress_write(closed.id, holder, self._clock.now(), piece.events)
            is_done = await commit_atomically([progress, *piece.writes], seconds=PIECE_SECONDS)
            # If the lease is not lost, one of the events has just become public: they are read again.
            if not is_done and not await ClosedAccount.renew_lease(closed.id, holder, self._clock.now()):
                return False
        return await commit_atomically([ClosedAccount.finish_write(closed.id, holder)])

    async def _iterate_pieces(self, user: Id) -> AsyncIterator[_Piece]:
        """Yield the writes that delete what belongs to an account; each piece is read after the one before is done."""
        for write in end_grants_writes(user):
            async for piece in _split(write):
                yield piece
        while (events := await delete_some_events(user, PIECE_SIZE, self._clock.now())) is not None:
            yield _Piece(events.writes, events.size)
        for write in [
            Revision.delete_all_write(user),
            Revision.anonymize_write(user),
            Event.anonymize_editor_write(user),
            *Tombstone.anonymize_writes(user),
            BusyShare.delete_all_of_reader_write(user),
            *ImportJob.delete_all_writes(user),
            *ExportJob.delete_all_writes(user),
            IdempotentResponse.delete_all_write(user),
            # Last of all: a request that was under way when the account was closed may have added an entry.
            *AuditEntry.anonymize_writes(user),
            # A server without transactions may have stopped before it deleted the account.
            Delete(User, {User.id: user}, many=True),
        ]:
            async for piece in _split(write):
                yield piece


async def _split(write: Write) -> AsyncIterator[_Piece]:
    assert isinstance(write, Delete | Update)
    while (part := await limit_write(write, PIECE_SIZE)) is not None:
        yield _Piece([part])

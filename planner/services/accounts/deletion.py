"""The deletion of an account with everything that belongs to it."""

from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.writes import Delete, Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_writes import delete_all_events_writes
from models.events.revision import Revision
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
from planner.services.shared.rate_limiter import RateLimiter, failed_sign_ins

# Everything is deleted in one group of writes, however much there is.
TIMEOUT_SECONDS = 60.0


class AccountDeletion:
    """The use cases of a person who deletes their account, and of an admin who deletes another one."""

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

    async def delete(
        self, caller: Principal, password: str, revisions: frozenset[int] | None, client: ClientInfo
    ) -> None:
        """Delete the caller's account and everything that belongs to it, atomically; needs the password.

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

    async def _delete(self, user: User, revisions: frozenset[int] | None, entry: Write) -> None:
        if revisions is not None and user.revision not in revisions:
            raise Stale("The account was changed since you read it.")
        is_admin = is_active_admin(user)
        writes: list[Write] = [
            *(other_admin_writes(user.id) if is_admin else []),
            Delete(User, {User.id: user.id, User.role: user.role}),
            *await delete_all_events_writes(user.id, self._clock.now()),
            Revision.delete_all_write(user.id),
            Revision.anonymize_write(user.id),
            Event.anonymize_editor_write(user.id),
            *end_grants_writes(user.id),
            BusyShare.delete_all_of_reader_write(user.id),
            *ImportJob.delete_all_writes(user.id),
            # A recovery mail has no user, but one of the addresses.
            *QueuedMail.delete_all_writes(user.id, [user.email, user.email_key]),
            IdempotentResponse.delete_all_write(user.id),
            *AuditEntry.anonymize_writes(user.id),
            self._rate_limiter.clear_write(*map(failed_sign_ins, user.login_keys)),
            entry,
        ]
        if not await commit_atomically(writes, seconds=TIMEOUT_SECONDS):
            if await User.by_id(user.id) is None:
                raise InvalidToken("The account of this access token has been deleted.")
            raise Conflict(LAST_ADMIN if is_admin else "The account was changed by another request. Try again.")
        self._principals.forget_user(user.id)

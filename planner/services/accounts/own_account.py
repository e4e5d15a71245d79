"""One's own account: read and changed. A new e-mail address waits until it is proved."""

from datetime import datetime
from typing import NamedTuple

from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Changes, assign
from database.writes import Write
from models.accounts.account_requests import UserPatch
from models.accounts.one_time_token import OneTimeToken
from models.accounts.user import User
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold_email
from planner.clock import Clock
from planner.domain.zones import to_local
from planner.errors import Conflict, Stale
from planner.services.accounts.accounts import EXISTS, Accounts, read_own, render_own
from planner.services.accounts.grants import require_session_writes
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.rate_limiter import (
    MAIL_ACCOUNT,
    MAIL_NETWORK,
    MAIL_TARGET,
    Counted,
    RateLimiter,
    network,
)
from planner.services.shared.retry import retry
from planner.services.shared.views import View


class LocalTime(NamedTuple):
    """A time zone, and the local time there."""

    time_zone: str
    now: datetime


class OwnAccount:
    """The use cases of one's own account."""

    def __init__(self, accounts: Accounts, rate_limiter: RateLimiter, audit: AuditLog, clock: Clock) -> None:
        self._accounts = accounts
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._clock = clock

    async def get(self, caller: Principal) -> View:
        """Return the caller's own account."""
        return render_own(await read_own(caller))

    async def find_local_time(self, caller: Principal) -> LocalTime:
        """Return the time zone of the caller's account, and the local time there."""
        time_zone = await User.find_time_zone(caller.id)
        return LocalTime(time_zone, to_local(self._clock.now(), time_zone))

    async def update(
        self, caller: Principal, patch: UserPatch, revisions: frozenset[int] | None, client: ClientInfo
    ) -> View:
        """Change the caller's own account; a new e-mail address is pending until it is proved.

        Raises `Stale` when the account has none of the `revisions` (None: any), `Conflict` when there is an account
        with the new address or username, and for a new address `Forbidden` unless the caller has just proved who they
        are, and `TooMany` for too many mails.
        """
        user = await read_own(caller)
        _require_revision(user, revisions)
        if patch.email is not None and patch.email != user.email:
            await self._accounts.require_recent_proof(caller, user, patch.current_password, client)
            await self._rate_limiter.count(
                Counted(MAIL_ACCOUNT, "e-mails for this account", str(user.id)),
                Counted(MAIL_TARGET, "e-mails to this address", fold_email(patch.email)),
                Counted(MAIL_NETWORK, "e-mails asked for from this network address", network(client.address)),
            )

        async def attempt() -> User | None:
            user = await read_own(caller)
            _require_revision(user, revisions)
            return await self._apply_patch(caller, user, patch, client)

        exhausted = Conflict("Other requests are changing your account at the same time. Try again.")
        return render_own(await retry(attempt, exhausted=exhausted))

    async def _apply_patch(self, caller: Principal, user: User, patch: UserPatch, client: ClientInfo) -> User | None:
        """Change an account; return it as it is then, or None if it was changed since it was read."""
        now, changes, cleared = self._clock.now(), _profile_changes(patch), _cleared_fields(patch)
        writes: list[Write] = []
        if "email" in patch.model_fields_set and patch.email is None:
            if user.pending_email is not None:
                cleared.append(User.pending_email)
                writes = self._take_back_writes(user, user.pending_email, client)
        elif patch.email is not None and fold_email(patch.email) == user.email_key:
            # Only its spelling is another one: who receives mail there is proved already, or remains to be proved.
            changes |= assign(User.email, patch.email)
        elif patch.email is not None:
            if await User.by_login(patch.email) is not None:
                raise Conflict(EXISTS)
            changes |= assign(User.pending_email, patch.email)
            writes = [*self._request_writes(user, patch.email, client), *require_session_writes(caller, now)]
        update = User.update_write(user.id, now, changes, match={User.revision: user.revision}, cleared=cleared)
        try:
            if not await commit_atomically([update, *writes]):
                return None
        except DuplicateKey:
            raise Conflict(EXISTS) from None
        changes |= assign(User.updated_at, now) | assign(User.revision, user.revision + 1)
        return user.with_stored(changes, removed=set(cleared))

    def _request_writes(self, user: User, address: str, client: ClientInfo) -> list[Write]:
        """Return what belongs to a new address: the mail that proves it, and the news to the present address."""
        now = self._clock.now()
        return [
            QueuedMail.insert_write("verify", user.id, address, now),
            QueuedMail.insert_write("email-change-requested", user.id, user.email, now),
            self._audit.entry_write("email-change-requested", client, user.id, user.id),
        ]

    def _take_back_writes(self, user: User, address: str, client: ClientInfo) -> list[Write]:
        return [
            OneTimeToken.delete_for_address_write(user.id, fold_email(address)),
            self._audit.entry_write("email-change-taken-back", client, user.id, user.id),
        ]


def _require_revision(user: User, revisions: frozenset[int] | None) -> None:
    if revisions is not None and user.revision not in revisions:
        raise Stale("Your account was changed since you read it.")


def _profile_changes(patch: UserPatch) -> Changes:
    """Return the fields that a patch sets, besides the e-mail address."""
    changes: Changes = {}
    if "full_name" in patch.model_fields_set:
        changes |= assign(User.full_name, patch.full_name)
    if "time_zone" in patch.model_fields_set:
        changes |= assign(User.time_zone, patch.time_zone or "UTC")
    if patch.username is not None:
        changes |= User.username_changes(patch.username)
    return changes


def _cleared_fields(patch: UserPatch) -> list[str | None]:
    """Return the fields that a patch removes. The unique index needs accounts without a username to lack it."""
    is_cleared = "username" in patch.model_fields_set and patch.username is None
    return [User.username, User.username_key] if is_cleared else []

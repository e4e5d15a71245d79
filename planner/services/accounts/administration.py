"""What moderators and admins do with accounts: find and read them, change, unlock and sign them out."""

from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.queries import Filter, Id, assign, parse_id
from database.writes import Require, Write
from models.accounts.account_requests import AccountPatch, UserQuery
from models.accounts.session import Session
from models.accounts.user import Role, User
from models.shared.fields import parse_email
from models.shared.guard import Guard
from planner.clock import Clock
from planner.errors import Conflict, Invalid, NotFound, Stale
from planner.services.accounts.accounts import render_user
from planner.services.accounts.email_addresses import EmailAddresses
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.rate_limiter import RateLimiter, failed_sign_ins
from planner.services.shared.views import Page, View

LAST_ADMIN = "This is the last admin. Give another account the role admin first."
ACTIVE_ADMIN: Filter = {User.role: "admin", User.disabled: False}


def other_admin_writes(id: Id) -> list[Write]:
    """Return the writes that refuse their group unless there is an active admin besides this account.

    The first one makes two such groups follow each other: otherwise each would count the admin of the other.
    """
    return [Guard.acquire_write("admins"), Require(User, ACTIVE_ADMIN | {User.id: {"$ne": id}})]


class Administration:
    """The use cases of moderators and admins, as far as they concern accounts."""

    def __init__(
        self,
        principals: Principals,
        email_addresses: EmailAddresses,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._principals = principals
        self._email_addresses = email_addresses
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._clock = clock

    async def get_account_page(self, query: UserQuery) -> Page:
        """Return a page of the accounts that a query finds, the oldest first."""
        found = await User.find_oldest(
            parse_id_cursor(query.cursor), query.limit, name=query.q, role=query.role, disabled=query.disabled
        )
        return page_by_id(found, lambda user: render_user(user).json)

    async def get_account(self, id: str) -> View:
        """Return an account; raises `NotFound`."""
        return render_user(await read_account(id))

    async def unlock(self, admin: Principal, id: str, client: ClientInfo) -> None:
        """Forget the wrong passwords that were counted for the names of an account; raises `NotFound`."""
        user = await read_account(id)
        cleared = self._rate_limiter.clear_write(*map(failed_sign_ins, user.login_keys))
        await commit_atomically([cleared, self._audit.entry_write("unlocked", client, user.id, admin.id)])

    async def end_sessions(self, admin: Principal, id: str, client: ClientInfo) -> None:
        """End all sessions of an account; raises `NotFound`."""
        user = await read_account(id)
        entry = self._audit.entry_write("sessions-ended", client, user.id, admin.id, "all, by an admin")
        await commit_atomically([Session.delete_all_write(user.id), entry])
        self._principals.forget_user(user.id)

    async def send_verification(self, admin: Principal, id: str, client: ClientInfo) -> None:
        """Queue another verification mail for an account.

        Raises `NotFound`, `Conflict` when the address is verified already, and `TooMany`.
        """
        user = await read_account(id)
        entry = self._audit.entry_write("verification-sent", client, user.id, admin.id)
        await self._email_addresses.send_verification_to(user, entry)

    async def update_account(
        self, admin: Principal, id: str, patch: AccountPatch, revisions: frozenset[int] | None, client: ClientInfo
    ) -> View:
        """Change the role of an account, or disable it, which ends its sessions.

        Raises `NotFound`, `Conflict` for the last admin, and `Stale` when the account has none of the `revisions`
        (None: any).
        """
        for name in patch.model_fields_set:
            if getattr(patch, name) is None:
                raise Invalid.field(f"/{name}", "cannot be cleared")
        user = await read_account(id)
        if revisions is not None and user.revision not in revisions:
            raise Stale("The account was changed since you read it.")
        role = user.role if patch.role is None else patch.role
        disabled = user.disabled if patch.disabled is None else patch.disabled
        if (role, disabled) == (user.role, user.disabled):
            return render_user(user)
        removes_admin = is_active_admin(user) and (role != "admin" or disabled)
        writes: list[Write] = other_admin_writes(user.id) if removes_admin else []
        writes += self._update_writes(user, role, disabled, admin, client)
        if not await commit_atomically(writes):
            raise Conflict(LAST_ADMIN if removes_admin else "The account was changed by another request. Try again.")
        self._principals.forget_user(user.id)
        return await self.get_account(id)

    def _update_writes(
        self, user: User, role: Role, disabled: bool, admin: Principal, client: ClientInfo
    ) -> list[Write]:
        same: Filter = {User.role: user.role, User.disabled: user.disabled}
        changes = assign(User.role, role) | assign(User.disabled, disabled)
        writes: list[Write] = [User.update_write(user.id, self._clock.now(), changes, match=same)]
        if role != user.role:
            writes.append(self._audit.entry_write("role-changed", client, user.id, admin.id, f"to {role}"))
        if disabled != user.disabled:
            writes.append(self._audit.entry_write("disabled-changed", client, user.id, admin.id, f"to {disabled}"))
        if disabled:
            writes.append(Session.delete_all_write(user.id))
        return writes

    async def make_admin(self, email: str) -> User | None:
        """Make the account with this e-mail address an admin, for the operator; None when there is no such account.

        Raises `Invalid` for anything but an address: somebody else may have chosen a username that looks right.
        """
        try:
            user = await User.by_login(parse_email(email))
        except ValueError as error:
            raise Invalid.field("/email", str(error)) from None
        if user is None:
            return None
        changes = assign(User.role, "admin") | assign(User.disabled, False)
        entry = self._audit.entry_write("role-changed", None, user.id, None, "to admin, by the operator")
        await commit_atomically([User.update_write(user.id, self._clock.now(), changes), entry])
        return user


async def read_account(id: str) -> User:
    """Return an account; raises `NotFound`."""
    parsed = parse_id(id)
    user = None if parsed is None else await User.by_id(parsed)
    if user is None:
        raise NotFound
    return user


def is_active_admin(user: User) -> bool:
    """Return whether an account is that of an admin who is not disabled."""
    return user.role == "admin" and not user.disabled

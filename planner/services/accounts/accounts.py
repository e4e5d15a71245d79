"""Sign-up, sign-in, and one's own account."""

from datetime import timedelta

from pydantic import ValidationError

from auth.hash_password import PasswordHasher
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, assign
from database.writes import Insert, Write
from models.accounts.account_requests import SignUpRequest
from models.accounts.one_time_token import OneTimeToken
from models.accounts.session import Session
from models.accounts.user import OwnUserRead, User, UserRead
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold_login
from planner.clock import Clock
from planner.errors import Conflict, Forbidden, Invalid, InvalidToken, NotFound, TooMany, Unauthenticated
from planner.services.accounts.password_policy import require_strong
from planner.services.accounts.sessions import Sessions, SignedIn
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.field_errors import field_errors
from planner.services.shared.idempotency import IdempotencyKey, find_stored_response, store_response
from planner.services.shared.rate_limiter import (
    PASSWORD_PROMPT,
    SIGN_IN_ADDRESS,
    SIGN_UP_ADDRESS,
    Counted,
    RateLimiter,
    failed_sign_ins,
    network,
)
from planner.services.shared.views import View

WRONG_PASSWORD = "The password is wrong."  # noqa: S105 - an error text
WRONG_CREDENTIALS = "The account or the password is wrong."
DISABLED = "The password is right, but an admin of this planner has disabled the account. Ask them to enable it."
# The time after a sign-in in which it proves who is calling.
RECENT = timedelta(minutes=15)
EXISTS = "There is an account with this e-mail address or username already."


class Accounts:
    """The use cases of accounts."""

    def __init__(
        self,
        hasher: PasswordHasher,
        sessions: Sessions,
        principals: Principals,
        rate_limiter: RateLimiter,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._hasher = hasher
        self._sessions = sessions
        self._principals = principals
        self._rate_limiter = rate_limiter
        self._audit = audit
        self._clock = clock

    async def sign_up(self, form: SignUpRequest, client: ClientInfo, key: IdempotencyKey | None) -> View:
        """Create an account, and queue the mail that verifies its address.

        Raises `Conflict` when there is an account with the e-mail address or username, `Invalid` for a weak
        password, and `TooMany` for too many sign-ups from the same network address.
        """
        if stored := await find_stored_response(key, form):
            return stored
        counted = Counted(SIGN_UP_ADDRESS, "sign-ups from this network address", network(client.address))
        await self._rate_limiter.check(counted)
        await require_strong(self._hasher, form.password, "/password", form.email, form.username, form.full_name)
        await self._rate_limiter.count(counted)
        now = self._clock.now()
        password = await self._hasher.hash(form.password)
        user = User.new(
            form.email,
            now,
            username=form.username,
            full_name=form.full_name,
            time_zone=form.time_zone or "UTC",
            password=password,
        )
        view = render_user(user)
        try:
            await commit_atomically([*store_response(key, form, view, now), *self.insert_writes(user, client)])
        except DuplicateKey:
            if stored := await find_stored_response(key, form):
                return stored
            raise Conflict(EXISTS) from None
        return view

    async def create_admin(self, email: str, password: str) -> None:
        """Create an account of an admin for the operator, whose e-mail address counts as verified.

        Raises `Conflict` and `Invalid` as `sign_up` does.
        """
        try:
            form = SignUpRequest(email=email, password=password)
        except ValidationError as error:
            raise Invalid(field_errors(error)) from None
        await require_strong(self._hasher, form.password, "/password", form.email)
        hashed = await self._hasher.hash(form.password)
        user = User.new(form.email, self._clock.now(), password=hashed, role="admin", email_verified=True)
        try:
            await commit_atomically([Insert(user), self._audit.entry_write("sign-up", None, user.id, None, "as admin")])
        except DuplicateKey:
            raise Conflict(EXISTS) from None

    def insert_writes(self, user: User, client: ClientInfo) -> list[Write]:
        """Return the writes of a new account, with the mail that verifies its address unless it is verified."""
        writes: list[Write] = [Insert(user), self._audit.entry_write("sign-up", client, user.id, user.id)]
        if not user.email_verified:
            writes.append(QueuedMail.insert_write("verify", user.id, user.email, user.created_at))
        return writes

    async def sign_in(self, login: str, password: str, client: ClientInfo, scopes: list[str] | None = None) -> SignedIn:
        """Open a session for the account with this e-mail address or username, if the password is right.

        Raises `Unauthenticated`, for an unknown account as for a wrong password: the password is compared in both
        cases, so that both take the same time. Raises `TooMany`.
        """
        user = await User.by_login(login)
        counted = (
            failed_sign_ins(fold_login(login)),
            Counted(SIGN_IN_ADDRESS, "failed sign-ins from this network address", network(client.address)),
        )
        await self._rate_limiter.check(*counted)
        verdict = await self._hasher.verify(password, user.password if user else None, client.is_disconnected)
        if user is None or not verdict.right or user.disabled:
            account = user.id if user else None
            await self._audit.record("sign-in-failed", client, account)
            await self._count_failure(client, account, *counted)
            raise Unauthenticated(DISABLED if verdict.right else WRONG_CREDENTIALS)
        # Others may have tried wrong passwords while this one was compared: those count as well.
        await self._rate_limiter.check(*counted)
        if verdict.better_hash and user.password:
            await User.improve_password_hash(user.id, user.password, verdict.better_hash)
        try:
            return await self._sessions.open(user, client, scopes)
        except NotFound:
            raise Unauthenticated(WRONG_CREDENTIALS) from None

    async def change_password(self, caller: Principal, current: str | None, new: str, client: ClientInfo) -> None:
        """Set a new password, or the first one, and end every other session and every mailed token.

        Raises `Forbidden` when the current password is wrong, or the account has none and the sign-in was not recent,
        `Invalid` for a missing current password and for a weak new one, and `TooMany`.
        """
        user = await read_own(caller)
        if user.password is None:
            await self.require_recent_proof(caller, user, None, client)
        elif current is None:
            raise Invalid.field("/current_password", "is required, because the account has a password")
        else:
            await self._check_own_password(caller, user, current, client)
        await require_strong(self._hasher, new, "/new_password", user.email, user.username, user.full_name)
        hashed = await self._hasher.hash(new)
        now = self._clock.now()
        writes: list[Write] = [
            User.update_write(user.id, now, assign(User.password, hashed), match={User.password: user.password}),
            self._audit.entry_write("password-changed", client, user.id, user.id),
            QueuedMail.insert_write("password-changed", user.id, user.email, now),
            Session.delete_all_write(user.id, except_id=caller.session),
            OneTimeToken.delete_all_write(user.id),
        ]
        if not await commit_atomically(writes):
            raise Conflict("The password was changed by another request at the same time.")
        self._principals.forget_user(user.id)

    async def require_password(self, caller: Principal, password: str, client: ClientInfo) -> User:
        """Return the caller's account, if this is its password.

        Raises `Forbidden` for a wrong password, `Conflict` for an account without a password, and `TooMany`.
        """
        user = await read_own(caller)
        if user.password is None:
            raise Conflict("Your account has no password. Sign in again, and set one first.")
        await self._check_own_password(caller, user, password, client)
        return user

    async def require_recent_proof(
        self, caller: Principal, user: User, password: str | None, client: ClientInfo
    ) -> None:
        """Let only those pass who have just proved who they are: by the password, or by a sign-in of a moment ago.

        Refreshing a session is no sign-in. Raises `Forbidden`, also for a wrong password, and `TooMany`.
        """
        if password is not None and user.password is not None:
            await self._check_own_password(caller, user, password, client)
            return
        now = self._clock.now()
        session = None if caller.session is None else await Session.by_id(caller.session, now, caller.id)
        if session is None or session.created_at < now - RECENT:
            raise Forbidden(
                f"Your sign-in was more than {RECENT.seconds // 60} minutes ago: send current_password, or sign in "
                "again."
            )

    async def _check_own_password(self, caller: Principal, user: User, password: str, client: ClientInfo) -> None:
        """Do as `check_password`. Wrong passwords count for the session.

        So who has stolen one can neither guess without end nor lock the owner out.
        """
        counted = Counted(PASSWORD_PROMPT, "wrong passwords in this session", str(caller.session or caller.id))
        await self.check_password(user, password, client, counted)

    async def check_password(self, user: User, password: str, client: ClientInfo, counted: Counted) -> None:
        """Raise `Forbidden` unless this is the password of the account, which is `counted`, and `TooMany`."""
        await self._rate_limiter.check(counted)
        if not (await self._hasher.verify(password, user.password)).right:
            await self._audit.record("password-refused", client, user.id, user.id)
            await self._count_failure(client, user.id, counted)
            raise Forbidden(WRONG_PASSWORD)
        await self._rate_limiter.check(counted)

    async def _count_failure(self, client: ClientInfo, account: Id | None, *counted: Counted) -> None:
        """Count a wrong password, and write an audit entry when this was the last one that is allowed."""
        await self._rate_limiter.count(*counted)
        try:
            await self._rate_limiter.check(*counted)
        except TooMany:
            # The caller still learns that this password was wrong; the next one is refused without a comparison.
            await self._audit.record("sign-in-locked", client, account)


async def read_own(caller: Principal) -> User:
    """Return the caller's own account as it is stored now; raises `InvalidToken` when it was deleted."""
    user = await User.by_id(caller.id)
    if user is None:
        raise InvalidToken("The account of this access token has been deleted.")
    return user


def render_user(user: User) -> View:
    """Return an account as it is sent."""
    return View(UserRead.from_document(user).to_json(), str(user.id), user.revision)


def render_own(user: User) -> View:
    """Return an account as it is sent to its owner, with the ids of its latest events."""
    return View(OwnUserRead.from_document(user).to_json(), str(user.id), user.revision)

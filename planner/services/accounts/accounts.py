"""Signing up, signing in, and one's own account."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from auth.hash_password import PasswordHasher
from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, Stored, new_id
from database.writes import InsertStored, Update, Write
from models.accounts.account_requests import SignUpRequest, UserPatch
from models.accounts.one_time_token import OneTimeToken
from models.accounts.session import Session
from models.accounts.user import User, user_view
from models.mail.queued_mail import QueuedMail
from models.shared.fields import fold
from models.shared.views import View
from planner.clock import Clock
from planner.errors import Conflict, Forbidden, Invalid, InvalidToken, NotFound, Stale, TooMany
from planner.services.accounts.password_policy import require_strong
from planner.services.accounts.sessions import Sessions, SignedIn
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.field_errors import field_errors
from planner.services.shared.idempotency import IdempotencyKey, once
from planner.services.shared.rate_limiter import (
    MAIL_ACCOUNT,
    SIGN_IN_ACCOUNT,
    SIGN_IN_ADDRESS,
    SIGN_UP_ADDRESS,
    Counted,
    RateLimiter,
    network,
)

# A change read, applied and written while others write; each loss means another's success.
ATTEMPTS = 20
TAKEN = "An account with this e-mail address or username exists already."


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

    async def sign_up(self, form: SignUpRequest, client: ClientInfo, ask: IdempotencyKey | None) -> View:
        """A new account, and a mail to prove its address.

        Raises `Conflict` when the e-mail address or username is taken, `Invalid` for a weak
        password, `TooMany` when the address signs up too often.
        """
        now = self._clock.now()

        async def make(remember: Callable[[View], list[Write]]) -> View:
            counted = Counted(SIGN_UP_ADDRESS, "sign-up", network(client.address))
            await self._rate_limiter.check(counted)
            await require_strong(self._hasher, form.password, "/password", form.model_dump())
            await self._rate_limiter.count(counted)
            stored = new_account(form.email, now) | {
                "full_name": form.full_name,
                "password": await self._hasher.hash(form.password),
            }
            if form.username is not None:
                stored |= {"username": form.username, "username_key": fold(form.username)}
            view = user_view(stored)
            await commit_atomically([*remember(view), *self.founding(stored, client)])
            return view

        try:
            return await once(ask, form, now, make)
        except DuplicateKey:
            raise Conflict(TAKEN) from None

    async def create_admin(self, email: str, password: str) -> None:
        """A new account that is an admin, for the operator, who answers for its address.

        Raises `Invalid` as signing up does.
        """
        try:
            form = SignUpRequest(email=email, password=password)
        except ValidationError as error:
            raise Invalid(field_errors(error)) from None
        await require_strong(self._hasher, form.password, "/password", form.model_dump())
        stored = new_account(form.email, self._clock.now()) | {
            "password": await self._hasher.hash(form.password),
            "role": "admin",
            "email_verified": True,
        }
        try:
            await commit_atomically(
                [InsertStored(User, stored), self._audit.entry("sign-up", None, stored["_id"], None, "as admin")]
            )
        except DuplicateKey:
            raise Conflict(TAKEN) from None

    def founding(self, stored: Stored, client: ClientInfo) -> list[Write]:
        """The writes that a new account begins with."""
        id = stored["_id"]
        writes: list[Write] = [InsertStored(User, stored), self._audit.entry("sign-up", client, id, id)]
        if not stored["email_verified"]:
            writes.append(QueuedMail.ordering("verify", id, stored["email"], stored["created_at"]))
        return writes

    async def sign_in(
        self, login: str, password: str, client: ClientInfo, scopes: list[str] | None = None
    ) -> SignedIn | None:
        """A session for the account with this e-mail address or username, if the password is its own.

        None says no more than that the two do not belong together: for an unknown login the
        password is compared all the same, and takes the same time. Raises `TooMany`.
        """
        user = await User.by_login(login)
        counted = (
            Counted(SIGN_IN_ACCOUNT, "sign-in account", str(user["_id"]) if user else fold(login)),
            Counted(SIGN_IN_ADDRESS, "sign-in address", network(client.address)),
        )
        await self._rate_limiter.check(*counted)
        verdict = await self._hasher.verify(
            password, None if user is None else user.get("password"), client.is_disconnected
        )
        if user is None or not verdict.right or user["disabled"]:
            account = None if user is None else user["_id"]
            await self._audit.note("sign-in-failed", client, account)
            await self._count_failure(client, account, *counted)
            return None
        # Others may have guessed wrong while this guess was compared: they count as well.
        await self._rate_limiter.check(*counted)
        if verdict.better_hash:
            await User.upgrade_password(user["_id"], user["password"], verdict.better_hash)
        whole = await User.stored(user["_id"])
        try:
            return None if whole is None else await self._sessions.open(whole, client, scopes)
        except NotFound:
            return None

    async def me(self, caller: Principal) -> View:
        """The caller's own account."""
        return user_view(await self._own(caller))

    async def change_me(
        self, caller: Principal, patch: UserPatch, revisions: frozenset[int] | None, client: ClientInfo
    ) -> View:
        """Change the caller's own account; another e-mail address has to be proved again.

        Raises `Conflict` when the new address or username is taken, and `Stale`.
        """
        changes = patch.model_dump(exclude_unset=True)
        if "email" in changes and changes["email"] is None:
            raise Invalid.field("/email", "cannot be cleared")
        for _ in range(ATTEMPTS):
            user = await self._own(caller)
            if revisions is not None and user["revision"] not in revisions:
                raise Stale("Your account was changed since you read it.")
            if (changed := await self._apply(user, changes, client)) is not None:
                return user_view(changed)
        raise Conflict("Your account is being changed by many at once. Try again.")

    async def _apply(self, user: Stored, changes: dict[str, Any], client: ClientInfo) -> Stored | None:
        id, now = user["_id"], self._clock.now()
        fields: dict[str, Any] = {}
        cleared: dict[str, Any] = {}
        if "full_name" in changes:
            fields["full_name"] = changes["full_name"]
        if "username" in changes:
            if changes["username"] is None:
                cleared = {"username": "", "username_key": ""}
            else:
                fields |= {"username": changes["username"], "username_key": fold(changes["username"])}
        moved = "email" in changes and changes["email"] != user["email"]
        if moved:
            await self._rate_limiter.count(Counted(MAIL_ACCOUNT, "mail", user["email_key"]))
            proven = user["email_verified"] and fold(changes["email"]) == user["email_key"]
            fields |= {"email": changes["email"], "email_key": fold(changes["email"]), "email_verified": proven}
        fields["updated_at"] = now
        change = {"$set": fields} | ({"$unset": cleared} if cleared else {})
        try:
            if not moved:
                return await User.changed(id, user["revision"], change)
            match = {"_id": id, "revision": user["revision"]}
            writes: list[Write] = [
                Update(User, match, change | {"$inc": {"revision": 1}}),
                QueuedMail.ordering("verify", id, fields["email"], now),
                QueuedMail.ordering("email-changed", id, user["email"], now),
                self._audit.entry("email-changed", client, id, id),
                OneTimeToken.delete_all_of(id),
            ]
            if not await commit_atomically(writes):
                return None
        except DuplicateKey:
            raise Conflict(TAKEN) from None
        kept = {name: value for name, value in user.items() if name not in cleared}
        return kept | fields | {"revision": user["revision"] + 1}

    async def change_password(self, caller: Principal, current: str, new: str, client: ClientInfo) -> None:
        """Set a new password; every other session and every mailed token ends.

        Raises `Forbidden` when the current one is wrong, `Invalid` for a weak new one, `TooMany`.
        """
        user = await self.prove(caller, current, client)
        await require_strong(self._hasher, new, "/new_password", user)
        hashed = await self._hasher.hash(new)
        now = self._clock.now()
        writes = [
            User.changing(caller.id, now, {"password": user["password"]}, password=hashed),
            self._audit.entry("password-changed", client, caller.id, caller.id),
            QueuedMail.ordering("password-changed", caller.id, user["email"], now),
            Session.ending_all(caller.id, but=caller.session),
            OneTimeToken.delete_all_of(caller.id),
        ]
        if not await commit_atomically(writes):
            raise Conflict("The password was changed by another request at the same time.")
        self._principals.forget_user(caller.id)

    async def prove(self, caller: Principal, password: str, client: ClientInfo) -> Stored:
        """The caller's document, once they have given their password again.

        Raises `Forbidden` for a wrong one, which counts like a failed sign-in, and `TooMany`.
        """
        user = await self._own(caller)
        if user.get("password") is None:
            raise Conflict("Your account has no password. Set one first: ask for a link with 'forgot password'.")
        counted = Counted(SIGN_IN_ACCOUNT, "sign-in account", str(caller.id))
        await self._rate_limiter.check(counted)
        if not (await self._hasher.verify(password, user["password"])).right:
            await self._audit.note("password-refused", client, caller.id, caller.id)
            await self._count_failure(client, caller.id, counted)
            raise Forbidden("That is not your password.")
        await self._rate_limiter.check(counted)
        return user

    async def _count_failure(self, client: ClientInfo, account: Id | None, *counted: Counted) -> None:
        """Count a wrong password, and note it when no more are allowed; raises `TooMany`."""
        await self._rate_limiter.count(*counted)
        try:
            await self._rate_limiter.check(*counted)
        except TooMany:
            # This one is still answered as wrong; the next one is refused unheard.
            await self._audit.note("sign-in-locked", client, account)

    async def _own(self, caller: Principal) -> Stored:
        stored = await User.stored(caller.id)
        if stored is None:
            raise InvalidToken("The account of this access token is gone.")
        return stored


def new_account(email: str, now: Any) -> Stored:
    """The document of an account that has just been made; without name and password."""
    return {
        "_id": new_id(),
        "email": email,
        "email_key": fold(email),
        "full_name": None,
        "password": None,
        "role": "user",
        "email_verified": False,
        "disabled": False,
        "events": {},
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }

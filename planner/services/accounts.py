"""Signing up, signing in, and seeing oneself."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from auth.hash_password import PasswordHasher
from auth.identity import Identity
from auth.jwt_handler import TokenSigner
from database.errors import DuplicateKey
from database.groups import together
from database.queries import Stored, new_id
from database.writes import Insert, Write
from models.fields import fold
from models.user import SignUp, User, user_view
from models.views import View
from planner.errors import Conflict, NotFound
from planner.services.once import Once, once


class SignedIn(NamedTuple):
    """An account that proved itself, and its fresh access token (`expires_in` seconds)."""

    user: View
    access_token: str
    expires_in: int


def _now() -> datetime:
    return datetime.now(UTC)


class Accounts:
    """The use cases of accounts; `clock` tells the time in UTC."""

    def __init__(self, hasher: PasswordHasher, signer: TokenSigner, clock: Callable[[], datetime] = _now) -> None:
        self._hasher = hasher
        self._signer = signer
        self._clock = clock

    async def sign_up(self, form: SignUp, ask: Once | None) -> View:
        """A new account; raises `Conflict` when its e-mail address or username is taken."""
        now = self._clock()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)

        async def make(remember: Callable[[View], list[Write]]) -> View:
            stored: Stored = {
                "_id": new_id(),
                "email": form.email,
                "email_key": fold(form.email),
                "full_name": form.full_name,
                "password": await self._hasher.hash(form.password),
                "role": "user",
                "email_verified": False,
                "disabled": False,
                "events": {},
                "revision": 1,
                "created_at": now,
                "updated_at": now,
            }
            if form.username is not None:
                stored |= {"username": form.username, "username_key": fold(form.username)}
            view = user_view(stored)
            await together([*remember(view), Insert(User, stored)])
            return view

        try:
            return await once(ask, form, now, make)
        except DuplicateKey:
            raise Conflict("An account with this e-mail address or username exists already.") from None

    async def sign_in(self, login: str, password: str) -> SignedIn | None:
        """The account with this e-mail address or username, if the password is its own.

        None says no more than that the two do not belong together: for an unknown login
        the password is compared all the same, and takes the same time.
        """
        user = await User.by_login(login)
        verdict = await self._hasher.verify(password, None if user is None else user.password)
        if user is None or not verdict.right or user.disabled:
            return None
        assert user.id is not None
        if verdict.better_hash:
            await User.upgrade_password(user.id, user.password, verdict.better_hash)
        stored = await User.stored(user.id)
        if stored is None:
            return None
        token = self._signer.sign(str(user.id))
        return SignedIn(user_view(stored), token, self._signer.lifetime)

    async def me(self, caller: Identity) -> View:
        """The caller's own account."""
        stored = await User.stored(caller.id)
        if stored is None:
            raise NotFound
        return user_view(stored)

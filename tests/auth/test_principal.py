"""Who a token stands for: read once in a while, and never believed for as long as two seconds."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auth.opaque_tokens import OpaqueTokens, digest
from auth.principal import Principal, Principals
from auth.secret_keys import SecretKeys
from database.connection import Database
from database.queries import Id, new_id
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from planner.errors import InvalidToken
from planner.randomness import system_random_bytes
from tests.support.documents import insert_user


class Time:
    """The time and the clock that only goes forward, both moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self.passed)

    def timestamp(self) -> float:
        return self.now().timestamp()


class Signed:
    """An account with a session and a personal token, and who asks about them."""

    def __init__(self, database: Database, user: Id, time: Time) -> None:
        self.database = database
        self.user = user
        self.session = new_id()
        self.secret = OpaqueTokens(SecretKeys("secret"), system_random_bytes).personal_token()
        self.time = time
        self.identities = Principals(time)

    async def store(self) -> None:
        now = self.time.now()
        common = {"user": self.user, "created_at": now, "last_used_at": now, "expires_at": now + timedelta(days=1)}
        await self.database.handle["sessions"].insert_one(
            {"_id": self.session, "refresh_digest": "", "scopes": None, "device": "", "address": ""} | common
        )
        await self.database.handle["personal_tokens"].insert_one(
            {"name": "script", "scopes": ["events:read"], "digest": digest(self.secret)} | common
        )

    async def by_session(self) -> Principal:
        return await self.identities.of_session(str(self.user), str(self.session))

    async def by_personal_token(self) -> Principal:
        return await self.identities.of_personal_token(self.secret)

    async def change(self, collection: str, **fields: Any) -> None:
        """As another process would: nobody here is told."""
        key = {"users": "_id"}.get(collection, "user")
        await self.database.handle[collection].update_many({key: self.user}, {"$set": fields})

    async def remove(self, collection: str) -> None:
        key = {"users": "_id"}.get(collection, "user")
        await self.database.handle[collection].delete_many({key: self.user})


@pytest.fixture
async def signed(database: Database) -> Signed:
    signed = Signed(database, await insert_user(database, role="moderator"), Time())
    await signed.store()
    return signed


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time a session or a personal token is read."""
    noted: list[str] = []

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        async def read(*arguments: Any) -> Any:
            noted.append(name)
            return await original(*arguments)

        return read

    monkeypatch.setattr(Session, "by_id", counted("session", Session.by_id))
    monkeypatch.setattr(PersonalToken, "by_digest", counted("personal", PersonalToken.by_digest))
    return noted


async def test_the_principal_of_a_session_has_its_account_and_no_scopes(signed: Signed) -> None:
    assert await signed.by_session() == Principal(signed.user, "moderator", session=signed.session)


async def test_the_principal_of_a_personal_token_has_its_account_and_its_scopes(signed: Signed) -> None:
    identity = await signed.by_personal_token()
    assert (identity.id, identity.scopes, identity.session) == (signed.user, frozenset({"events:read"}), None)
    assert identity.personal_token is not None


GONE = [
    ("users", "removed"),
    ("users", "disabled"),
    ("sessions", "removed"),
    ("sessions", "over"),
    ("personal_tokens", "removed"),
    ("personal_tokens", "over"),
]


@pytest.mark.parametrize(("collection", "how"), GONE)
async def test_a_revoked_access_is_noticed_within_two_seconds(signed: Signed, collection: str, how: str) -> None:
    ask = signed.by_personal_token if collection == "personal_tokens" else signed.by_session
    await ask()
    match how:
        case "removed":
            await signed.remove(collection)
        case "disabled":
            await signed.change(collection, disabled=True)
        case _:
            await signed.change(collection, expires_at=signed.time.now() + timedelta(seconds=1))
    signed.time.passed += 1.99
    with pytest.raises(InvalidToken):
        await ask()


async def test_a_changed_role_is_noticed_within_two_seconds(signed: Signed) -> None:
    await signed.by_session()
    await signed.change("users", role="user")
    signed.time.passed += 1.99
    assert (await signed.by_session()).role == "user"


async def test_a_refusal_is_not_cached(signed: Signed) -> None:
    await signed.change("users", disabled=True)
    with pytest.raises(InvalidToken):
        await signed.by_session()
    await signed.change("users", disabled=False)
    assert await signed.by_session()


async def test_a_change_made_by_this_process_is_noticed_at_once(signed: Signed) -> None:
    await signed.by_session()
    await signed.by_personal_token()
    await signed.change("users", disabled=True)
    signed.identities.forget_user(signed.user)
    for ask in (signed.by_session, signed.by_personal_token):
        with pytest.raises(InvalidToken):
            await ask()


async def test_a_session_that_this_process_revoked_is_refused_at_once_and_others_are_not(signed: Signed) -> None:
    await signed.by_session()
    await signed.remove("sessions")
    signed.identities.forget_session(new_id())
    assert await signed.by_session()
    signed.identities.forget_session(signed.session)
    with pytest.raises(InvalidToken):
        await signed.by_session()


async def test_many_requests_within_a_second_need_one_read(signed: Signed, reads: list[str]) -> None:
    for _ in range(20):
        await signed.by_session()
        signed.time.passed += 0.05
    assert reads == ["session"]


async def test_requests_at_once_share_a_read(signed: Signed, reads: list[str]) -> None:
    identities = await asyncio.gather(*(signed.by_session() for _ in range(20)))
    assert set(identities) == {await signed.by_session()}
    await asyncio.gather(*(signed.by_personal_token() for _ in range(20)))
    assert reads == ["session", "personal"]


async def test_a_cancelled_caller_does_not_cancel_the_others(signed: Signed, reads: list[str]) -> None:
    callers = [asyncio.create_task(signed.by_session()) for _ in range(3)]
    await asyncio.sleep(0)
    callers[0].cancel()
    first, *others = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert [type(other) for other in others] == [Principal, Principal]
    assert reads == ["session"]


async def test_an_error_is_raised_for_all_who_wait_and_is_not_cached(
    signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> Any:
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr(Session, "by_id", fail)
        outcomes = await asyncio.gather(*(signed.by_session() for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError] * 3
    assert await signed.by_session()


async def test_a_session_is_refused_for_another_account(signed: Signed) -> None:
    other = await insert_user(signed.database, name="ben")
    for subject in (str(other), str(new_id()), "", "x" * 24, str(signed.user).upper() + " "):
        with pytest.raises(InvalidToken):
            await signed.identities.of_session(subject, str(signed.session))
    for session in (str(new_id()), "", "nonsense", str(signed.user)):
        with pytest.raises(InvalidToken):
            await signed.identities.of_session(str(signed.user), session)


async def test_an_unknown_personal_token_is_refused(signed: Signed) -> None:
    for token in (
        OpaqueTokens(SecretKeys("secret"), system_random_bytes).personal_token(),
        signed.secret[:-1],
        signed.secret.upper(),
        digest(signed.secret),
        "\ud800",
    ):
        with pytest.raises(InvalidToken):
            await signed.identities.of_personal_token(token)


@pytest.mark.parametrize("collection", ["sessions", "personal_tokens"])
async def test_last_use_is_stored_once_a_minute(signed: Signed, collection: str) -> None:
    ask = signed.by_session if collection == "sessions" else signed.by_personal_token
    noted = []
    for passed in (0, 50, 100):
        signed.time.passed = passed
        await ask()
        noted.append((await signed.database.handle[collection].find({"user": signed.user}).to_list(1))[0])
    first, second, third = (stored["last_used_at"] for stored in noted)
    assert first == second < third

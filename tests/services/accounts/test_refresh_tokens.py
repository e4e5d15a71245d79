"""Refresh tokens: random, stored as a hash, replaced at every use, and a second use ends the session."""

import asyncio
import base64
from datetime import timedelta

from beanie import PydanticObjectId
from bson import ObjectId

from auth.opaque_tokens import OpaqueTokens, digest
from auth.secret_keys import SecretKeys
from database.connection import bound_database
from planner.randomness import system_random_bytes
from tests.conftest import SECRET
from tests.support.clients import PASSWORD, Person, ok
from tests.support.clocks import MovableClock
from tests.support.sessions import (
    Tokens,
    get_me,
    is_invalid_grant,
    is_invalid_token,
    list_sessions,
    open_session,
    refresh,
)
from tests.support.stored_data import find_words


def test_a_refresh_token_has_256_random_bits() -> None:
    makes, session = OpaqueTokens(SecretKeys(SECRET), system_random_bytes), PydanticObjectId()
    words = [makes.refresh_token(session).removeprefix("planner_rt_").split(".")[1] for _ in range(2000)]
    numbers = [int.from_bytes(base64.urlsafe_b64decode(word + "=")) for word in words]
    assert {len(base64.urlsafe_b64decode(word + "=")) for word in words} == {32}
    assert len(set(numbers)) == 2000
    for bit in range(256):
        # Each bit is as often set as not; 800 of 2000 is nine standard deviations away.
        assert 800 < sum(number >> bit & 1 for number in numbers) < 1200


async def test_of_a_refresh_token_only_a_hash_is_stored(ada: Person, tokens: Tokens) -> None:
    again = ok(await refresh(ada.api, tokens["refresh_token"]))
    database = bound_database().handle
    assert await find_words(database, digest(again["refresh_token"])) != []
    secrets = [PASSWORD]
    for token in (tokens["refresh_token"], again["refresh_token"], tokens["access_token"], again["access_token"]):
        secrets += [token, *token.split(".")[1:]]
    assert await find_words(database, *secrets) == []


async def test_each_use_of_a_refresh_token_gives_another_one(ada: Person, tokens: Tokens) -> None:
    used, access = {tokens["refresh_token"]}, {tokens["access_token"]}
    for _ in range(5):
        tokens = ok(await refresh(ada.api, tokens["refresh_token"]))
        assert tokens["refresh_token"] not in used
        assert tokens["access_token"] not in access
        used.add(tokens["refresh_token"])
        access.add(tokens["access_token"])
        assert ok(await get_me(ada.api, tokens["access_token"]))["id"] == ada.id
    assert len(await list_sessions(ada)) == 2


async def test_a_refresh_token_used_twice_revokes_the_session_and_all_its_tokens(ada: Person, tokens: Tokens) -> None:
    stolen = tokens["refresh_token"]
    newer = ok(await refresh(ada.api, stolen))
    newest = ok(await refresh(ada.api, newer["refresh_token"]))
    assert is_invalid_grant(await refresh(ada.api, stolen))
    assert is_invalid_grant(await refresh(ada.api, newest["refresh_token"]))
    for each in (tokens, newer, newest):
        assert is_invalid_token(await get_me(ada.api, each["access_token"]))
    assert len(await list_sessions(ada)) == 1
    assert (
        await bound_database().handle["audit"].count_documents({"event": "refresh-reuse", "account": ObjectId(ada.id)})
        == 1
    )


async def test_a_refresh_token_sent_again_gives_the_same_successor_for_a_minute(
    ada: Person, tokens: Tokens, clock: MovableClock
) -> None:
    first = ok(await refresh(ada.api, tokens["refresh_token"]))
    for _ in range(2):
        clock.move(timedelta(seconds=30))
        again = ok(await refresh(ada.api, tokens["refresh_token"]))
        assert again["refresh_token"] == first["refresh_token"]
        ok(await get_me(ada.api, again["access_token"]))
    ok(await refresh(ada.api, first["refresh_token"]))


async def test_a_refresh_token_sent_again_after_a_minute_ends_the_session(
    ada: Person, tokens: Tokens, clock: MovableClock
) -> None:
    first = ok(await refresh(ada.api, tokens["refresh_token"]))
    clock.move(timedelta(seconds=61))
    assert is_invalid_grant(await refresh(ada.api, tokens["refresh_token"]))
    assert is_invalid_grant(await refresh(ada.api, first["refresh_token"]))
    assert is_invalid_token(await get_me(ada.api, first["access_token"]))


async def test_two_tabs_that_refresh_at_once_both_stay_signed_in(ada: Person, tokens: Tokens) -> None:
    for _ in range(3):
        both = await asyncio.gather(*(refresh(ada.api, tokens["refresh_token"]) for _ in range(2)))
        one, other = (ok(answer) for answer in both)
        assert one["refresh_token"] == other["refresh_token"]
        for each in (one, other):
            ok(await get_me(ada.api, each["access_token"]))
        tokens = one
    assert len(await list_sessions(ada)) == 2


async def test_a_refresh_token_that_cannot_be_used_is_refused_with_the_reason(
    ada: Person, tokens: Tokens, clock: MovableClock
) -> None:
    async def reason(token: str) -> str:
        answer = await refresh(ada.api, token)
        assert is_invalid_grant(answer)
        return str(answer.json()["error_description"])

    other = await open_session(ada.api, ada.email)
    reasons = [await reason("planner_rt_made.up")]
    newer = ok(await refresh(ada.api, tokens["refresh_token"]))
    ok(await refresh(ada.api, newer["refresh_token"]))
    reasons += [await reason(tokens["refresh_token"]), await reason(newer["refresh_token"])]
    clock.move(timedelta(days=31))
    reasons.append(await reason(other["refresh_token"]))
    for word, text in zip(("not a refresh token", "used already", "was ended", "expired"), reasons, strict=True):
        assert word in text


async def test_a_made_up_refresh_token_does_not_revoke_the_session_that_it_names(ada: Person, tokens: Tokens) -> None:
    real = tokens["refresh_token"]
    session, word, tag = real.removeprefix("planner_rt_").split(".")
    foreign_key = SecretKeys("another key, of somebody who would like to be us")
    foreign = OpaqueTokens(foreign_key, system_random_bytes).refresh_token(PydanticObjectId(session))
    made_up = [
        f"planner_rt_{session}.{word[::-1]}.{tag}",
        f"planner_rt_{session}.{word}.{tag[::-1]}",
        f"planner_rt_{session}.{word}.",
        f"planner_rt_{session}.{word}",
        f"planner_rt_{session}..{tag}",
        f"planner_rt_{session}",
        f"planner_rt_{session}.{word}.{tag}{tag}",
        f" {real}",
        f"{real} ",
        real.upper(),
        real.removeprefix("planner_rt_"),
        real.replace(session, session.upper()) if session.upper() != session else "planner_rt_",
        foreign,
        "planner_rt_" + "x" * 5000,
        "planner_rt_ü.ü.ü",
    ]
    for token in made_up:
        assert is_invalid_grant(await refresh(ada.api, token)), token
        ok(await ada.api.post("/auth/revoke", data={"token": token}))
    ok(await get_me(ada.api, tokens["access_token"]))
    ok(await refresh(ada.api, real))


async def test_a_refresh_token_of_one_session_is_refused_for_another(ada: Person, tokens: Tokens) -> None:
    other = await open_session(ada.api, ada.email)
    session, _, _ = tokens["refresh_token"].removeprefix("planner_rt_").split(".")
    _, word, tag = other["refresh_token"].removeprefix("planner_rt_").split(".")
    assert is_invalid_grant(await refresh(ada.api, f"planner_rt_{session}.{word}.{tag}"))
    for each in (tokens, other):
        ok(await refresh(ada.api, each["refresh_token"]))

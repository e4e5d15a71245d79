"""Passwords: every character counts, older hashes still open, and nobody waits for a hash but who asked."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from typing import Any

import bcrypt
import pytest

from auth.hash_password import PasswordHasher
from planner.errors import Busy, Unavailable

PASSWORD = "seven lazy herons"


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(rounds=4)
    yield hasher
    hasher.close()


def plain_bcrypt(password: str, rounds: int = 4) -> str:
    """The hash as other planners make it: of the first 72 bytes."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds)).decode()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The cost of each run of bcrypt, as the hash it was asked for says it."""
    runs: list[bytes] = []
    original = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> bytes:
        runs.append(salt[:7])
        return original(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    return runs


async def test_a_password_opens_its_own_hash_and_no_other_does(hasher: PasswordHasher) -> None:
    stored = await hasher.hash(PASSWORD)
    assert (await hasher.verify(PASSWORD, stored)).right
    for other in ("", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper()):
        assert not (await hasher.verify(other, stored)).right


async def test_two_hashes_of_one_password_differ(hasher: PasswordHasher) -> None:
    assert await hasher.hash(PASSWORD) != await hasher.hash(PASSWORD)


async def test_passwords_that_differ_only_after_72_bytes_are_different_passwords(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("x" * 72 + "a")
    assert (await hasher.verify("x" * 72 + "a", stored)).right
    for other in ("x" * 72 + "b", "x" * 72, "x" * 72 + "aa"):
        assert not (await hasher.verify(other, stored)).right


async def test_the_last_of_128_characters_counts_however_many_bytes_they_have(hasher: PasswordHasher) -> None:
    for character in "aé€🦉":
        stored = await hasher.hash(character * 127 + "1")
        assert (await hasher.verify(character * 127 + "1", stored)).right
        assert not (await hasher.verify(character * 127 + "2", stored)).right


async def test_a_hash_says_the_cost_it_was_made_with() -> None:
    hasher = PasswordHasher(rounds=5)
    try:
        assert ",r=5$" in await hasher.hash(PASSWORD)
    finally:
        hasher.close()


@pytest.mark.parametrize("password", [PASSWORD, "x" * 72, "x" * 100, "é" * 36 + "x", "x" + "é" * 60])
async def test_a_plain_bcrypt_hash_opens_and_is_replaced_by_one_of_the_whole_password(
    hasher: PasswordHasher, password: str
) -> None:
    verdict = await hasher.verify(password, plain_bcrypt(password))
    assert verdict.right
    assert verdict.better_hash is not None
    assert (await hasher.verify(password, verdict.better_hash)).right
    assert not (await hasher.verify(password + "!", verdict.better_hash)).right
    assert not (await hasher.verify(password[:-1], verdict.better_hash)).right


@pytest.mark.parametrize("variant", ["$2a$", "$2b$", "$2y$"])
async def test_every_variant_of_plain_bcrypt_opens(hasher: PasswordHasher, variant: str) -> None:
    assert (await hasher.verify(PASSWORD, variant + plain_bcrypt(PASSWORD)[4:])).right


async def test_a_wrong_password_never_yields_a_better_hash(hasher: PasswordHasher) -> None:
    assert await hasher.verify("wrong " + PASSWORD, plain_bcrypt(PASSWORD)) == (False, None)


async def test_a_hash_that_is_good_already_is_left_alone(hasher: PasswordHasher) -> None:
    assert await hasher.verify(PASSWORD, await hasher.hash(PASSWORD)) == (True, None)


async def test_a_hash_of_another_cost_is_replaced_at_the_next_right_password(hasher: PasswordHasher) -> None:
    dearer = PasswordHasher(rounds=5)
    try:
        verdict = await dearer.verify(PASSWORD, await hasher.hash(PASSWORD))
        assert verdict.better_hash is not None
        assert await dearer.verify(PASSWORD, verdict.better_hash) == (True, None)
    finally:
        dearer.close()


@pytest.mark.parametrize("stored", ["", "!", "plaintext", "$2b$", "$2b$04$tooshort", "$argon2id$v=19$m=1", "\x00"])
async def test_what_is_no_hash_opens_for_nobody(hasher: PasswordHasher, stored: str) -> None:
    assert await hasher.verify(stored, stored) == (False, None)


async def test_an_account_without_a_password_opens_for_nobody(hasher: PasswordHasher) -> None:
    for password in ("", PASSWORD):
        assert await hasher.verify(password, None) == (False, None)


async def test_an_unknown_account_costs_the_same_single_check_as_a_wrong_password(
    hasher: PasswordHasher, checks: list[bytes]
) -> None:
    stored = await hasher.hash(PASSWORD)
    await hasher.warm_up()
    checks.clear()
    await hasher.verify("wrong", stored)
    known = list(checks)
    checks.clear()
    await hasher.verify("wrong", None)
    assert len(known) == 1
    assert checks == known


async def test_the_time_of_a_refusal_does_not_tell_whether_the_account_is_there() -> None:
    hasher = PasswordHasher(rounds=8)
    try:
        await hasher.warm_up()
        stored = await hasher.hash(PASSWORD)
        times: dict[str | None, list[float]] = {stored: [], None: []}
        for _ in range(9):
            for known, taken in times.items():
                before = time.perf_counter()
                await hasher.verify("wrong", known)
                taken.append(time.perf_counter() - before)
        one, other = (statistics.median(taken) for taken in times.values())
        assert 0.5 < one / other < 2
    finally:
        hasher.close()


async def test_the_event_loop_turns_while_a_password_is_hashed() -> None:
    hasher = PasswordHasher(rounds=10)
    try:
        hashing = asyncio.create_task(hasher.hash(PASSWORD))
        turns = 0
        while not hashing.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 50
    finally:
        hasher.close()


async def test_beyond_the_waiting_room_people_are_told_at_once_to_come_back() -> None:
    hasher = PasswordHasher(rounds=4, threads=1, waiting=2)
    try:
        outcomes = await asyncio.gather(*(hasher.hash(PASSWORD) for _ in range(5)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [str, str, str, Busy, Busy]
    finally:
        hasher.close()


async def test_a_caller_who_hangs_up_leaves_the_waiting_room() -> None:
    hasher = PasswordHasher(rounds=4, threads=1, waiting=1)
    try:
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(hasher.hash(PASSWORD)) for _ in range(2)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await asyncio.gather(hasher.hash(PASSWORD), hasher.hash(PASSWORD))
    finally:
        hasher.close()


async def test_nothing_is_computed_for_who_hangs_up_while_standing_in_line() -> None:
    hasher = PasswordHasher(rounds=4, threads=1)
    stored = await hasher.hash("seven lazy herons")

    async def gone() -> bool:
        return True

    with pytest.raises(Unavailable):
        await hasher.verify("seven lazy herons", stored, gone)
    assert (await hasher.verify("seven lazy herons", stored)).right
    hasher.close()

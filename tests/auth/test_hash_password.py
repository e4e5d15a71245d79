"""Passwords: every character counts, older hashes are accepted, and hashing never blocks the event loop."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import bcrypt
import pytest
from passlib.hash import bcrypt_sha256

from auth.hash_password import PasswordHasher
from planner.errors import Busy, Unavailable
from tests.support.waiting import DEADLINE_SECONDS, wait_until_async

PASSWORD = "seven lazy herons"


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(rounds=4)
    yield hasher
    hasher.close()


def plain_bcrypt(password: str, rounds: int = 4) -> str:
    """Return the hash as other planners make it: of the first 72 bytes."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds)).decode()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The kind and cost of each run of bcrypt, as its salt says."""
    runs: list[bytes] = []
    original = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> bytes:
        runs.append(salt[:7])
        return original(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    return runs


async def test_only_the_same_password_matches_its_hash(hasher: PasswordHasher) -> None:
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


async def test_a_hash_names_the_cost_it_was_made_with() -> None:
    hasher = PasswordHasher(rounds=5)
    try:
        assert ",r=5$" in await hasher.hash(PASSWORD)
    finally:
        hasher.close()


@pytest.mark.parametrize("password", [PASSWORD, "x" * 72, "x" * 100, "é" * 36 + "x", "x" + "é" * 60])
async def test_a_plain_bcrypt_hash_matches_and_is_replaced_by_one_of_the_whole_password(
    hasher: PasswordHasher, password: str
) -> None:
    verdict = await hasher.verify(password, plain_bcrypt(password))
    assert verdict.right
    assert verdict.better_hash is not None
    assert (await hasher.verify(password, verdict.better_hash)).right
    assert not (await hasher.verify(password + "!", verdict.better_hash)).right
    assert not (await hasher.verify(password[:-1], verdict.better_hash)).right


@pytest.mark.parametrize("variant", ["$2a$", "$2b$", "$2y$"])
async def test_every_variant_of_plain_bcrypt_matches(hasher: PasswordHasher, variant: str) -> None:
    assert (await hasher.verify(PASSWORD, variant + plain_bcrypt(PASSWORD)[4:])).right


async def test_a_wrong_password_never_yields_a_better_hash(hasher: PasswordHasher) -> None:
    assert await hasher.verify("wrong " + PASSWORD, plain_bcrypt(PASSWORD)) == (False, None)


async def test_a_hash_of_the_present_kind_and_cost_is_not_replaced(hasher: PasswordHasher) -> None:
    assert await hasher.verify(PASSWORD, await hasher.hash(PASSWORD)) == (True, None)


async def test_a_hash_of_another_cost_is_replaced_when_the_password_matches(hasher: PasswordHasher) -> None:
    dearer = PasswordHasher(rounds=5)
    try:
        verdict = await dearer.verify(PASSWORD, await hasher.hash(PASSWORD))
        assert verdict.better_hash is not None
        assert await dearer.verify(PASSWORD, verdict.better_hash) == (True, None)
    finally:
        dearer.close()


@pytest.mark.parametrize("stored", ["", "!", "plaintext", "$2b$", "$2b$04$tooshort", "$argon2id$v=19$m=1", "\x00"])
async def test_no_password_matches_a_malformed_hash(hasher: PasswordHasher, stored: str) -> None:
    assert await hasher.verify(stored, stored) == (False, None)


async def test_no_password_matches_an_account_without_one(hasher: PasswordHasher) -> None:
    for password in ("", PASSWORD):
        assert await hasher.verify(password, None) == (False, None)


async def test_an_unknown_account_costs_one_run_of_bcrypt_like_a_wrong_password(
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


def steps(runs: list[bytes]) -> int:
    """Return how many steps these runs of bcrypt took together."""
    return sum(2 ** int(run[4:6]) for run in runs)


@pytest.mark.parametrize("rounds", [4, 5, 7, 9])
@pytest.mark.parametrize("make_hash", [plain_bcrypt, None], ids=["plain", "ours"])
async def test_a_wrong_password_costs_the_same_whatever_the_cost_of_the_stored_hash(
    checks: list[bytes], rounds: int, make_hash: Callable[[str, int], str] | None
) -> None:
    older, hasher = PasswordHasher(rounds=rounds), PasswordHasher(rounds=7)
    try:
        stored = make_hash(PASSWORD, rounds) if make_hash else await older.hash(PASSWORD)

        async def find_hash(pattern: str) -> str | None:
            return stored if re.search(pattern, stored) else None

        await hasher.warm_up(find_hash)
        present = await hasher.hash(PASSWORD)
        for hash in (stored, None, present, "no hash", "$2b$04$tooshort"):
            # What is encoded in two ways is compared in both.
            for wrong, comparisons in (("wrong", 1), ("grün", 1), ("gru\u0308n", 2), ("x" * 5000, 1), ("\ud800", 1)):
                checks.clear()
                assert not (await hasher.verify(wrong, hash)).right
                assert steps(checks) == comparisons * 2 ** max(rounds, 7)
    finally:
        older.close()
        hasher.close()


async def test_a_password_is_the_same_however_a_keyboard_encodes_it(hasher: PasswordHasher) -> None:
    composed, decomposed, spaced = "grüne Äpfel", "gru\u0308ne A\u0308pfel", "grüne\u00a0Äpfel"
    for typed in (composed, decomposed, spaced):
        stored = await hasher.hash(typed)
        for other in (composed, decomposed, spaced):
            assert await hasher.verify(other, stored) == (True, None)


async def test_a_hash_of_a_password_as_it_was_typed_matches_and_is_replaced(hasher: PasswordHasher) -> None:
    decomposed = "gru\u0308ne A\u0308pfel"
    for stored in (plain_bcrypt(decomposed), str(bcrypt_sha256.using(rounds=4).hash(decomposed))):
        verdict = await hasher.verify(decomposed, stored)
        assert verdict.right
        assert verdict.better_hash is not None
        assert await hasher.verify("grüne Äpfel", verdict.better_hash) == (True, None)


async def test_the_event_loop_goes_on_while_a_password_is_hashed(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    original = bcrypt.hashpw

    def wait_and_hash(password: bytes, salt: bytes) -> bytes:
        has_begun.set()
        # On the event loop this would wait in vain: nothing there could set it.
        assert may_end.wait(DEADLINE_SECONDS)
        return original(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", wait_and_hash)
    hashing = asyncio.create_task(hasher.hash(PASSWORD))
    await wait_until_async(has_begun.is_set)
    may_end.set()
    assert await hashing


class SlowWork:
    """Calls that each seem to take a second, and begin when `go` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, longest_wait: float, threads: int = 1) -> None:
        self.go, self.seconds = threading.Event(), 0.0
        monkeypatch.setattr("planner.load.lanes.time.perf_counter", self._pass_a_second)
        self.hasher = PasswordHasher(rounds=4, threads=threads, longest_wait=longest_wait)

    def _pass_a_second(self) -> float:
        self.seconds += 1
        return self.seconds

    def begin(self, number: int) -> list[asyncio.Task[bool]]:
        return [asyncio.create_task(self.hasher.run(lambda: self.go.wait(DEADLINE_SECONDS))) for _ in range(number)]


async def test_who_would_wait_too_long_is_refused_at_once_and_told_for_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = SlowWork(monkeypatch, longest_wait=30)
    try:
        work.go.set()
        assert await work.begin(1)[0]
        work.go.clear()
        calls = work.begin(31)
        await asyncio.sleep(0)
        with pytest.raises(Busy) as refused:
            await work.hasher.hash(PASSWORD)
        assert 31 <= refused.value.retry_after <= 62
        assert "database" not in refused.value.detail
        work.go.set()
        assert await asyncio.gather(*calls) == [True] * 31
    finally:
        work.hasher.close()


async def test_with_more_threads_more_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    work = SlowWork(monkeypatch, longest_wait=30, threads=2)
    try:
        work.go.set()
        assert await work.begin(1)[0]
        work.go.clear()
        calls = work.begin(62)
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await work.hasher.hash(PASSWORD)
        work.go.set()
        assert await asyncio.gather(*calls) == [True] * 62
    finally:
        work.hasher.close()


async def test_who_has_waited_longer_than_was_foreseen_is_refused_then() -> None:
    hasher, go = PasswordHasher(rounds=4, threads=1, longest_wait=0.01), threading.Event()
    try:
        running = asyncio.create_task(hasher.run(lambda: go.wait(DEADLINE_SECONDS)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await hasher.hash(PASSWORD)
        go.set()
        assert await running
        assert await hasher.hash(PASSWORD)
    finally:
        hasher.close()


async def test_who_waits_for_a_password_is_uncounted() -> None:
    entered: list[bool] = []

    @contextmanager
    def uncounted() -> Iterator[None]:
        entered.append(True)
        yield
        entered.append(False)

    hasher = PasswordHasher(rounds=4, uncounted=uncounted)
    try:
        await hasher.hash(PASSWORD)
        assert entered == [True, False]
    finally:
        hasher.close()


async def test_a_cancelled_caller_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    work = SlowWork(monkeypatch, longest_wait=1)
    try:
        work.go.set()
        assert await work.begin(1)[0]
        work.go.clear()
        calls = work.begin(2)
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await work.hasher.hash(PASSWORD)
        calls[1].cancel()
        await asyncio.gather(calls[1], return_exceptions=True)
        waiting = asyncio.create_task(work.hasher.hash(PASSWORD))
        await asyncio.sleep(0)
        work.go.set()
        assert await waiting
    finally:
        work.hasher.close()


async def test_no_hash_is_computed_for_a_client_that_disconnects_while_it_waits(
    hasher: PasswordHasher, checks: list[bytes]
) -> None:
    stored = await hasher.hash(PASSWORD)
    await hasher.warm_up()
    checks.clear()

    async def has_disconnected() -> bool:
        return True

    with pytest.raises(Unavailable):
        await hasher.verify(PASSWORD, stored, has_disconnected)
    assert checks == []
    assert (await hasher.verify(PASSWORD, stored)).right
    assert len(checks) == 1


async def test_a_password_that_is_longer_than_any_library_takes_is_wrong(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("x" * 128)
    for password in ("x" * 5_000, "x" * 200_000, "é" * 10_000):
        assert not (await hasher.verify(password, stored)).right
        assert not (await hasher.verify(password, None)).right

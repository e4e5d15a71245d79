"""Rate limits: never more attempts than allowed in a period, and all of them again after a block."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from planner.domain.rate_limits import RateLimit, compute_blocked_until, is_exceeded

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
LIMIT = RateLimit(3, timedelta(minutes=10))


def at(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


def attempt(times: list[datetime], limit: RateLimit, now: datetime) -> bool:
    """Make an attempt and return whether it is allowed, as the rate limiter does it."""
    if compute_blocked_until(times, limit, now):
        return False
    times.append(now)
    return not is_exceeded(times, limit)


def max_in_any_period(times: Sequence[datetime], within: timedelta) -> int:
    return max((sum(first <= time < first + within for time in times) for first in times), default=0)


@pytest.mark.parametrize("times", [[], at(0), at(0, 1)])
def test_nothing_is_blocked_before_the_limit(times: list[datetime]) -> None:
    assert compute_blocked_until(times, LIMIT, START) is None


def test_the_block_lasts_one_period_from_the_last_attempt() -> None:
    until = START + timedelta(minutes=15)
    assert compute_blocked_until(at(0, 1, 5), LIMIT, START + timedelta(minutes=5)) == until
    assert compute_blocked_until(at(0, 1, 5), LIMIT, until - timedelta(milliseconds=1)) == until
    assert compute_blocked_until(at(0, 1, 5), LIMIT, until) is None


def test_attempts_over_more_than_one_period_are_not_blocked() -> None:
    assert compute_blocked_until(at(0, 5, 10), LIMIT, START + timedelta(minutes=10)) is None
    assert compute_blocked_until(at(0, 5, 9.99), LIMIT, START + timedelta(minutes=10)) is not None


def test_only_the_latest_attempts_count() -> None:
    assert compute_blocked_until(at(0, 1, 2, 30, 45, 60), LIMIT, START + timedelta(minutes=60)) is None
    assert compute_blocked_until(at(0, 30, 58, 59, 60), LIMIT, START + timedelta(minutes=60)) is not None


def test_the_first_attempt_over_the_limit_exceeds_it() -> None:
    assert not is_exceeded([], LIMIT)
    assert not is_exceeded(at(0, 1, 2), LIMIT)
    assert is_exceeded(at(0, 1, 2, 3), LIMIT)
    assert not is_exceeded(at(0, 1, 2, 10), LIMIT)


def test_after_a_block_all_attempts_are_allowed_again() -> None:
    times = at(0, 1, 5)
    now = START + timedelta(minutes=15)
    assert [attempt(times, LIMIT, now) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize("seed", range(50))
def test_no_period_ever_has_more_attempts_than_the_limit(seed: int) -> None:
    chance = random.Random(seed)
    limit = RateLimit(chance.randint(1, 6), timedelta(seconds=chance.randint(1, 60)))
    times: list[datetime] = []
    allowed: list[datetime] = []
    now = START
    for _ in range(400):
        now += timedelta(milliseconds=chance.choice([0, 1, 500, 1000, 5000, 30_000]))
        if attempt(times, limit, now):
            allowed.append(now)
        del times[: -limit.max_count - 1]  # As much as the tally keeps.
    assert max_in_any_period(allowed, limit.period) <= limit.max_count
    assert max_in_any_period(allowed, limit.period) == limit.max_count


@pytest.mark.parametrize("seed", range(50))
def test_attempts_that_are_checked_at_once_do_not_exceed_the_limit_either(seed: int) -> None:
    chance = random.Random(seed)
    limit = RateLimit(chance.randint(1, 6), timedelta(seconds=chance.randint(1, 60)))
    times: list[datetime] = []
    allowed: list[datetime] = []
    now = START
    for _ in range(200):
        now += timedelta(milliseconds=chance.choice([1, 1000, 5000, 30_000, 90_000]))
        if compute_blocked_until(times, limit, now):
            continue
        for _ in range(chance.randint(1, 20)):
            now += timedelta(milliseconds=chance.choice([0, 1, 50]))
            times.append(now)
            if not is_exceeded(times, limit):
                allowed.append(now)
        del times[: -limit.max_count - 1]
    assert max_in_any_period(allowed, limit.period) == limit.max_count


def test_after_waiting_until_the_end_of_a_block_all_attempts_are_allowed() -> None:
    chance = random.Random(1)
    times: list[datetime] = []
    now = START
    for _ in range(100):
        for _ in range(LIMIT.max_count):
            now += timedelta(seconds=chance.random())
            assert attempt(times, LIMIT, now)
        until = compute_blocked_until(times, LIMIT, now)
        assert until is not None
        assert not attempt(times, LIMIT, until - timedelta(microseconds=1))
        now = until

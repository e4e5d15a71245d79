"""How often something may happen: never more than allowed, and all of it again afterwards."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from planner.domain.rate_limits import Limit, blocked_until, is_over

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
LIMIT = Limit(3, timedelta(minutes=10))


def at(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


def attempt(times: list[datetime], limit: Limit, now: datetime) -> bool:
    """Whether an attempt is allowed; noted as the tally notes it."""
    if blocked_until(times, limit, now):
        return False
    times.append(now)
    return not is_over(times, limit)


def most_in_any_stretch(times: Sequence[datetime], within: timedelta) -> int:
    return max((sum(first <= time < first + within for time in times) for first in times), default=0)


@pytest.mark.parametrize("times", [[], at(0), at(0, 1)])
def test_nothing_is_barred_before_the_limit_is_reached(times: list[datetime]) -> None:
    assert blocked_until(times, LIMIT, START) is None


def test_the_bar_lasts_the_whole_time_from_the_last() -> None:
    until = START + timedelta(minutes=15)
    assert blocked_until(at(0, 1, 5), LIMIT, START + timedelta(minutes=5)) == until
    assert blocked_until(at(0, 1, 5), LIMIT, until - timedelta(milliseconds=1)) == until
    assert blocked_until(at(0, 1, 5), LIMIT, until) is None


def test_what_is_spread_over_more_than_the_time_is_not_barred() -> None:
    assert blocked_until(at(0, 5, 10), LIMIT, START + timedelta(minutes=10)) is None
    assert blocked_until(at(0, 5, 9.99), LIMIT, START + timedelta(minutes=10)) is not None


def test_only_the_latest_count() -> None:
    assert blocked_until(at(0, 1, 2, 30, 45, 60), LIMIT, START + timedelta(minutes=60)) is None
    assert blocked_until(at(0, 30, 58, 59, 60), LIMIT, START + timedelta(minutes=60)) is not None


def test_one_too_many_is_the_one_after_the_allowance_and_not_the_last_of_it() -> None:
    assert not is_over([], LIMIT)
    assert not is_over(at(0, 1, 2), LIMIT)
    assert is_over(at(0, 1, 2, 3), LIMIT)
    assert not is_over(at(0, 1, 2, 10), LIMIT)


def test_the_whole_allowance_returns_at_once() -> None:
    times = at(0, 1, 5)
    now = START + timedelta(minutes=15)
    assert [attempt(times, LIMIT, now) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize("seed", range(50))
def test_no_stretch_ever_holds_more_than_the_most(seed: int) -> None:
    chance = random.Random(seed)
    limit = Limit(chance.randint(1, 6), timedelta(seconds=chance.randint(1, 60)))
    times: list[datetime] = []
    allowed: list[datetime] = []
    now = START
    for _ in range(400):
        now += timedelta(milliseconds=chance.choice([0, 1, 500, 1000, 5000, 30_000]))
        if attempt(times, limit, now):
            allowed.append(now)
        del times[: -limit.most - 1]  # As much as the tally keeps.
    assert most_in_any_stretch(allowed, limit.within) <= limit.most
    assert most_in_any_stretch(allowed, limit.within) == limit.most


@pytest.mark.parametrize("seed", range(50))
def test_those_who_were_checked_together_and_counted_afterwards_are_not_more_either(seed: int) -> None:
    chance = random.Random(seed)
    limit = Limit(chance.randint(1, 6), timedelta(seconds=chance.randint(1, 60)))
    times: list[datetime] = []
    allowed: list[datetime] = []
    now = START
    for _ in range(200):
        now += timedelta(milliseconds=chance.choice([1, 1000, 5000, 30_000, 90_000]))
        if blocked_until(times, limit, now):
            continue
        for _ in range(chance.randint(1, 20)):
            now += timedelta(milliseconds=chance.choice([0, 1, 50]))
            times.append(now)
            if not is_over(times, limit):
                allowed.append(now)
        del times[: -limit.most - 1]
    assert most_in_any_stretch(allowed, limit.within) == limit.most


def test_who_waits_as_long_as_told_has_the_whole_allowance() -> None:
    chance = random.Random(1)
    times: list[datetime] = []
    now = START
    for _ in range(100):
        for _ in range(LIMIT.most):
            now += timedelta(seconds=chance.random())
            assert attempt(times, LIMIT, now)
        until = blocked_until(times, LIMIT, now)
        assert until is not None
        assert not attempt(times, LIMIT, until - timedelta(microseconds=1))
        now = until

"""Bounds of slow work: how much is done at the same time, whose turn it is, and who is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from planner.errors import Busy
from planner.load import lanes
from planner.load.lanes import Lane
from tests.support.waiting import wait_until_async

ANN, BEN = "ann", "ben"


class Work:
    """Pieces of work in a lane, by account; each goes on until the test ends it. `order` is who began when."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.order: list[str | None] = []
        self._ends: list[asyncio.Event] = []

    async def begin(self, *accounts: str | None) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._do(account)) for account in accounts]
        await let_tasks_run()
        return tasks

    async def _do(self, account: str | None) -> None:
        async with self.lane.work(account):
            self.order.append(account)
            end = asyncio.Event()
            self._ends.append(end)
            await end.wait()

    async def end_first(self) -> None:
        self._ends.pop(0).set()
        await let_tasks_run()

    async def end_all(self) -> None:
        while self._ends:
            await self.end_first()


async def let_tasks_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    """A lane with three slots, of which one account gets two."""
    work = Work(Lane("searches", 3, longest_wait=60))
    yield work
    await work.end_all()


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every piece of work seems to take one second."""
    seconds = iter(range(10_000))
    monkeypatch.setattr("planner.load.lanes.time.perf_counter", lambda: float(next(seconds)))


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account rests."""
    monkeypatch.setattr(lanes, "REST", 0.0)


async def test_no_more_is_done_at_the_same_time_than_there_are_slots(work: Work) -> None:
    await work.begin("a", "b", "c", "d")
    assert work.order == ["a", "b", "c"]
    await work.end_first()
    assert work.order == ["a", "b", "c", "d"]


async def test_one_account_never_has_all_slots(work: Work) -> None:
    await work.begin(ANN, ANN, ANN, ANN)
    assert work.order == [ANN, ANN]
    await work.begin(BEN)
    assert work.order == [ANN, ANN, BEN]


async def test_with_a_single_slot_everybody_can_have_it() -> None:
    work = Work(Lane("searches", 1))
    await work.begin(ANN, BEN)
    assert work.order == [ANN]
    await work.end_first()
    assert work.order == [ANN, BEN]
    await work.end_all()


async def test_accounts_take_turns_however_much_one_of_them_asks_for(work: Work) -> None:
    await work.begin("x", "y", "z", *[ANN] * 5, BEN, "cem")
    for _ in range(3):
        await work.end_first()
    assert work.order == ["x", "y", "z", ANN, BEN, "cem"]


async def test_work_without_an_account_can_have_all_slots(work: Work) -> None:
    await work.begin(None, None, None, None)
    assert work.order == [None, None, None]


@pytest.mark.usefixtures("second", "no_rest")
async def test_what_would_wait_too_long_is_refused_at_once_and_may_be_asked_again_after_the_wait() -> None:
    work = Work(Lane("searches", 1, longest_wait=3))
    await work.begin(ANN)
    await work.end_all()
    await work.begin(*[ANN] * 4)
    with pytest.raises(Busy) as refused:
        async with work.lane.work(ANN):
            pass
    # Up to twice as long, so that not all who are refused come back at the same time.
    assert 4 <= refused.value.retry_after <= 8
    assert "searches" in refused.value.detail
    assert "database" not in refused.value.detail
    await work.end_all()


@pytest.mark.usefixtures("second", "no_rest")
async def test_an_account_that_fills_its_queue_does_not_fill_that_of_others() -> None:
    work = Work(Lane("searches", 1, longest_wait=3))
    await work.begin(ANN)
    await work.end_all()
    await work.begin(*[ANN] * 4)
    (late,) = await work.begin(BEN)
    assert not late.done()
    await work.end_all()
    assert work.order.count(ANN) == 5
    # Two pieces of the other account at most come before.
    assert work.order.index(BEN) <= 3


@pytest.mark.usefixtures("second")
async def test_an_account_of_which_more_waits_rests_after_each_piece_of_work_while_others_go_on() -> None:
    work = Work(Lane("searches", 2, longest_wait=60))
    await work.begin(ANN, ANN)
    await work.end_first()
    assert work.order == [ANN]
    await work.begin(BEN)
    assert work.order == [ANN, BEN]
    await wait_until_async(lambda: work.order == [ANN, BEN, ANN])
    await work.end_all()


async def test_an_account_of_which_nothing_waits_does_not_rest(work: Work) -> None:
    for _ in range(3):
        await work.begin(ANN)
        await work.end_first()
    assert work.order == [ANN, ANN, ANN]


async def test_what_has_waited_longer_than_was_foreseen_is_refused_then() -> None:
    work = Work(Lane("searches", 1, longest_wait=0.01))
    await work.begin(ANN)
    with pytest.raises(Busy):
        async with work.lane.work(BEN):
            pass
    await work.end_all()
    async with work.lane.work(BEN):
        pass


async def test_only_so_many_wait_however_short_their_work_is(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_WAITING", 2)
    await work.begin("a", "b", "c", "d", "e")
    with pytest.raises(Busy):
        async with work.lane.work("f"):
            pass


async def test_a_slot_is_free_again_after_an_error_and_after_a_cancellation(work: Work) -> None:
    with pytest.raises(ZeroDivisionError):
        async with work.lane.work(ANN):
            raise ZeroDivisionError
    begun = await work.begin("a", "b", "c", "d")
    begun[3].cancel()
    begun[0].cancel()
    await let_tasks_run()
    await work.begin("e")
    assert work.order == ["a", "b", "c", "e"]


async def test_who_is_cancelled_in_the_moment_it_gets_a_slot_gives_it_back(work: Work) -> None:
    begun = await work.begin("a", "b", "c", "d", "e")
    work._ends[0].set()
    await asyncio.sleep(0)
    begun[3].cancel()
    await let_tasks_run()
    assert work.order == ["a", "b", "c", "e"]


async def test_parts_are_made_in_a_slot_that_is_free_while_they_are_read() -> None:
    work = Work(Lane("exports", 1))

    async def make() -> AsyncIterator[int]:
        yield 1
        yield 2

    parts = work.lane.iterate(make(), ANN)
    assert await anext(parts) == 1
    await work.begin(BEN)
    assert work.order == [BEN]
    second = asyncio.ensure_future(anext(parts))
    await let_tasks_run()
    assert not second.done()
    await work.end_all()
    assert await second == 2
    assert [part async for part in parts] == []


async def test_no_parts_are_no_error() -> None:
    async def make() -> AsyncIterator[int]:
        return
        yield

    assert [part async for part in Lane("exports", 1).iterate(make(), ANN)] == []


async def test_what_waits_or_works_is_uncounted() -> None:
    entered: list[bool] = []

    @contextmanager
    def uncounted() -> Iterator[None]:
        entered.append(True)
        yield
        entered.append(False)

    async with Lane("searches", 1, uncounted=uncounted).work(ANN):
        assert entered == [True]
    assert entered == [True, False]


async def test_what_makes_parts_is_uncounted_once_and_for_as_long_as_they_are_read() -> None:
    within = 0

    @contextmanager
    def uncounted() -> Iterator[None]:
        nonlocal within
        within += 1
        yield
        within -= 1

    async def make() -> AsyncIterator[int]:
        yield within
        yield within

    lane = Lane("exports", 1, uncounted=uncounted)
    assert [(part, within) async for part in lane.iterate(make(), ANN)] == [(1, 1), (1, 1)]
    assert within == 0


async def test_the_end_of_the_wait_is_noted_before_the_work_begins() -> None:
    noted: list[str] = []
    async with Lane("searches", 1, on_turn=lambda: noted.append("turn")).work(ANN):
        assert noted == ["turn"]
    assert noted == ["turn"]

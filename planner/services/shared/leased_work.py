"""Doing the queued work of one kind that is due, whichever process has queued it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from database.errors import is_unavailable
from database.queries import Id, new_id
from models.shared.leased_work import LeasedWork
from planner.clock import Clock
from planner.services.shared.retry import compute_pause

W = TypeVar("W", bound=LeasedWork)
LONGEST_PAUSE = timedelta(minutes=10)


async def do_leased_work(
    kind: type[W],
    do: Callable[[W, Id], Awaitable[bool]],
    clock: Clock,
    log: logging.Logger,
    *,
    first_pause: timedelta,
) -> list[bool]:
    """Lease all work of a kind that is due, one piece after the other, and do it.

    `do` gets a piece of work and the holder of its lease, and returns whether it has finished the work. Returns the
    same of each piece. What `do` raises is logged, and the work is tried again after a pause: `first_pause`, and twice
    as long after each more failure.
    """
    are_finished, holder = [], new_id()
    while (work := await kind.lease_due(holder, clock.now())) is not None:
        try:
            is_finished = await do(work, holder)
        except asyncio.CancelledError:
            await kind.release_lease(work.id, holder, clock.now())
            raise
        except Exception as error:  # Nothing that a piece of work raises may stop the others.
            if is_unavailable(error):
                raise
            pause = compute_pause(work.attempts, first_pause, LONGEST_PAUSE)
            log.exception("%s failed; trying again in %s", kind.title, pause)
            await kind.postpone(work.id, holder, clock.now() + pause)
            is_finished = False
        are_finished.append(is_finished)
    return are_finished

"""The loop that does queued and scheduled work; each process has one, and they share the work."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from database.connection import Database
from database.errors import DRIVER_ERROR, is_unavailable
from database.transactions.abandoned import end_abandoned_transactions
from planner.wiring import Services

log = logging.getLogger("planner.background")
# What another process has queued is found no later than this; what this process has queued, at once.
POLL_SECONDS = 5.0
# An abandoned transaction holds up others, so it is looked for more often.
TRANSACTION_POLL_SECONDS = 1.0
CANCEL_SECONDS = 0.5


async def run_due_work(services: Services) -> None:
    """Do what is due until the task is cancelled; see `stop`."""
    # Each in a task of its own: no mail waits for a long import.
    tasks = {
        asyncio.create_task(_repeat(work, do_due, wake, services))
        for work, do_due, wake in (
            ("mails", services.mail_delivery.send_due, services.mail_delivery.wake),
            ("imports", services.import_jobs.run_due, services.import_jobs.wake),
            ("changes", services.numbering.number_due, services.numbering.wake),
            ("exports", services.data_export.run_due, services.data_export.wake),
            ("account deletions", services.deletion.run_due, services.deletion.wake),
            ("expired revisions", services.revisions.delete_expired, asyncio.Event()),
        )
    }
    if services.database.transactions:
        tasks.add(asyncio.create_task(_end_abandoned_transactions(services.database)))
    while tasks:
        try:
            _, tasks = await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()


async def stop(loop: "asyncio.Task[None]") -> None:
    """Cancel the task of `run_due_work`, and return when it has ended."""
    while not loop.done():
        # Again and again: in Python 3.11, asyncio.wait_for, with which the driver waits, loses a cancellation that
        # comes in the moment in which it ends.
        loop.cancel()
        await asyncio.wait([loop], timeout=CANCEL_SECONDS)


async def _repeat(work: str, do_due: Callable[[], Awaitable[int]], wake: asyncio.Event, services: Services) -> None:
    while True:
        has_failed = True
        try:
            await do_due()
            has_failed = False
            await services.readiness.check_recovery()
        except DRIVER_ERROR as error:
            if is_unavailable(error):
                services.readiness.note_failure(error)
            else:
                log.exception("queued work failed")
        except Exception:  # The loop must survive whatever one round raises.
            log.exception("queued work failed")
        services.metrics.end_background_run(work, time.time(), has_failed=has_failed)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await wake.wait()
        wake.clear()


async def _end_abandoned_transactions(database: Database) -> None:
    has_failed = False
    while True:
        try:
            await end_abandoned_transactions(database)
            has_failed = False
        except DRIVER_ERROR as error:
            # A server that does not let its users look goes on not to: said once.
            if not is_unavailable(error) and not has_failed:
                has_failed = True
                log.warning("cannot look for transactions of processes that were killed: %s", error)
        await asyncio.sleep(TRANSACTION_POLL_SECONDS)

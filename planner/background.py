"""The loop that calls services on a schedule; each process has one, and they share the work."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from database.errors import DRIVER_ERROR, is_unavailable
from planner.services.events.revisions import Revisions
from planner.services.files.import_jobs import ImportJobs
from planner.services.mail.delivery import MailDelivery

log = logging.getLogger("planner.background")
# What another process stored is found no later than this; one's own is done at once.
POLL_SECONDS = 5.0


async def work(mailing: MailDelivery, imports: ImportJobs, undo: Revisions) -> None:
    """Do what is due, for ever; ends by being cancelled."""
    # Each by itself: no mail waits for a long import.
    async with asyncio.TaskGroup() as group:
        group.create_task(_for_ever(mailing.send_due, mailing.wake))
        group.create_task(_for_ever(imports.do_due, imports.wake))
        group.create_task(_for_ever(undo.forget_due, asyncio.Event()))


async def _for_ever(do_due: Callable[[], Awaitable[int]], wake: asyncio.Event) -> None:
    while True:
        try:
            await do_due()
        except DRIVER_ERROR as error:
            if is_unavailable(error):
                log.warning("the database is away; what is due waits")
            else:
                log.exception("what is due could not be done")
        except Exception:  # The loop must outlive whatever one round meets.
            log.exception("what is due could not be done")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await wake.wait()
        wake.clear()

"""The loop that calls services on a schedule; each process has one, and they share the work."""

import asyncio
import contextlib
import logging

from database.errors import DRIVER_ERROR, is_away
from planner.services.mailing import Mailing

log = logging.getLogger("planner.background")
# What another process stored is found no later than this; one's own is done at once.
POLL_SECONDS = 5.0


async def work(mailing: Mailing) -> None:
    """Do what is due, for ever; ends by being cancelled."""
    while True:
        try:
            await mailing.send_due()
        except DRIVER_ERROR as error:
            if is_away(error):
                log.warning("the database is away; what is due waits")
            else:
                log.exception("what is due could not be done")
        except Exception:  # The loop must outlive whatever one round meets.
            log.exception("what is due could not be done")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await mailing.wake.wait()
        mailing.wake.clear()

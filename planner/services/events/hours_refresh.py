"""The stored hours of recurring events, computed again when the rules of time zones have changed."""

import logging
from importlib.metadata import version

from database.commit import commit_atomically
from models.events.event import Event
from models.events.event_queries import find_all_recurring_events
from models.shared.time_zone_version import TimeZoneVersion

log = logging.getLogger("planner")
# Increase the number whenever `planner/domain/recurrence/hours.py` computes other hours for the same event.
HOURS_VERSION = f"1 {version('tzdata')}"
REPORT_EVENTS = 10_000


async def refresh_hours() -> int:
    """Store the hours of all recurring events as they are computed now, if they may differ; return how many did."""
    if await TimeZoneVersion.is_current(HOURS_VERSION):
        return 0
    seen = changed = 0
    async for batch in find_all_recurring_events():
        writes = [write for raw in batch if (write := Event.from_raw(raw).refresh_hours_write()) is not None]
        if writes and not await commit_atomically(writes, separate=True):
            # An event was changed meanwhile, which has computed its hours: the others one by one.
            for write in writes:
                await commit_atomically([write])
        seen, changed = seen + len(batch), changed + len(writes)
        if seen // REPORT_EVENTS > (seen - len(batch)) // REPORT_EVENTS:
            log.info("computing in which hours events recur: %d done", seen)
    await TimeZoneVersion.record(HOURS_VERSION)
    if changed:
        log.info("computed in which hours %d events recur, by the rules of time zones of now", changed)
    return changed

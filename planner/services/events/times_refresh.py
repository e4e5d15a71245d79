"""When recurring events take place, computed again when it may be computed otherwise than it is stored.

That is when the rules of time zones have changed, and with a version of the planner that computes it otherwise.
"""

import logging
from importlib.metadata import version
from itertools import chain

from database.commit import commit_atomically
from models.events.event import Event
from models.events.event_queries import find_all_recurring_events
from models.events.event_writes import refresh_event_writes
from models.shared.time_zone_version import TimeZoneVersion

log = logging.getLogger("planner")
# Increase the number whenever `list_hours` or `compute_extent` of `planner/domain/recurrence` return something else for
# the same event.
TIMES_VERSION = f"2 {version('tzdata')}"
REPORT_EVENTS = 10_000


async def refresh_times() -> int:
    """Store when all recurring events take place as it is computed now, if it may differ; return how many did."""
    if await TimeZoneVersion.is_current(TIMES_VERSION):
        return 0
    seen = changed = 0
    async for batch in find_all_recurring_events():
        refreshed = [writes for raw in batch if (writes := refresh_event_writes(Event.from_raw(raw)))]
        if refreshed and not await commit_atomically(list(chain.from_iterable(refreshed)), separate=True):
            # An event was changed meanwhile, which has computed it: the others one by one.
            for writes in refreshed:
                await commit_atomically(writes)
        seen, changed = seen + len(batch), changed + len(refreshed)
        if seen // REPORT_EVENTS > (seen - len(batch)) // REPORT_EVENTS:
            log.info("computing when events recur: %d done", seen)
    await TimeZoneVersion.record(TIMES_VERSION)
    if changed:
        log.info("computed again when %d events recur", changed)
    return changed

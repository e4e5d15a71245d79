"""Rate limits: how often something may happen, and until when it is blocked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple


class RateLimit(NamedTuple):
    """At most `max_count` times in any `period`."""

    max_count: int
    period: timedelta


def compute_blocked_until(times: Sequence[datetime], limit: RateLimit, now: datetime) -> datetime | None:
    """Return until when the next attempt is blocked, or None if it is allowed.

    `times` are the times of earlier attempts, the oldest first. When the last `max_count` of them are within
    one period, attempts are blocked for one more period from the last of them. Then all of them are more
    than a period ago, so `max_count` attempts are allowed again.
    """
    recent = times[-limit.max_count :]
    if len(recent) < limit.max_count or recent[-1] - recent[0] >= limit.period:
        return None
    until = recent[-1] + limit.period
    return until if until > now else None


def is_exceeded(times: Sequence[datetime], limit: RateLimit) -> bool:
    """Return whether the last of these attempts exceeds the limit."""
    return len(times) > limit.max_count and times[-1] - times[-limit.max_count - 1] < limit.period

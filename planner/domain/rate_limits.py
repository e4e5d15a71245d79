"""How often something may happen, and until when it may not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple


class Limit(NamedTuple):
    """At most `most` times within the time `within`."""

    most: int
    within: timedelta


def blocked_until(times: Sequence[datetime], limit: Limit, now: datetime) -> datetime | None:
    """Until when nothing more is allowed, or None; `times` is when it happened, the oldest first.

    Once `most` times lie within `within`, the bar lasts as long again from the last of
    them. All of them are over then, so the whole allowance returns at once; and no
    stretch of that length ever holds more than `most`.
    """
    recent = times[-limit.most :]
    if len(recent) < limit.most or recent[-1] - recent[0] >= limit.within:
        return None
    until = recent[-1] + limit.within
    return until if until > now else None


def is_over(times: Sequence[datetime], limit: Limit) -> bool:
    """Whether the last of the times is one too many."""
    return len(times) > limit.most and times[-1] - times[-limit.most - 1] < limit.within

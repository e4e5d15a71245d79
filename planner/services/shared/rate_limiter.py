"""Refusing what is tried too often, in tallies that all processes share.

docs/decisions/0007-limits.md says why the tallies are our own.
"""

import hashlib
import ipaddress
from datetime import timedelta
from typing import NamedTuple

from models.shared.rate_limit_counter import RateLimitCounter
from planner.clock import Clock
from planner.domain.rate_limits import RateLimit, compute_blocked_until, is_exceeded
from planner.errors import TooMany

SIGN_IN_ACCOUNT = RateLimit(10, timedelta(minutes=15))
SIGN_IN_ADDRESS = RateLimit(60, timedelta(minutes=15))
SIGN_UP_ADDRESS = RateLimit(20, timedelta(hours=1))
MAIL_ACCOUNT = RateLimit(5, timedelta(hours=1))


class Counted(NamedTuple):
    """One thing that is counted: what for, and about whom."""

    limit: RateLimit
    purpose: str
    about: str

    @property
    def id(self) -> str:
        """What its tally is stored under: it tells nobody's address."""
        return hashlib.sha256(f"{self.purpose}\0{self.about}".encode(errors="surrogatepass")).hexdigest()


class RateLimiter:
    """Counts, and refuses with `TooMany`; switched off, it does neither."""

    def __init__(self, on: bool, clock: Clock) -> None:
        self._on = on
        self._clock = clock

    async def check(self, *counted: Counted) -> None:
        """Raise `TooMany` while one of the limits is reached; counts nothing."""
        if not self._on:
            return
        now = self._clock.now()
        bars = [compute_blocked_until(await RateLimitCounter.find_times(one.id), one.limit, now) for one in counted]
        if until := max((bar for bar in bars if bar), default=None):
            self._refuse(until - now)

    async def count(self, *counted: Counted) -> None:
        """Count one more of each; raise `TooMany` when that was one too many.

        What is refused already is not counted, so that trying on and on does not prolong the refusal.
        """
        if not self._on:
            return
        await self.check(*counted)
        too_many: timedelta | None = None
        for one in counted:
            if is_exceeded(await RateLimitCounter.add_time(one.id, one.limit, self._clock.now()), one.limit):
                too_many = max(one.limit.period, too_many or one.limit.period)
        if too_many is not None:
            self._refuse(too_many)

    def _refuse(self, wait: timedelta) -> None:
        raise TooMany(max(1, -int(-wait.total_seconds() // 1)))


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one household has of IPv6."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return address

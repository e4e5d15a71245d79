"""Rate limits, with counters that all processes share.

docs/decisions/0007-limits.md explains why the counters are our own.
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
# Requests that send mails are counted by what the sender of the request cannot choose: the account that is signed
# in, the network address, and each address that would get a mail.
MAIL_ACCOUNT = RateLimit(5, timedelta(hours=1))
MAIL_TARGET = RateLimit(5, timedelta(hours=1))
MAIL_NETWORK = RateLimit(30, timedelta(hours=1))
# What is sent to one address, whatever asked for it: more waits in the queue.
MAILS_TO_ADDRESS = RateLimit(20, timedelta(hours=1))


class Counted(NamedTuple):
    """Something that is counted: for which limit and purpose, and about whom."""

    limit: RateLimit
    purpose: str
    about: str

    @property
    def id(self) -> str:
        """The id of its counter, a hash, which reveals nobody's address."""
        return hashlib.sha256(f"{self.purpose}\0{self.about}".encode(errors="surrogatepass")).hexdigest()


class RateLimiter:
    """Counts attempts, and raises `TooMany` beyond a limit; does nothing unless it is `enabled`."""

    def __init__(self, enabled: bool, clock: Clock) -> None:
        self._enabled = enabled
        self._clock = clock

    async def check(self, *counted: Counted) -> None:
        """Raise `TooMany` while one of the limits is reached, without counting."""
        if not self._enabled:
            return
        now = self._clock.now()
        blocks = [compute_blocked_until(await RateLimitCounter.find_times(one.id), one.limit, now) for one in counted]
        if until := max((block for block in blocks if block), default=None):
            self._refuse(until - now)

    async def count(self, *counted: Counted) -> None:
        """Count one more of each; raise `TooMany` when that was beyond a limit.

        Attempts that are refused already are not counted, so that more of them do not prolong the refusal.
        """
        if not self._enabled:
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
    """Return what is counted as one network address: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address

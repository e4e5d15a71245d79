"""Rate limits, with counters that all processes share.

docs/decisions/0007-limits.md explains why the counters are our own.
"""

import hashlib
import ipaddress
import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from database.writes import Delete
from models.shared.rate_limit_counter import RateLimitCounter
from planner.clock import Clock
from planner.domain.rate_limits import RateLimit, compute_blocked_until, is_exceeded
from planner.errors import TooMany

SIGN_IN_NAME = RateLimit(10, timedelta(minutes=15))
PASSWORD_PROMPT = RateLimit(10, timedelta(minutes=15))
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
    """Something that is counted: for which limit, what it is in words, and about whom."""

    limit: RateLimit
    what: str
    about: str

    @property
    def id(self) -> str:
        """The id of its counter, a hash, which reveals nobody's address."""
        return hashlib.sha256(f"{self.what}\0{self.about}".encode(errors="surrogatepass")).hexdigest()


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
        blocks = []
        for one in counted:
            times = await RateLimitCounter.find_times(one.id)
            if (until := compute_blocked_until(times, one.limit, now)) is not None:
                blocks.append((until, one))
        _refuse(blocks, now)

    async def count(self, *counted: Counted) -> None:
        """Count one more of each; raise `TooMany` when that was beyond a limit.

        Attempts that are refused already are not counted, so that more of them do not prolong the refusal.
        """
        if not self._enabled:
            return
        await self.check(*counted)
        now = self._clock.now()
        found = [(await RateLimitCounter.add_time(one.id, one.limit, now), one) for one in counted]
        _refuse([(now + one.limit.period, one) for times, one in found if is_exceeded(times, one.limit)], now)

    def clear_write(self, *counted: Counted) -> Delete:
        """Return the write after which nothing has been counted of these."""
        return RateLimitCounter.delete_write([one.id for one in counted])


def failed_sign_ins(name: str) -> Counted:
    """Return what counts wrong passwords for a name, in the form in which names are compared.

    Each name counts by itself, so that the limits do not tell which names are one account.
    """
    return Counted(SIGN_IN_NAME, "failed sign-ins with this name", name)


def _refuse(blocks: list[tuple[datetime, Counted]], now: datetime) -> None:
    """Raise `TooMany` for the longest of the blocks, saying which limit it is and when it ends; do nothing for none."""
    if not blocks:
        return
    until, (limit, what, _) = max(blocks, key=lambda block: block[0])
    seconds = max(1, math.ceil((until - now).total_seconds()))
    # Rounded up, like the seconds: at that time the next attempt is accepted.
    end = datetime.fromtimestamp(math.ceil(until.timestamp()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    minutes = int(limit.period.total_seconds() // 60)
    raise TooMany(f"Too many {what}: at most {limit.max_count} in {minutes} minutes. Try again after {end}.", seconds)


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

"""The open connections of a process, and how many there may be."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from planner.telemetry.metrics import Metrics

log = logging.getLogger("planner.http")
# So many file descriptors are reserved for everything else: the database, files, what is accepted in one turn.
RESERVED_FILES = 256
# A connection that has waited for its client for less time is not closed to make room for a new one.
SHORT_SECONDS = 1.0
# Above the limit, so many connections get a response that says so; those beyond are closed without one.
REFUSED_AT_A_TIME = 64
LOG_SECONDS = 60.0


class Connection(Protocol):
    """What this module needs of a connection."""

    def make_room(self) -> None:
        """Close the connection, which waits for its client, because a new one needs its place."""

    def refuse_connection(self) -> None:
        """Respond that there are too many connections, and close this one."""

    def abort(self) -> None:
        """Close the connection at once."""


class Connections:
    """Counts the connections of a process; above `limit`, the one that has waited longest for its client is closed.

    A connection waits for its client while no request of it is being answered: it is idle, or a request has not
    arrived completely.
    """

    def __init__(self, limit: int, metrics: Metrics, now: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._metrics = metrics
        self._now = now
        self._open: set[Connection] = set()
        # Since when each waits for its client; the one that has waited longest comes first.
        self._waiting: dict[Connection, float] = {}
        self._logged_at = float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """Note a new connection, which waits for its client, and make room for it if need be."""
        self._open.add(connection)
        self._waiting[connection] = self._now()
        if len(self._open) > self.limit:
            self._log()
            self._make_room(connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def note_request(self, connection: Connection) -> None:
        """Note that a request has arrived completely, and is being answered."""
        self._waiting.pop(connection, None)

    def note_response(self, connection: Connection) -> None:
        """Note that a response has ended, and the connection waits for its client again."""
        if connection in self._open:
            self._waiting.pop(connection, None)
            self._waiting[connection] = self._now()

    def _make_room(self, newest: Connection) -> None:
        longest, since = next(iter(self._waiting.items()))
        if longest is not newest and self._now() - since >= SHORT_SECONDS:
            del self._waiting[longest]
            longest.make_room()
            return
        del self._waiting[newest]
        self._metrics.count_refusal("connections")
        if len(self._open) <= self.limit + REFUSED_AT_A_TIME:
            newest.refuse_connection()
        else:
            newest.abort()

    def _log(self) -> None:
        if self._now() - self._logged_at >= LOG_SECONDS:
            self._logged_at = self._now()
            log.warning(
                "%d connections are open, and no more can be (MAX_CONNECTIONS, ulimit -n): those that have waited "
                "longest for their clients are closed, or new ones are refused",
                self.limit,
            )


def raise_file_limit() -> None:
    """Let this process open as many files as the system allows it to."""
    try:
        import resource
    except ImportError:  # There is no such limit on Windows.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # Some systems name a hard limit that they do not grant.
            log.debug("the limit of open files stays at %d", soft)


def compute_limit(most: int) -> int:
    """Return how many connections a process may have: `most`, or fewer if it may not open so many files."""
    try:
        import resource
    except ImportError:
        return most
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return min(most, max(soft - RESERVED_FILES, soft // 2))

"""Closed accounts: their owners have deleted them, and what belonged to them is being deleted piece by piece.

Nothing of a closed account may be seen. Its owner is nobody any more, because the account itself is gone. What others
could see are its public and unlisted events, and the audit log: whoever reads those leaves out what belongs to
`list_closed_accounts`. See docs/decisions/0032-deletion-in-pieces.md.
"""

import time
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from database.connection import Database, bound_database
from database.queries import Changes, Id, index, only
from database.reads import find
from database.single_flight import SingleFlight
from database.writes import Delete, Update
from models.shared.leased_work import LeasedWork

# The process that deletes renews its lease with each piece. Otherwise another process goes on.
LEASE = timedelta(seconds=10)
# A process that has not asked for so long which accounts are closed asks before it serves the next request.
KNOWN_SECONDS = 1.5


class ClosedAccount(LeasedWork):
    """An account that is closed; the id is that of the account.

    `events` is the number of events that it had, `deleted_events` how many of them are deleted.
    """

    title: ClassVar = "the deletion of an account"
    lease: ClassVar = LEASE

    events: int
    deleted_events: int
    closed_at: datetime

    class Settings:
        """The collection and its indexes."""

        name = "closed_accounts"
        indexes: ClassVar = [index("due_at", name="due")]

    @classmethod
    def new(cls, id: Id, events: int, holder: Id, now: datetime) -> "ClosedAccount":
        """Return an account that is closed now, and leased to `holder`; it is not stored yet."""
        return cls(
            id=id,
            events=events,
            deleted_events=0,
            attempts=1,
            closed_at=now,
            due_at=now + LEASE,
            lease_holder=holder,
        )

    @classmethod
    def progress_write(cls, id: Id, holder: Id, now: datetime, deleted_events: int) -> Update:
        """Return the write that belongs to each piece: it counts it and renews the lease; refused if that is lost."""
        update: Changes = {"$set": cls.renewal(now), "$inc": {cls.deleted_events: deleted_events}}
        return Update(cls, cls.held(id, holder), update)

    @classmethod
    def finish_write(cls, id: Id, holder: Id) -> Delete:
        """Return the write after which nothing of the account is left; refused if the lease is lost."""
        return Delete(cls, cls.held(id, holder))

    @classmethod
    async def count_all(cls) -> int:
        """Return how many accounts are closed."""
        return len(await find(cls, {}, fields=only(cls.id)))

    @classmethod
    async def count_left_events(cls) -> int:
        """Return how many events of closed accounts are not deleted yet."""
        found = await find(cls, {}, fields=only(cls.events, cls.deleted_events))
        return sum(max(account.events - account.deleted_events, 0) for account in found)


class _KnownAccounts(NamedTuple):
    """The closed accounts of a database, as they are known until a time of `time.monotonic`."""

    database: Database
    until: float
    ids: tuple[Id, ...]


_known: _KnownAccounts | None = None
_reads: SingleFlight[None] = SingleFlight(join_running=True)


def list_closed_accounts() -> tuple[Id, ...]:
    """Return the ids of the closed accounts, as this process knew them when it served the last request."""
    return () if _known is None or _known.database is not bound_database() else _known.ids


async def refresh_closed_accounts() -> None:
    """Ask which accounts are closed, if this process has not asked for `KNOWN_SECONDS`."""
    if _known is None or time.monotonic() >= _known.until or _known.database is not bound_database():
        await _reads.run("closed accounts", _read)


async def _read() -> None:
    global _known  # noqa: PLW0603
    # Counted from before the read, because what it returns may change the moment after.
    until = time.monotonic() + KNOWN_SECONDS
    found = await find(ClosedAccount, {}, fields=only(ClosedAccount.id))
    _known = _KnownAccounts(bound_database(), until, tuple(sorted(account.id for account in found)))

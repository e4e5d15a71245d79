"""Queued work that one process at a time does, which has leased it."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from beanie import PydanticObjectId

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import Changes, Filter, Id, assign, clear


class LeasedWork(StoredDocument):
    """A document of queued work, which a process leases before it does it.

    The work can be leased when `due_at` has passed; without a `due_at`, it is done. `lease_holder` has leased it last.
    A holder renews its lease before that expires. Otherwise another process can lease the work. `attempts` counts the
    leases, except those that were released before the work had failed.
    """

    # What the work is, in a sentence of the log, such as "an export".
    title: ClassVar[str]
    # How long a lease lasts.
    lease: ClassVar[timedelta]

    attempts: int
    due_at: datetime | None = None
    lease_holder: PydanticObjectId | None = None

    @classmethod
    def changes_when_leased(cls) -> Changes:
        """Return what else is set when the work is leased."""
        return {}

    @classmethod
    def changes_when_released(cls) -> Changes:
        """Return what else is set when nobody has the lease any more, and the work is not done."""
        return {}

    @classmethod
    async def lease_due(cls, holder: Id, now: datetime) -> Self | None:
        """Lease work that is due and return it, or None. Atomic; no other holder gets it until the lease expires."""
        changes = cls.renewal(now) | assign(cls.lease_holder, holder) | cls.changes_when_leased()
        return await find_and_update(cls, {cls.due_at: {"$lte": now}}, {"$set": changes, "$inc": {cls.attempts: 1}})

    @classmethod
    def held(cls, id: Id, holder: Id) -> Filter:
        """Return the filter that matches the work only if `holder` has not lost its lease."""
        return {cls.id: id, cls.lease_holder: holder}

    @classmethod
    def renewal(cls, now: datetime) -> Changes:
        """Return what is set to renew a lease."""
        return assign(cls.due_at, now + cls.lease)

    @classmethod
    async def renew_lease(cls, id: Id, holder: Id, now: datetime) -> bool:
        """Extend the lease. Return False when the holder has lost it, or the work was deleted."""
        return await find_and_update(cls, cls.held(id, holder), {"$set": cls.renewal(now)}) is not None

    @classmethod
    async def release_lease(cls, id: Id, holder: Id, now: datetime) -> None:
        """Make the work due at once, for any process. The attempt does not count."""
        await cls._release(id, holder, now, {"$inc": {cls.attempts: -1}})

    @classmethod
    async def postpone(cls, id: Id, holder: Id, due_at: datetime) -> None:
        """Make the work due at a later time, for any process. The attempt counts."""
        await cls._release(id, holder, due_at, {})

    @classmethod
    async def _release(cls, id: Id, holder: Id, due_at: datetime, update: Changes) -> None:
        changes = assign(cls.due_at, due_at) | cls.changes_when_released()
        update = update | {"$set": changes, "$unset": clear(cls.lease_holder)}
        await find_and_update(cls, cls.held(id, holder), update)

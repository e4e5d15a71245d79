"""Earlier revisions of events, each stored as a document of its own."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from beanie import PydanticObjectId

from database.commit import commit_atomically
from database.documents import StoredDocument
from database.queries import Changes, Filter, Id, assign, clear, index, only
from database.reads import Order, find, find_one
from database.writes import Delete, Insert, Update, Write
from models.events.event import Act, Event

# For this time a deleted event can be restored.
RESTORABLE = timedelta(days=30)
# A state may be large: not more of them are read, or deleted, at a time.
READ_BATCH_SIZE = 20
DELETE_BATCH_SIZE = 500
_NOT_IN_STATES = (Event.editor, Event.search)


class Revision(StoredDocument):
    """A revision of an event other than its present one, which is in the event itself.

    `state` is the event as it was stored. The deletion of an event is a revision without a state; until
    `expires_at` the event can be restored. `merged_into` is the event of which it is a part again, if that is why
    it was deleted. `by` says who made the revision: see `made_by`.
    """

    event: PydanticObjectId
    revision: int
    creator: PydanticObjectId
    by: PydanticObjectId | None = None
    at: datetime
    act: Act | None = None
    state: dict[str, Any] | None = None
    expires_at: datetime | None = None
    merged_into: PydanticObjectId | None = None

    class Settings:
        """Where revisions are stored. Only deletions expire; the states before them are deleted with them."""

        name = "revisions"
        indexes: ClassVar = [
            index("event", "revision", name="event_revision", unique=True),
            index("creator", "_id", name="creator_id"),
            index("by", name="by", partialFilterExpression={"by": {"$exists": True}}),
            index("expires_at", name="removals", partialFilterExpression={"expires_at": {"$exists": True}}),
        ]

    @property
    def made_by(self) -> Id | None:
        """Who made this revision; None if their account has been deleted."""
        return self.by if self.is_stored(Revision.by) else self.creator

    @property
    def event_then(self) -> Event | None:
        """The event as it was stored; None for a deletion."""
        return None if self.state is None else Event.from_stored(self.state)

    @classmethod
    def of(cls, event: Event) -> "Revision":
        """Return the present revision of an event."""
        revision = cls(
            event=event.id,
            revision=event.revision,
            creator=event.creator,
            at=event.updated_at,
            # Who made it is in the revision, where it can be anonymized. What is searched can be computed again.
            state={name: value for name, value in event.to_stored().items() if name not in _NOT_IN_STATES},
        )
        changes: dict[str, Any] = {}
        if event.is_stored(Event.editor):
            changes |= assign(cls.by, event.editor)
        if event.act is not None:
            changes |= assign(cls.act, event.act)
        return revision.with_stored(changes)

    @classmethod
    def insert_write(cls, event: Event) -> Insert:
        """Return the write that stores the present revision of an event, which is about to be changed."""
        return Insert(cls.of(event))

    @classmethod
    def delete_event_writes(cls, event: Event, by: Id, now: datetime, merged_into: Id | None = None) -> list[Write]:
        """Return the writes that store the present revision of an event, and its deletion."""
        deletion = cls(
            event=event.id,
            revision=event.revision + 1,
            creator=event.creator,
            at=now,
            act="deleted",
            expires_at=now + RESTORABLE,
        )
        if by != event.creator:
            deletion = deletion.with_stored(assign(cls.by, by))
        if merged_into is not None:
            deletion = deletion.with_stored(assign(cls.merged_into, merged_into))
        return [cls.insert_write(event), Insert(deletion)]

    def undo_deletion_write(self) -> Update:
        """Return the write after which this deletion does not expire; refused when the event was restored meanwhile."""
        match: Filter = {Revision.id: self.id, Revision.expires_at: self.expires_at}
        return Update(Revision, match, {"$unset": clear(Revision.expires_at)})

    @classmethod
    async def find_expired_deletions(cls, now: datetime, limit: int) -> "list[Revision]":
        """Return the deletions of events that cannot be restored any more."""
        return await find(cls, {cls.expires_at: {"$lte": now}}, order=[(cls.expires_at, 1)], limit=limit)

    async def delete_history(self) -> None:
        """Delete this deletion and all revisions before it.

        The deletion goes last, so that this is done again if it is interrupted.
        """
        while ids := await self.find_earlier_ids(DELETE_BATCH_SIZE):
            await commit_atomically([Delete(Revision, {Revision.id: {"$in": ids}}, many=True)])
        await commit_atomically([Delete(Revision, {Revision.id: self.id}, required=False)])

    async def find_earlier_ids(self, limit: int) -> list[Id]:
        """Return the ids of the first revisions of the event, of those before this one."""
        earlier: Filter = {Revision.event: self.event, Revision.revision: {"$lt": self.revision}}
        order: Order = [(Revision.revision, 1)]
        found = await find(Revision, earlier, order=order, limit=limit, fields=only(Revision.id))
        return [revision.id for revision in found]

    @classmethod
    def delete_all_write(cls, creator: Id) -> Delete:
        """Return the write that deletes every revision of the events of an account."""
        return Delete(cls, {cls.creator: creator}, many=True)

    @classmethod
    def anonymize_write(cls, by: Id) -> Update:
        """Return the write that removes an account's id from the revisions that it made of others' events."""
        return Update(cls, {cls.by: by}, {"$set": assign(cls.by, None)}, required=False, many=True)

    @classmethod
    async def find_latest(cls, event: Id) -> "Revision | None":
        """Return the latest stored revision of an event: its deletion, if it is deleted."""
        found = await find(cls, {cls.event: event}, order=[(cls.revision, -1)], limit=1)
        return found[0] if found else None

    @classmethod
    async def find_revision(cls, event: Id, revision: int) -> "Revision | None":
        """Return one earlier revision of an event."""
        return await find_one(cls, {cls.event: event, cls.revision: revision})

    @classmethod
    async def find_in_second(cls, event: Id, moment: datetime) -> "list[Revision]":
        """Return the earlier revisions of an event, of some at most, that were made in the same second."""
        since = moment.replace(microsecond=0)
        match: Filter = {cls.event: event, cls.at: {"$gte": since, "$lt": since + timedelta(seconds=1)}}
        return await find(cls, match, order=[(cls.revision, -1)], limit=READ_BATCH_SIZE)

    @classmethod
    async def iterate_before(cls, event: Id, revision: int, limit: int) -> "AsyncIterator[Revision]":
        """Yield at most `limit` revisions of an event that are earlier than this one, the latest first."""
        while limit > 0:
            batch = min(limit, READ_BATCH_SIZE)
            match: Filter = {cls.event: event, cls.revision: {"$lt": revision}}
            found = await find(cls, match, order=[(cls.revision, -1)], limit=batch)
            for each in found:
                yield each
                revision = each.revision
            limit = limit - batch if len(found) == batch else 0

    @classmethod
    async def iterate_of_creator(cls, creator: Id) -> "AsyncIterator[Revision]":
        """Yield every stored revision of the events of an account, in the order in which they were stored."""
        match: Filter = {cls.creator: creator}
        while found := await find(cls, match, order=[(cls.id, 1)], limit=READ_BATCH_SIZE):
            for each in found:
                yield each
            match = {cls.creator: creator, cls.id: {"$gt": found[-1].id}}


def content_to_restore(state: Event, current: Event) -> Changes:
    """Return the content of an earlier state of an event, to restore it over the current one.

    An event that a moderator has taken down stays private.
    """
    return state.content if current.takedown is None else state.content | assign(Event.visibility, "private")

"""The writes that create, change, delete and restore an event, with all that must be written with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from database.queries import Changes, Filter, Id, clear, only
from database.reads import find
from database.writes import Delete, Forbid, Insert, Update, Write
from models.accounts.user import User
from models.events.change_numbers import EventChange
from models.events.event import Event
from models.events.public_event_index import PublicEventIndex
from models.events.revision import Revision
from models.events.tombstone import Tombstone
from planner.errors import Invalid

# The database accepts no document over 16 MiB, and each change stores the whole event as a revision.
MAX_EVENT_BYTES = 2 * 1024 * 1024


def create_event_writes(event: Event) -> list[Write]:
    """Return the writes that store a new event, and its id in its creator's account.

    They are refused when the account is deleted, and by a unique index for a uid that the creator uses already.
    """
    return [*insert_event_writes(event), User.embed_event_write(event.creator, event.id, event.updated_at)]


def create_events_writes(creator: Id, events: Sequence[Event], now: datetime) -> list[Write]:
    """Return the writes that store several new events of one creator, as `create_event_writes` does."""
    if not events:
        return []
    inserts = [write for event in events for write in insert_event_writes(event)]
    return [*inserts, User.embed_events_write(creator, [event.id for event in events], now)]


def insert_event_writes(event: Event) -> list[Write]:
    """Return the writes that store a new event, but not its id in its creator's account."""
    return [Insert(event), EventChange.insert_write(event), *PublicEventIndex.insert_writes(event)]


def update_event_writes(before: Event, after: Event) -> list[Write]:
    """Return the writes that replace an event by its next revision (`Event.revise`), and store the one before.

    They are refused when the event has been changed meanwhile.
    """
    old, new = before.to_stored(), after.to_stored()
    changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
    changes: Changes = {"$set": changed}
    if removed := old.keys() - new.keys():
        # The cells of a former place are not read with the event.
        unread: list[Any] = [Event.cells] if after.cells is None else []
        changes["$unset"] = clear(*sorted(removed), *unread)
    writes: list[Write] = [
        Update(Event, before.unchanged_filter(), changes),
        EventChange.update_write(after),
        Revision.insert_write(before),
    ]
    if before.visibility == "public" and after.visibility != "public":
        writes.append(Tombstone.insert_write(before, after.updated_at, removed=False))
    return [*writes, *PublicEventIndex.update_writes(before, after)]


def refresh_event_writes(event: Event) -> list[Write]:
    """Return the writes that store when a recurring event takes place as it is computed now; none if it is stored so.

    They are refused when the event was changed meanwhile.
    """
    now = event.compute_again()
    old, new = event.to_stored(), now.to_stored()
    times: list[Any] = [Event.hours, Event.begins, Event.ends, Event.span, Event.key]
    changed = {name: new[name] for name in times if name not in old or old[name] != new[name]}
    if not changed:
        return []
    return [Update(Event, event.unchanged_filter(), {"$set": changed}), *PublicEventIndex.update_writes(event, now)]


def delete_event_writes(event: Event, by: Id, now: datetime, *, merged_into: Id | None = None) -> list[Write]:
    """Return the writes that delete an event, and its id from its creator's account; refused when it was changed.

    It can be restored for some time: see `Revision`.
    """
    return [
        Delete(Event, event.unchanged_filter()),
        User.remove_event_write(event.creator, event.id, now),
        *Revision.delete_event_writes(event, by, now, merged_into),
        Tombstone.insert_write(event, now, removed=True),
        EventChange.delete_write(event),
        *PublicEventIndex.delete_writes(event),
    ]


def restore_event_writes(deletion: Revision, event: Event) -> list[Write]:
    """Return the writes that store a deleted event again, and its id in its creator's account.

    They are refused when it was restored meanwhile, its time to be restored has ended or its creator's
    account is deleted; by a unique index when the event exists, or its uid is used again.
    """
    embed = User.embed_event_write(event.creator, event.id, event.updated_at)
    return [*insert_event_writes(event), deletion.undo_deletion_write(), embed]


class EventsPiece(NamedTuple):
    """The number of some events of an account, and the writes that delete them."""

    size: int
    writes: list[Write]


async def delete_some_events(creator: Id, limit: int, now: datetime) -> EventsPiece | None:
    """Return the writes that delete some events of an account for good; None when it has none.

    The public ones get tombstones. The writes are refused when another one of them becomes public meanwhile.
    """
    found = await find(Event, {Event.creator: creator}, limit=limit, fields=only(Event.visibility))
    if not found:
        return None
    public = [event.id for event in found if event.visibility == "public"]
    others: list[Id] = [event.id for event in found if event.visibility != "public"]
    these: Filter = {Event.id: {"$in": [event.id for event in found]}}
    writes: list[Write] = [
        Forbid(Event, {Event.id: {"$in": others}, Event.visibility: "public"}),
        *(Tombstone.insert_ownerless_write(event, now) for event in public),
        Delete(Event, these, many=True),
        Delete(EventChange, these, many=True),
        Delete(PublicEventIndex, these, many=True),
    ]
    return EventsPiece(len(found), writes)


def require_room(before: Event, after: Event) -> None:
    """Raise `Invalid` for a change that makes an event too large; one that is too large already may be made smaller."""
    size = len(after.to_raw())
    if size > MAX_EVENT_BYTES and size > len(before.to_raw()):
        raise Invalid.field("", "makes the event larger than 2 MiB, with all that its overrides contain")

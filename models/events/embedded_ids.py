"""Repair of the event ids that are embedded in accounts, after a crash of a server without transactions."""

from database.commit import find_and_update
from database.queries import Id, assign, only
from database.reads import find, find_raw_batches
from models.accounts.user import User, event_ids_by_bucket
from models.events.event import Event

BATCH_SIZE = 100


async def repair_embedded_ids() -> int:
    """Make the ids in every account exactly those of its events; returns how many accounts were changed.

    Must not run while anybody writes.
    """
    repaired = 0
    async for batch in find_raw_batches(User, {}, BATCH_SIZE, only(User.events)):
        for user in map(User.from_raw, batch):
            events = await find(Event, {Event.creator: user.id}, order=[(Event.id, 1)], fields=only(Event.id))
            exact = event_ids_by_bucket([event.id for event in events])
            if _sorted(exact) != _sorted(user.events):
                await find_and_update(User, {User.id: user.id}, {"$set": assign(User.events, exact)})
                repaired += 1
    return repaired


def _sorted(buckets: dict[str, list[Id]]) -> dict[str, list[Id]]:
    return {name: sorted(ids) for name, ids in buckets.items() if ids}

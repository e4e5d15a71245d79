"""Events that were one series before it was split: what an undo of the split deletes, and what it brings back."""

from datetime import datetime
from typing import NamedTuple

from database.queries import Changes, Id
from database.writes import Write
from models.events.event import Event
from models.events.event_view import find_event_view
from models.events.event_writes import delete_event_writes, restore_event_writes
from models.events.revision import Revision, content_to_restore
from planner.errors import Conflict


class Part(NamedTuple):
    """An event as it is now; or as it was last, with its deletion."""

    event: Event
    deletion: Revision | None


async def find_part(id: Id) -> Part | None:
    """Return an event, or what is stored of one that was deleted; None if nothing is stored of it any more."""
    view = await find_event_view(id)
    if view is not None:
        return Part(view.event, None)
    deletion = await Revision.find_latest(id)
    last = None if deletion is None else await Revision.find_revision(id, deletion.revision - 1)
    return None if last is None or last.event_then is None else Part(last.event_then, deletion)


async def find_continuations(event: Event) -> dict[Id, Part]:
    """Return the events that continue one, one after the other, as far as anything is stored of them."""
    parts: dict[Id, Part] = {}
    next_id = event.continued_by
    while next_id is not None and next_id not in parts:
        part = await find_part(next_id)
        if part is None:
            break
        parts[next_id] = part
        next_id = part.event.continued_by
    return parts


async def merge_writes(before: Event, target: Event, by: Id, now: datetime) -> list[Write]:
    """Return the writes for the other parts of a series when an event goes back from one state to another.

    The events that continue it in the present state, and not in the other one, are deleted: their occurrences are
    its own again. Those that continue it in the other state come back, if they were deleted for this reason.
    """
    present, then = await find_continuations(before), await find_continuations(target)
    writes: list[Write] = []
    for id, (event, deletion) in present.items():
        if id not in then and deletion is None:
            writes += delete_event_writes(event, by, now, merged_into=before.id)
    for id, (event, deletion) in then.items():
        if id not in present and deletion is not None and deletion.merged_into == before.id:
            if deletion.expires_at is None or deletion.expires_at <= now:
                continue
            restored = revise_deleted(event, deletion, content_to_restore(event, event), by, now)
            writes += restore_event_writes(deletion, restored)
    return writes


def revise_deleted(last: Event, deletion: Revision, content: Changes, by: Id, now: datetime) -> Event:
    """Return a deleted event with this content, as the revision after its deletion, which was one of its own."""
    deleted = last.with_stored({Event.revision: deletion.revision})
    return deleted.revise(content, by=by, now=now, act="restored", clear=last.content)


async def require_own_part(event: Event) -> None:
    """Raise `Conflict` for a deleted event whose occurrences another event has again, since an undo of their split."""
    if event.split_from is None:
        return
    head = await find_part(event.split_from["event"])
    if head is not None and event.id not in await find_continuations(head.event):
        raise Conflict(
            f"Its occurrences belong to the event {head.event.id} again, because a change of that event was undone. "
            "Undo that first."
        )

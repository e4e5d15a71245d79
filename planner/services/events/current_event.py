"""Changing an event while others change it: optimistic locking by its revision."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from database.queries import parse_id
from models.events.event_view import EventView, find_event_view
from planner.errors import Conflict, NotFound, Stale
from planner.services.shared.retry import retry

T = TypeVar("T")
CHANGED = "The event was changed since you read it."
BUSY = "The event is being changed by many requests at once. Try again."


def require_revision(revision: int, allowed: frozenset[int] | None) -> None:
    """Raise `Stale` unless the revision is one of those that `If-Match` allows; None allows any."""
    if allowed is not None and revision not in allowed:
        raise Stale(CHANGED)


async def change_current_event(
    event: EventView, revisions: frozenset[int] | None, change: Callable[[EventView], Awaitable[T | None]]
) -> T:
    """Return the result of `change`, which is given the event as it is now.

    When it returns None, because another request was faster, it is called again. Raises `Stale` when the
    event has none of the `revisions`, `NotFound` when it was deleted, and `Conflict` when other requests
    were faster every time.
    """
    id = parse_id(event.id)
    assert id is not None
    known: EventView | None = event

    async def attempt() -> T | None:
        nonlocal known
        current, known = known or await find_event_view(id), None
        if current is None:
            raise NotFound
        require_revision(current.revision, revisions)
        return await change(current)

    return await retry(attempt, exhausted=Conflict(BUSY))

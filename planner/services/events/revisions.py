"""What events were, and making them so again."""

from collections.abc import AsyncIterator

from auth.principal import Principal
from database.errors import DuplicateKey
from database.queries import Id, Stored, parse_id
from models.accounts.user import User
from models.events.event import Event
from models.events.event_view import EventView
from models.events.revision import Revision, content
from models.events.revision_view import RestoreRequest, RevisionView, revision_view
from models.shared.schema import PageQuery
from models.shared.views import Page
from planner.clock import Clock
from planner.domain.cursors import REVISION_PATTERN, decode_cursor, encode_cursor
from planner.errors import Conflict, Invalid, InvalidToken, NotFound, Stale
from planner.services.events.events import ATTEMPTS, Events

# Removed events that are forgotten in one round.
AT_ONCE = 100


class Revisions:
    """The use cases of revisions."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def listed(self, caller: Principal, id: str, wanted: PageQuery) -> Page:
        """A page of what the caller's event was, the newest first; also of one removed less than 30 days ago.

        Raises `NotFound`, and `Forbidden` for who sees the event and is not its creator.
        """
        cursor = decode_cursor(wanted.cursor, REVISION_PATTERN)
        found = await self._found(caller, id)
        head = Revision.of(found.stored) if isinstance(found, EventView) else found
        # What differs is told beside the state before, which may have a removal in between.
        entries = [view async for view in _history(head, int(cursor) if cursor else None, wanted.limit + 2)]
        shown = entries[: wanted.limit]
        items = [view.json(_state_before(entries, place)) for place, view in enumerate(shown)]
        return Page(items, encode_cursor(str(shown[-1].revision)) if len(entries) > wanted.limit else None)

    async def restore(
        self, caller: Principal, id: str, wanted: RestoreRequest, revisions: frozenset[int] | None
    ) -> EventView:
        """The caller's event as it was at a revision, as a new revision; a removed one is there again.

        What is so already stays as it is. Raises `NotFound`, `Forbidden`, `Stale`, `Invalid`
        for a revision that is not kept, and `Conflict` when there is nothing to undo.
        """
        for _ in range(ATTEMPTS):
            found = await self._found(caller, id)
            current = found.revision if isinstance(found, EventView) else found["revision"]
            if revisions is not None and current not in revisions:
                raise Stale("The event was changed since you read it.")
            if isinstance(found, EventView):
                restored = await self._go_back(caller, found, wanted)
            else:
                restored = await self._bring_back(caller, found, wanted)
            if restored is not None:
                return restored
        raise Conflict("The event is being changed by many at once. Try again.")

    async def forget_due(self) -> int:
        """Forget what removed events were, once they can be restored no more; how many events that is."""
        due = await Revision.overdue(self._clock.now(), AT_ONCE)
        for removal in due:
            await Revision.forget(removal)
        return len(due)

    async def _found(self, caller: Principal, id: str) -> EventView | Stored:
        """The caller's event; or, when it is removed and can be restored, its removal."""
        known = parse_id(id)
        if known is None:
            raise NotFound
        for _ in range(ATTEMPTS):
            try:
                return await self._events.own(caller, id)
            except NotFound:
                removal = await Revision.last(known)
            if removal is None or removal["creator"] != caller.id or removal.get("act") != "deleted":
                raise NotFound
            # Without an end to its time it has been restored a moment ago: it is there to be found.
            if "expires_at" in removal:
                if removal["expires_at"] <= self._clock.now():
                    raise NotFound
                return removal
        raise NotFound

    async def _go_back(self, caller: Principal, event: EventView, wanted: RestoreRequest) -> EventView | None:
        stored = event.stored
        if wanted.revision == event.revision:
            return event
        if wanted.revision is None:
            kept = await Revision.exactly(stored["_id"], event.revision - 1)
            if kept is None:
                raise Conflict("There is no earlier revision of this event.")
            if "state" not in kept:
                raise Conflict("Before this revision the event was removed. Say which revision you want, or remove it.")
            state: Stored = kept["state"]
        else:
            state = await _state(stored["_id"], wanted.revision)
        fields = content(state, stored)
        obsolete = content(stored, stored).keys() - fields.keys()
        if not obsolete and all(name in stored and stored[name] == value for name, value in fields.items()):
            return event
        fields["updated_at"] = self._clock.now()
        return await Event.change(event, fields, caller.id, act="restored", clear=obsolete)

    async def _bring_back(self, caller: Principal, removal: Stored, wanted: RestoreRequest) -> EventView | None:
        id: Id = removal["event"]
        kept = await Revision.exactly(id, removal["revision"] - 1)
        if kept is None:
            raise NotFound
        last: Stored = kept["state"]
        state = last if wanted.revision is None else await _state(id, wanted.revision)
        fields = content(state, last) | {"updated_at": self._clock.now()}
        try:
            restored = await Event.bring_back(removal, last, fields, caller.id)
        except DuplicateKey:
            if await Event.view(id) is None:
                raise Conflict("You have another event with its uid by now.") from None
            return None
        if restored is None and await User.find_status(caller.id) is None:
            raise InvalidToken("The account of this access token is gone.")
        return restored


async def _state(event: Id, revision: int) -> Stored:
    kept = await Revision.exactly(event, revision)
    if kept is None or "state" not in kept:
        raise Invalid.field("/revision", "is no revision of this event that is kept")
    state: Stored = kept["state"]
    return state


async def _history(head: Stored, before: int | None, most: int) -> AsyncIterator[RevisionView]:
    """So many revisions at most, the newest first: the head and those before it."""
    if before is None or before > head["revision"]:
        yield revision_view(head)
        before, most = head["revision"], most - 1
    async for kept in Revision.before(head["event"], before, most):
        yield revision_view(kept)


def _state_before(entries: list[RevisionView], place: int) -> RevisionView | None:
    """What an event was before an entry; a restored one is compared with what it was when it was removed."""
    return next((view for view in entries[place + 1 : place + 3] if view.event is not None), None)

"""The use cases of revisions: list those of an event, and restore one."""

import logging
from collections.abc import AsyncIterator

from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey, is_unavailable
from database.queries import Id, parse_id
from models.accounts.user import User
from models.events.event import Event, StoredSplit
from models.events.event_fields import Visibility
from models.events.event_view import EventView, find_event_view, render_event
from models.events.event_writes import restore_event_writes, update_event_writes
from models.events.revision import Revision, content_to_restore
from models.events.revision_view import RestoreRequest, RevisionView, view_revision
from models.shared.schema import PageQuery
from planner.clock import Clock
from planner.domain.cursors import REVISION_PATTERN, decode_cursor, encode_cursor
from planner.errors import Conflict, Invalid, InvalidToken, NotFound
from planner.services.events.current_event import BUSY, require_revision
from planner.services.events.events import Events
from planner.services.events.publication import require_confirmation
from planner.services.events.split_events import (
    find_continuations,
    merge_writes,
    require_own_part,
    revise_deleted,
)
from planner.services.shared.retry import retry
from planner.services.shared.views import Page

log = logging.getLogger("planner.revisions")
# Deleted events whose history is deleted in one round.
BATCH_SIZE = 100


class Revisions:
    """The use cases of revisions."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def get_page(self, caller: Principal, id: str, query: PageQuery) -> Page:
        """Return a page of the revisions of the caller's event, the latest first; also of one that can be restored.

        Raises `NotFound`, and `Forbidden` for an event of others.
        """
        cursor = decode_cursor(query.cursor, REVISION_PATTERN)
        found = await self._find(caller, id)
        latest = Revision.of(found.event) if isinstance(found, EventView) else found
        # An entry is compared with the state before it, and a deletion may be in between.
        history = _iterate_history(latest, int(cursor) if cursor else None, query.limit + 2)
        entries = [view async for view in history]
        shown = entries[: query.limit]
        items = [view.render(_find_state_before(entries, index)) for index, view in enumerate(shown)]
        return Page(items, encode_cursor(str(shown[-1].revision)) if len(entries) > query.limit else None)

    async def restore(
        self,
        caller: Principal,
        id: str,
        body: RestoreRequest,
        revisions: frozenset[int] | None,
        *,
        confirmed: Visibility | None = None,
    ) -> EventView:
        """Give the caller's event the content of an earlier revision, as a new revision; restore a deleted event.

        An event that has this content already stays as it is. What lets more people see a confidential event must be
        `confirmed`. Raises `NotFound`, `Forbidden`, `Stale`,
        `Invalid` for a revision that does not exist, and `Conflict` when there is nothing to undo.
        """

        async def attempt() -> EventView | None:
            found = await self._find(caller, id)
            require_revision(found.revision, revisions)
            if isinstance(found, EventView):
                return await self._restore_revision(caller, found, body, confirmed)
            return await self._restore_deleted(caller, found, body, confirmed)

        return await retry(attempt, exhausted=Conflict(BUSY))

    async def delete_expired(self) -> int:
        """Delete the histories of deleted events that cannot be restored any more; returns of how many events."""
        expired = await Revision.find_expired_deletions(self._clock.now(), BATCH_SIZE)
        done = 0
        for deletion in expired:
            try:
                await deletion.delete_history()
                done += 1
            except Exception as error:  # Nothing that one history raises may stop the others.
                if is_unavailable(error):
                    raise
                log.exception("the history of a deleted event could not be deleted")
        return done

    async def _find(self, caller: Principal, id: str) -> EventView | Revision:
        """Return the caller's event; or its deletion, if it is deleted and can be restored."""
        known = parse_id(id)
        if known is None:
            raise NotFound

        async def attempt() -> EventView | Revision | None:
            try:
                return await self._events.get_own(caller, id)
            except NotFound:
                deletion = await Revision.find_latest(known)
            if deletion is None or deletion.creator != caller.id or deletion.act != "deleted":
                raise NotFound
            # Without an expiry it was restored a moment ago, and the event can be found again.
            if deletion.expires_at is None:
                return None
            if deletion.expires_at <= self._clock.now():
                raise NotFound
            return deletion

        return await retry(attempt, exhausted=NotFound())

    async def _restore_revision(
        self, caller: Principal, view: EventView, body: RestoreRequest, confirmed: Visibility | None
    ) -> EventView | None:
        """Return the event with the content of an earlier revision; None if it was changed meanwhile."""
        if body.revision == view.revision:
            return view
        before, now = view.event, self._clock.now()
        if body.revision is None and before.revision == 1 and before.split_from is not None:
            return await self._undo_split(caller, before, before.split_from, confirmed)
        if body.revision is None:
            state = await _find_previous_state(before)
        else:
            state = await _find_state(before.id, body.revision)
        content, present = content_to_restore(state, before), before.content
        if content == present:
            return view
        after = before.revise(content, by=caller.id, now=now, act="restored", clear=present)
        require_confirmation(before, after, confirmed)
        writes = [*update_event_writes(before, after), *await merge_writes(before, state, caller.id, now)]
        return render_event(after) if await commit_atomically(writes) else None

    async def _undo_split(
        self, caller: Principal, tail: Event, split: StoredSplit, confirmed: Visibility | None
    ) -> EventView | None:
        """Return the event of which the tail was a part, as it was before it was split; the tail is deleted."""
        head = await find_event_view(split["event"])
        if head is None or tail.id not in await find_continuations(head.event):
            raise Conflict("There is no earlier revision of this event.")
        return await self._restore_revision(caller, head, RestoreRequest(revision=split["revision"]), confirmed)

    async def _restore_deleted(
        self, caller: Principal, deletion: Revision, body: RestoreRequest, confirmed: Visibility | None
    ) -> EventView | None:
        """Return the event, stored again; None if it was restored meanwhile."""
        last_revision = await Revision.find_revision(deletion.event, deletion.revision - 1)
        last = None if last_revision is None else last_revision.event_then
        if last is None:
            raise NotFound
        await require_own_part(last)
        state = last if body.revision is None else await _find_state(deletion.event, body.revision)
        now = self._clock.now()
        event = revise_deleted(last, deletion, content_to_restore(state, last), caller.id, now)
        require_confirmation(last, event, confirmed)
        others = await merge_writes(last, state, caller.id, now)
        try:
            is_committed = await commit_atomically([*restore_event_writes(deletion, event), *others])
        except DuplicateKey:
            if await find_event_view(deletion.event) is None:
                raise Conflict("You have another event with this uid now.") from None
            return None
        if not is_committed and await User.find_status(caller.id) is None:
            raise InvalidToken("The account of this access token has been deleted.")
        return render_event(event) if is_committed else None


async def _find_previous_state(event: Event) -> Event:
    """Return the event as it was one revision before; raises `Conflict`."""
    previous = await Revision.find_revision(event.id, event.revision - 1)
    if previous is None:
        raise Conflict("There is no earlier revision of this event.")
    if previous.event_then is None:
        raise Conflict("Before this revision the event was deleted. Send the revision to restore, or delete the event.")
    return previous.event_then


async def _find_state(event: Id, revision: int) -> Event:
    """Return an event as it was at an earlier revision; raises `Invalid`."""
    found = await Revision.find_revision(event, revision)
    if found is None or found.event_then is None:
        raise Invalid.field("/revision", "must be an earlier revision of this event, and not a deletion")
    return found.event_then


async def _iterate_history(latest: Revision, before: int | None, limit: int) -> AsyncIterator[RevisionView]:
    """Yield at most `limit` revisions that are earlier than `before`, the latest first."""
    if before is None or before > latest.revision:
        yield view_revision(latest)
        before, limit = latest.revision, limit - 1
    async for revision in Revision.iterate_before(latest.event, before, limit):
        yield view_revision(revision)


def _find_state_before(entries: list[RevisionView], index: int) -> RevisionView | None:
    """Return the revision that an entry is compared with; a restored event is compared with what was deleted."""
    return next((view for view in entries[index + 1 : index + 3] if view.event is not None), None)

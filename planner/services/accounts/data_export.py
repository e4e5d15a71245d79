"""The export of everything that is stored about an account."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from auth.principal import Principal
from database.documents import StoredDocument
from database.queries import Id
from database.reads import Slice
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session, SessionRead
from models.accounts.user import User
from models.events.event_queries import EventSelection, list_events
from models.events.revision import Revision
from models.events.revision_view import export_revision
from models.files.feed import Feed
from models.files.import_job import ImportJob
from models.files.import_schema import ImportJobRead
from models.people.busy_share import BusyShare
from models.shared.audit import AuditEntry
from models.shared.json_rendering import to_json
from planner.clock import Clock
from planner.services.accounts.accounts import read_own, render_user
from planner.services.accounts.personal_tokens import render_personal_token
from planner.services.events.free_busy import render_share
from planner.services.files.feeds import render_feed
from planner.services.shared.audit import render_entry
from planner.services.shared.json_stream import stream_json_object

D = TypeVar("D", bound=StoredDocument)
# The number of documents that are read at a time.
BATCH_SIZE = 200


class DataExport:
    """The use case of a person who wants a copy of their data."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def export(self, caller: Principal) -> AsyncIterator[bytes]:
        """Yield the parts of one JSON object with everything that is stored about the caller.

        Raises `InvalidToken` when the account was deleted.
        """
        user = await read_own(caller)
        async for part in stream_json_object(self._members(user, caller)):
            yield part

    def _members(self, user: User, caller: Principal) -> list[tuple[str, bytes | AsyncIterator[bytes]]]:
        id, now = user.id, self._clock.now()

        def render_session(session: Session) -> bytes:
            return SessionRead.from_document(session, current=caller.session).to_json()

        return [
            ("account", render_user(user).json),
            ("identities", to_json(user.identities)),
            ("sessions", _find_all(lambda after: Session.find_by_user(id, now, after, BATCH_SIZE), render_session)),
            (
                "tokens",
                _find_all(lambda after: PersonalToken.find_by_user(id, now, after, BATCH_SIZE), render_personal_token),
            ),
            (
                "free_busy_shares",
                _find_all(lambda after: BusyShare.find_by_owner(id, after, BATCH_SIZE), render_share),
            ),
            (
                "feeds",
                _find_all(lambda after: Feed.find_by_user(id, after, BATCH_SIZE), render_feed),
            ),
            ("audit", _find_all(lambda before: AuditEntry.find_newest(id, None, before, BATCH_SIZE), render_entry)),
            ("events", _find_events(id)),
            ("revisions", _find_revisions(id)),
            ("imports", _find_imports(id)),
        ]


async def _find_all(
    find: Callable[[Id | None], Awaitable[Slice[D]]], render: Callable[[D], bytes]
) -> AsyncIterator[bytes]:
    """Yield every document of a list that `find` reads in slices, each after the id of the last document."""
    last: Id | None = None
    while True:
        found = await find(last)
        for document in found.items:
            yield render(document)
        if not found.has_more:
            return
        last = found.items[-1].id


async def _find_events(creator: Id) -> AsyncIterator[bytes]:
    after: str | None = None
    while True:
        found = await list_events(EventSelection("mine", creator), after, BATCH_SIZE)
        for event in found.items:
            yield event.editors_json
        if not found.has_more:
            return
        after = found.items[-1].key


async def _find_revisions(creator: Id) -> AsyncIterator[bytes]:
    async for revision in Revision.iterate_of_creator(creator):
        yield export_revision(revision)


async def _find_imports(owner: Id) -> AsyncIterator[bytes]:
    async for job in ImportJob.iterate_by_owner(owner):
        yield ImportJobRead.from_document(job).to_json()

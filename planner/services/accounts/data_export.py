"""The export of everything that is stored about an account: sent as it is read, or made in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from auth.principal import Principal
from database.commit import commit_atomically
from database.documents import StoredDocument
from database.errors import DuplicateKey
from database.queries import Id, parse_id
from database.reads import Slice
from models.accounts.export_job import ExportJob, ExportJobRead, ExportPart
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
from planner.errors import Conflict, InvalidToken, NotFound
from planner.load.lanes import Lane
from planner.services.accounts.accounts import read_own, render_user
from planner.services.accounts.personal_tokens import render_personal_token
from planner.services.events.free_busy import render_share
from planner.services.files.feeds import render_feed
from planner.services.shared.audit import render_entry
from planner.services.shared.json_stream import stream_json_object
from planner.services.shared.leased_work import do_leased_work
from planner.services.shared.views import View

D = TypeVar("D", bound=StoredDocument)
log = logging.getLogger("planner.exports")
# The number of documents that are read at a time.
BATCH_SIZE = 200
# The number of events that are read at a time. Rendering them takes a few milliseconds, in which nobody else is served.
EVENTS_BATCH_SIZE = 50
# The file of a job is stored in parts of a little more than this.
PART_OCTETS = 2**20
DELETION_SECONDS = 30.0
MAX_ATTEMPTS = 10
FIRST_PAUSE = timedelta(seconds=10)


@dataclass
class _Progress:
    """How many events an export has so far."""

    events: int = 0


class DataExport:
    """The use cases of a person who wants a copy of their data. `wake` is set when a job may be due."""

    def __init__(self, base_url: str, lane: Lane, clock: Clock) -> None:
        self._base_url = base_url
        self._lane = lane
        self._clock = clock
        self.wake = asyncio.Event()

    def export(self, caller: Principal) -> AsyncIterator[bytes]:
        """Yield the parts of one JSON object with everything that is stored about the caller.

        Raises `InvalidToken` when the account was deleted, and `Busy` before the first part.
        """
        return self._lane.iterate(self._render(caller), caller.id)

    async def _render(self, caller: Principal) -> AsyncIterator[bytes]:
        user = await read_own(caller)
        async for part in stream_json_object(self._members(user, caller.session, _Progress())):
            yield part

    async def create_job(self, caller: Principal) -> View:
        """Return a new job that makes the same file in the background, or the one that is not finished yet.

        Earlier exports of the caller are deleted. Raises `InvalidToken` when the account is deleted or disabled.
        """
        user = await read_own(caller)
        job = ExportJob.new(user.id, caller.session, len(user.event_ids), self._clock.now())
        try:
            is_created = await commit_atomically(job.insert_writes())
        except DuplicateKey:
            unfinished = await ExportJob.find_unfinished(user.id)
            # It may have ended a moment ago: then this is a request to begin another one.
            return await self.create_job(caller) if unfinished is None else self._render_job(unfinished)
        if not is_created:
            raise InvalidToken("The account of this access token has been deleted or disabled.")
        for deletion in ExportJob.delete_all_writes(user.id, except_id=job.id):
            await commit_atomically([deletion], seconds=DELETION_SECONDS)
        return self._render_job(job)

    async def get_job(self, caller: Principal, id: str) -> View:
        """Return a job of the caller; raises `NotFound`."""
        return self._render_job(await _read_job(caller, id))

    async def get_file(self, caller: Principal, id: str) -> tuple[int, AsyncIterator[bytes]]:
        """Return the size of the file of a job, and its parts. Raises `NotFound`, and `Conflict` before it is done."""
        job = await _read_job(caller, id)
        if job.status != "done":
            raise Conflict("This export is not done. Read its status first.")
        return job.octets, _read_file(job)

    async def run_due(self) -> int:
        """Make every export that is due; return how many were finished.

        One whose process has ended is begun anew, until that has happened `MAX_ATTEMPTS` times.
        """
        return sum(await do_leased_work(ExportJob, self._make, self._clock, log, first_pause=FIRST_PAUSE))

    async def _make(self, job: ExportJob, holder: Id) -> bool:
        """Store the file of a job, and return True.

        Returns False if another process has the lease, the account was deleted, or the job has failed too often.
        """
        await commit_atomically([ExportPart.delete_file_write(job.id)], seconds=DELETION_SECONDS)
        if job.attempts > MAX_ATTEMPTS:
            await commit_atomically([ExportJob.end_write(job.id, holder, self._clock.now(), "failed")])
            return False
        user = await User.by_id(job.owner)
        if user is None:
            log.info("an export was abandoned, because the account was deleted")
            return False
        progress, number, counted, collected = _Progress(), 0, 0, b""
        async for part in stream_json_object(self._members(user, job.session, progress)):
            collected += part
            if len(collected) >= PART_OCTETS:
                if not await self._store_part(job, holder, number, collected, progress.events - counted):
                    return False
                number, counted, collected = number + 1, progress.events, b""
        if not await self._store_part(job, holder, number, collected, progress.events - counted):
            return False
        return await commit_atomically([ExportJob.end_write(job.id, holder, self._clock.now(), "done")])

    async def _store_part(self, job: ExportJob, holder: Id, number: int, data: bytes, events: int) -> bool:
        part = ExportPart(job=job.id, owner=job.owner, number=number, data=data, expires_at=job.expires_at)
        writes = ExportJob.add_part_writes(job.id, holder, part, events, self._clock.now())
        return await commit_atomically(writes, separate=True)

    def _render_job(self, job: ExportJob) -> View:
        return View(ExportJobRead.from_document(job, self._base_url).to_json(), str(job.id), 0)

    def _members(
        self, user: User, session_id: Id | None, progress: _Progress
    ) -> list[tuple[str, bytes | AsyncIterator[bytes]]]:
        id, now = user.id, self._clock.now()

        def render_session(session: Session) -> bytes:
            return SessionRead.from_document(session, current=session_id).to_json()

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
            ("events", _find_events(id, progress)),
            ("revisions", _find_revisions(id)),
            ("imports", _find_imports(id)),
        ]


async def _read_job(caller: Principal, id: str) -> ExportJob:
    job_id = parse_id(id)
    job = await ExportJob.by_id(job_id, caller.id) if job_id else None
    if job is None:
        raise NotFound
    return job


async def _read_file(job: ExportJob) -> AsyncIterator[bytes]:
    for number in range(job.parts):
        data = await ExportPart.find_data(job.id, number)
        # Without it, the connection is closed before the announced size is reached, which the client notices.
        assert data is not None, "the export was replaced while it was read"
        yield data


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


async def _find_events(creator: Id, progress: _Progress) -> AsyncIterator[bytes]:
    after: str | None = None
    while True:
        found = await list_events(EventSelection("mine", creator), after, EVENTS_BATCH_SIZE)
        for event in found.items:
            progress.events += 1
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

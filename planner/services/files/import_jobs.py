"""Imports that are done within their request, and import jobs, which run in the background."""

import asyncio
import hashlib
import logging
from datetime import timedelta

from pydantic import BaseModel

from auth.principal import Principal
from database.commit import commit_atomically
from database.connection import lift_request_limit
from database.errors import DuplicateKey
from database.queries import Id, parse_id
from database.writes import Write
from models.files.import_chunk import ImportChunk
from models.files.import_counts import ImportCounts
from models.files.import_job import LEASE, MAX_ATTEMPTS, MAX_UNFINISHED, ImportJob
from models.files.import_schema import ImportJobRead, ImportRead
from planner.clock import Clock
from planner.errors import Conflict, Invalid, InvalidToken, NotFound, Unavailable
from planner.load.lanes import Lane
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.importer import File, Importer, ImportRun
from planner.services.shared.idempotency import IdempotencyKey, find_stored_response, store_response
from planner.services.shared.leased_work import do_leased_work
from planner.services.shared.views import View

log = logging.getLogger("planner.imports")
FIRST_PAUSE = timedelta(seconds=6)
LIMIT_REACHED = f"You have {MAX_UNFINISHED} unfinished imports. Wait until one of them is done."


class ImportFingerprint(BaseModel):
    """What distinguishes two requests to import with the same Idempotency-Key."""

    file_digest: str
    charset: str
    dry_run: bool
    reject_conflicts: bool
    time_zone: str | None
    is_job: bool


class ImportJobs:
    """The use cases of imports. `wake` is set when a job may be due."""

    def __init__(self, importer: Importer, locks: UserWriteLocks, clock: Clock, lane: Lane | None = None) -> None:
        self._importer = importer
        self._locks = locks
        self._lane = lane or Lane("imports", 2)
        self._clock = clock
        self.wake = asyncio.Event()

    async def import_now(self, caller: Principal, file: File, dry_run: bool, key: IdempotencyKey | None) -> View:
        """Import a file and return the result. Raises what `Importer.run` raises, and `Busy`."""
        lift_request_limit()
        body = await _fingerprint(key, file, dry_run, is_job=False)
        if (stored := await find_stored_response(key, body)) is not None:
            return stored
        async with self._lane.work(caller.id):
            counts = await self._importer.run(ImportRun(caller.id, file, dry_run))
        response = View(ImportRead.from_counts(counts).to_json(), "", 0)
        if writes := store_response(key, body, response, self._clock.now()):
            try:
                await commit_atomically(writes)
            except DuplicateKey:
                # The same request has arrived twice at once, and the other one was faster.
                return await find_stored_response(key, body) or response
        return response

    async def create_job(
        self, caller: Principal, file: File, dry_run: bool, key: IdempotencyKey | None, *, keeps_file: bool = False
    ) -> View:
        """Create a job that imports a file, and return it.

        With `keeps_file`, it is a dry run that keeps its file for `start_kept`, instead of an earlier one that did.

        Raises `Conflict` when the caller has `MAX_UNFINISHED` unfinished jobs, and `InvalidToken` when the
        account is deleted or disabled.
        """
        lift_request_limit()
        body = await _fingerprint(key, file, dry_run, is_job=True)
        if (stored := await find_stored_response(key, body)) is not None:
            return stored
        now = self._clock.now()
        job = ImportJob.new(
            caller.id,
            file.charset,
            dry_run=dry_run,
            reject_conflicts=file.reject_conflicts,
            time_zone=file.time_zone,
            now=now,
            keeps_file=keeps_file,
        )
        response = View(ImportJobRead.from_document(job).to_json(), str(job.id), 0)
        writes = [*job.insert_writes(), *store_response(key, body, response, now)]

        async def check_limit() -> None:
            if await ImportJob.is_limit_reached(caller.id):
                raise Conflict(LIMIT_REACHED)

        await check_limit()
        if keeps_file and (deletions := await ImportJob.delete_dry_runs_writes(caller.id)):
            await commit_atomically(deletions)
        await ImportChunk.store_file(job.id, caller.id, file.content, job.expires_at)
        try:
            is_created = await self._locks.decide_and_commit(caller.id, check_limit, writes)
        except (Conflict, DuplicateKey):
            await commit_atomically([ImportChunk.delete_file_write(job.id)])
            # The same request may have arrived twice at once, and the other one created the job.
            if (stored := await find_stored_response(key, body)) is not None:
                return stored
            raise
        if not is_created:
            await commit_atomically([ImportChunk.delete_file_write(job.id)])
            raise InvalidToken("The account of this access token has been deleted or disabled.")
        return response

    async def start_kept(self, caller: Principal, id: str) -> None:
        """Import the file that a dry run of the caller has kept.

        Raises `NotFound`, also when the import was started already, and `Conflict` as `create_job` does.
        """
        job_id = parse_id(id)
        if job_id is None:
            raise NotFound

        async def check_limit() -> None:
            if await ImportJob.is_limit_reached(caller.id):
                raise Conflict(LIMIT_REACHED)

        writes = ImportJob.start_writes(job_id, caller.id, self._clock.now())
        if not await self._locks.decide_and_commit(caller.id, check_limit, writes):
            raise NotFound
        self.wake.set()

    async def get_job(self, caller: Principal, id: str) -> View:
        """Return a job of the caller. Raises `NotFound`."""
        job_id = parse_id(id)
        job = await ImportJob.by_id(job_id, caller.id) if job_id else None
        if job is None:
            raise NotFound
        return View(ImportJobRead.from_document(job).to_json(), str(job.id), 0)

    async def run_due(self) -> int:
        """Run every job that is due, from where it was left; return how many there were.

        A job that raises what it should not is tried again after a pause, until it has failed `MAX_ATTEMPTS` times.
        """
        return len(await do_leased_work(ImportJob, self._run, self._clock, log, first_pause=FIRST_PAUSE))

    async def _run(self, job: ImportJob, holder: Id) -> bool:
        """Run a job that was leased, and store how it ends; return whether all of it is imported."""
        if job.attempts > MAX_ATTEMPTS:
            await self._fail(job, holder, f"the import was interrupted or failed {MAX_ATTEMPTS} times")
            return False
        try:
            counts = await self._import_and_renew_lease(job, holder)
        except _LeaseLost:
            log.warning("an import job was deleted, or is run by another process now")
        except Invalid as error:
            await self._fail(job, holder, error.errors[0].message)
        except Unavailable as error:
            log.warning("an import job has to wait: %s", error)
        except InvalidToken:
            log.info("an import job was abandoned, because the account was deleted")
        else:
            now = self._clock.now()
            writes = ImportJob.finish_writes(job.id, holder, now, counts.total, keeps_file=job.keeps_file)
            return await commit_atomically(writes)
        return False

    async def _import_and_renew_lease(self, job: ImportJob, holder: Id) -> ImportCounts:
        """Import the rest of the file of a job. Raises `_LeaseLost`, and what `Importer.run` raises."""
        importing = asyncio.create_task(self._import(job, holder))
        try:
            while not (await asyncio.wait({importing}, timeout=LEASE.total_seconds() / 3))[0]:
                await self._renew_lease(job, holder)
            return await importing
        except Unavailable:
            # The writes of a batch are also refused when the lease was lost.
            await self._renew_lease(job, holder)
            raise
        finally:
            importing.cancel()
            await asyncio.wait({importing})

    async def _renew_lease(self, job: ImportJob, holder: Id) -> None:
        if not await ImportJob.renew_lease(job.id, holder, self._clock.now()):
            raise _LeaseLost

    async def _import(self, job: ImportJob, holder: Id) -> ImportCounts:
        def progress_writes(done: int, counts: ImportCounts) -> list[Write]:
            return [ImportJob.progress_write(job.id, holder, done, counts)]

        file = File(await ImportChunk.read_file(job.id), job.charset, job.reject_conflicts, job.time_zone)
        return await self._importer.run(ImportRun(job.owner, file, job.dry_run, job.done, progress_writes))

    async def _fail(self, job: ImportJob, holder: Id, reason: str) -> None:
        await commit_atomically(ImportJob.fail_writes(job.id, holder, self._clock.now(), reason))


class _LeaseLost(Exception):
    """The job was deleted, or another process has leased it."""


async def _fingerprint(key: IdempotencyKey | None, file: File, dry_run: bool, *, is_job: bool) -> ImportFingerprint:
    # The digest is compared only if there is a key. For a large file, it takes so long that a thread computes it.
    digest = "" if key is None else await asyncio.to_thread(lambda: hashlib.sha256(file.content).hexdigest())
    return ImportFingerprint(
        file_digest=digest,
        charset=file.charset,
        dry_run=dry_run,
        reject_conflicts=file.reject_conflicts,
        time_zone=file.time_zone,
        is_job=is_job,
    )

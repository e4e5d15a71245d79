"""Imports: those that are answered when they are done, and those that go on by themselves."""

import asyncio
import hashlib
import logging
from collections.abc import Callable

from pydantic import BaseModel

from auth.principal import Principal
from database.commit import commit_atomically
from database.errors import DuplicateKey
from database.queries import Id, Stored, new_id, parse_id
from database.writes import Write
from models.files.import_job import LEASE, MOST_ATTEMPTS, SLOTS, ImportJob
from models.files.import_schema import import_view, job_view
from models.shared.views import View
from planner.clock import Clock
from planner.errors import Conflict, Invalid, InvalidToken, Malformed, NotFound, Unavailable
from planner.services.files.importer import File, ImportCounts, Importer
from planner.services.shared.idempotency import IdempotencyKey, once

log = logging.getLogger("planner.imports")
TOO_MANY = f"You have {SLOTS} imports under way. Wait until one of them is done."


class _Asked(BaseModel):
    """What tells one request to import from another."""

    file: str
    charset: str
    dry_run: bool
    reject: bool
    later: bool


class ImportJobs:
    """The use cases of imports; `wake` tells the loop that there is one to do."""

    def __init__(self, importing: Importer, clock: Clock) -> None:
        self._importing = importing
        self._clock = clock
        self.wake = asyncio.Event()

    async def now(self, caller: Principal, file: File, dry_run: bool, ask: IdempotencyKey | None) -> View:
        """Import a file, and answer what became of its entries."""

        async def make(remember: Callable[[View], list[Write]]) -> View:
            counts = await self._importing.run(caller.id, file, dry_run=dry_run)
            view = View(import_view(vars(counts)), "", 0)
            if kept := remember(view):
                await commit_atomically(kept)
            return view

        return await once(ask, await _asked(ask, file, dry_run, later=False), self._clock.now(), make)

    async def later(self, caller: Principal, file: File, dry_run: bool, ask: IdempotencyKey | None) -> View:
        """Have a file imported, and answer the job that tells how far it is.

        Raises `Conflict` for somebody who has too many under way.
        """

        async def make(remember: Callable[[View], list[Write]]) -> View:
            now, id = self._clock.now(), new_id()
            stored: Stored = {
                "_id": id,
                "owner": caller.id,
                "status": "waiting",
                "charset": file.charset,
                "dry_run": dry_run,
                "reject": file.reject,
                **dict.fromkeys(("done", "created", "updated", "unchanged", "attempts"), 0),
                "failed": [],
                "created_at": now,
            }
            if len(await ImportJob.taken(caller.id)) >= SLOTS:
                raise Conflict(TOO_MANY)
            await ImportJob.keep(id, caller.id, file.content, now)
            view = job_view(stored)
            await self._order(stored, remember(view))
            return view

        return await once(ask, await _asked(ask, file, dry_run, later=True), self._clock.now(), make)

    async def _order(self, stored: Stored, also: list[Write]) -> None:
        for _ in range(SLOTS):
            free = set(range(SLOTS)) - await ImportJob.taken(stored["owner"])
            if not free:
                break
            try:
                if not await commit_atomically([*ImportJob.ordering(stored, min(free)), *also]):
                    raise InvalidToken("The account of this access token is gone.")
                return
            except DuplicateKey:
                # Another request has taken the slot, or was the same one.
                if not await self._is_taken(stored["owner"], min(free)):
                    raise
        raise Conflict(TOO_MANY)

    async def _is_taken(self, owner: Id, slot: int) -> bool:
        return slot in await ImportJob.taken(owner)

    async def look_up(self, caller: Principal, id: str) -> View:
        """An import of the caller's, and how far it is; raises `NotFound`."""
        known = parse_id(id)
        stored = await ImportJob.of(known, caller.id) if known else None
        if stored is None:
            raise NotFound
        return job_view(stored)

    async def do_due(self) -> int:
        """Do every import that is due, or go on with it; returns how many."""
        count, holder = 0, new_id()
        while job := await ImportJob.claim(holder, self._clock.now()):
            await self._do(job, holder)
            count += 1
        return count

    async def _do(self, job: Stored, holder: Id) -> None:
        id = job["_id"]
        if job["attempts"] > MOST_ATTEMPTS:
            await self._finish(id, holder, reason="it was begun again and again and never finished")
            return
        try:
            await self._held(job, holder)
        except _Lost:
            log.warning("an import is no longer ours; it was removed, or another process goes on with it")
        except (Invalid, Malformed) as error:
            reason = error.errors[0].message if isinstance(error, Invalid) else error.detail
            await self._finish(id, holder, reason=reason)
        except asyncio.CancelledError:
            await ImportJob.release(id, holder, self._clock.now())
            raise
        except Unavailable as error:
            log.warning("an import has to wait: %s", error)
        except InvalidToken:
            log.info("an import was given up: the account is gone")

    async def _held(self, job: Stored, holder: Id) -> None:
        """Carry out an import, and say all the while that we are at it."""
        doing = asyncio.create_task(self._import(job, holder))
        try:
            while not (await asyncio.wait({doing}, timeout=LEASE.total_seconds() / 3))[0]:
                if not await ImportJob.renew(job["_id"], holder, self._clock.now()):
                    raise _Lost
            await doing
        finally:
            doing.cancel()
            await asyncio.wait({doing})

    async def _import(self, job: Stored, holder: Id) -> None:
        id = job["_id"]
        fields = ("total", "done", "created", "updated", "unchanged", "failed")
        counts = ImportCounts(**{name: job[name] for name in fields if job.get(name) is not None})

        def noting(more: ImportCounts) -> list[Write]:
            return [ImportJob.noting(id, holder, counts.done, vars(more))]

        file = File(await ImportJob.content(id), job["charset"], job.get("reject", False))
        try:
            await self._importing.run(job["owner"], file, dry_run=job["dry_run"], counts=counts, noting=noting)
        except Unavailable:
            if not await ImportJob.renew(id, holder, self._clock.now()):
                raise _Lost from None
            raise
        await self._finish(id, holder, total=counts.total)

    async def _finish(self, id: Id, holder: Id, *, total: int | None = None, reason: str | None = None) -> None:
        await commit_atomically(ImportJob.finishing(id, holder, self._clock.now(), total=total, reason=reason))


class _Lost(Exception):
    """The import is somebody else's by now."""


async def _asked(ask: IdempotencyKey | None, file: File, dry_run: bool, *, later: bool) -> _Asked:
    # Only who asks with a key is compared with others; and a large file takes a while.
    digest = "" if ask is None else await asyncio.to_thread(lambda: hashlib.sha256(file.content).hexdigest())
    return _Asked(file=digest, charset=file.charset, dry_run=dry_run, reject=file.reject, later=later)

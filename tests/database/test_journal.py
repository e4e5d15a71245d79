"""The journal: what a crash cut short on a server without transactions is put right at the next start."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

import models.events.event
from database import commit as groups
from database import journal
from database.commit import commit_atomically
from database.connection import Database
from database.errors import DuplicateKey
from database.journal import mend
from database.queries import Id, Stored, new_id
from database.writes import Delete, Insert, Require, Update, Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_view import render
from models.events.revision import Revision, content
from models.shared.idempotent_response import IdempotentResponse
from planner.clock import utc_now
from tests.database.things import NOW, embedded_in, event, ids_in, stored_in, stored_user


class Crash(Exception):
    """The process ends here."""


class Crasher:
    """Lets so many steps of a group happen, and no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    async def after(self, steps: int, writes: Sequence[Write]) -> None:
        """Begin a group, and crash after so many of its writes, and before the note is removed."""
        done = 0
        original = journal._once

        async def once(database: Database, write: Write) -> bool:
            nonlocal done
            if done == steps:
                raise Crash
            done += 1
            return await original(database, write)

        async def close(database: Database, note: Any) -> None:
            raise Crash

        with self._monkeypatch.context() as patched:
            patched.setattr(journal, "_once", once)
            patched.setattr(journal, "_close", close)
            with pytest.raises(Crash):
                await commit_atomically(writes)


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Crasher:
    return Crasher(monkeypatch)


class CutShort:
    """Lets the database go away after so many steps of a group, and come back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    async def after(self, steps: int, writes: Sequence[Write]) -> None:
        done, original = 0, journal._once

        async def once(database: Database, write: Write) -> bool:
            nonlocal done
            if done == steps:
                raise AutoReconnect("connection closed")
            done += 1
            return await original(database, write)

        async def close(database: Database, note: Any) -> None:
            raise AutoReconnect("connection closed")

        with self._monkeypatch.context() as patched:
            patched.setattr(journal, "_once", once)
            patched.setattr(journal, "_close", close)
            with pytest.raises(AutoReconnect):
                await commit_atomically(writes)


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch) -> CutShort:
    return CutShort(monkeypatch)


def answer(id: str, thing: str = "") -> Insert:
    made = datetime.now(UTC)  # The server removes old ones.
    stored = {"_id": id, "fingerprint": "", "json": b"{}", "thing": thing, "revision": 1, "created_at": made}
    return Insert(IdempotentResponse, stored)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_a_creation_that_a_crash_cut_short_is_completed(standalone: Database, crash: Crasher, steps: int) -> None:
    ada = await stored_user(standalone)
    new = event(ada)
    await crash.after(steps, [answer("key"), Insert(Event, new), User.embed(ada, new["_id"], NOW)])

    assert await mend(standalone) == 1
    assert await ids_in(standalone, "answers") == {"key"}
    assert await ids_in(standalone, "events") == {new["_id"]}
    assert await embedded_in(standalone, ada) == [new["_id"]]
    assert (await stored_in(standalone, "users", ada))["revision"] == 2


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_a_removal_that_a_crash_cut_short_is_completed(standalone: Database, crash: Crasher, steps: int) -> None:
    ada = await stored_user(standalone)
    kept, gone = event(ada), event(ada)
    for new in (kept, gone):
        assert await Event.add(new, [])
    await crash.after(steps, [Delete(Event, {"_id": gone["_id"]}), User.release(ada, gone["_id"], NOW)])

    assert await mend(standalone) == 1
    assert await ids_in(standalone, "events") == {kept["_id"]}
    assert await embedded_in(standalone, ada) == [kept["_id"]]
    assert (await stored_in(standalone, "users", ada))["revision"] == 4


async def test_mending_twice_is_harmless(standalone: Database, crash: Crasher) -> None:
    ada = await stored_user(standalone)
    new = event(ada)
    await crash.after(1, [Insert(Event, new), User.embed(ada, new["_id"], NOW)])
    (note,) = await standalone.handle["journal"].find({}).to_list(None)

    assert await mend(standalone) == 1
    before = await standalone.handle["users"].find_one({"_id": ada})
    assert await mend(standalone) == 0
    # As when the mending itself was cut short before the note was removed.
    await standalone.handle["journal"].insert_one(note)
    assert await mend(standalone) == 1
    assert await standalone.handle["users"].find_one({"_id": ada}) == before
    assert await ids_in(standalone, "journal") == set()


async def test_groups_are_mended_in_the_order_in_which_they_were_begun(standalone: Database, crash: Crasher) -> None:
    ada = await stored_user(standalone)
    new = event(ada)
    await crash.after(0, [Insert(Event, new), User.embed(ada, new["_id"], NOW)])
    await crash.after(0, [Delete(Event, {"_id": new["_id"]}), User.release(ada, new["_id"], NOW)])
    assert await mend(standalone) == 2
    assert await ids_in(standalone, "events") == set()
    assert await embedded_in(standalone, ada) == []


async def test_what_was_done_in_full_leaves_nothing_to_mend(standalone: Database) -> None:
    ada = await stored_user(standalone)
    assert await Event.add(event(ada), [])
    assert await mend(standalone) == 0


async def test_a_group_that_was_refused_before_the_crash_is_not_done_by_mending(
    standalone: Database, crash: Crasher
) -> None:
    ada = await stored_user(standalone)
    assert await Event.add(event(ada, uid="taken"), [])
    before = await embedded_in(standalone, ada)
    refused = event(ada, uid="taken")
    # The crash comes after the index refused the event, before what was done is taken back.
    await _refused_and_crashed([answer("key"), Insert(Event, refused), User.embed(ada, refused["_id"], NOW)], crash)

    await mend(standalone)
    assert await ids_in(standalone, "answers") == set()
    assert await embedded_in(standalone, ada) == before


async def test_a_creation_whose_creator_is_gone_is_not_done_by_mending(standalone: Database, crash: Crasher) -> None:
    new = event(new_id())
    await _refused_and_crashed([Insert(Event, new), User.embed(new["creator"], new["_id"], NOW)], crash)
    await mend(standalone)
    assert await ids_in(standalone, "events") == set()


async def test_a_removal_that_was_refused_before_the_crash_keeps_the_id_of_the_event(
    standalone: Database, crash: Crasher
) -> None:
    ada = await stored_user(standalone)
    kept = event(ada)
    assert await Event.add(kept, [])
    stale = {"_id": kept["_id"], "revision": {"$in": [7]}}
    await _refused_and_crashed([Delete(Event, stale), User.release(ada, kept["_id"], NOW)], crash)

    await mend(standalone)
    assert await ids_in(standalone, "events") == {kept["_id"]}
    assert await embedded_in(standalone, ada) == [kept["_id"]]


async def _refused_and_crashed(writes: Sequence[Write], crash: Crasher) -> None:
    """Leave the journal as a crash does right after a write of the group was refused."""
    await crash.after(len(writes), writes)


async def test_the_writes_of_a_caller_who_hangs_up_are_carried_through(standalone: Database) -> None:
    ada = await stored_user(standalone)
    adding = asyncio.create_task(Event.add(event(ada), []))
    await asyncio.sleep(0)
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    await asyncio.gather(*groups._begun)
    assert await ids_in(standalone, "journal") == set()
    assert len(await embedded_in(standalone, ada)) == 1
    assert set(await embedded_in(standalone, ada)) == await ids_in(standalone, "events")


async def test_a_single_write_needs_no_note(standalone: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forbidden(*_: Any) -> Any:
        raise AssertionError("it was noted")

    monkeypatch.setattr(journal, "_open", forbidden)
    assert await commit_atomically([answer("key")])
    with pytest.raises(DuplicateKey):
        await commit_atomically([answer("key")])


async def test_a_requirement_that_is_not_met_is_found_before_anything_is_noted(
    standalone: Database, crash: Crasher
) -> None:
    ada = await stored_user(standalone)
    renamed = Update(User, {"_id": ada}, {"$set": {"full_name": "Ada"}})
    unmet = Require(User, {"_id": new_id()})
    assert not await commit_atomically([renamed, answer("key"), unmet])
    assert await ids_in(standalone, "journal") == await ids_in(standalone, "answers") == set()
    assert (await stored_in(standalone, "users", ada))["full_name"] is None


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_writes_to_many_documents_that_a_crash_cut_short_are_completed(
    standalone: Database, crash: Crasher, steps: int
) -> None:
    for name in ("ada", "ben"):
        await stored_user(standalone, name=name)
    everyone = Update(User, {"role": "user"}, {"$set": {"role": "moderator"}}, needed=False, many=True)
    await crash.after(steps, [everyone, Delete(Event, {"title": "Book launch"}, many=True)])
    assert await mend(standalone) == 1
    assert await standalone.handle["users"].count_documents({"role": "moderator"}) == 2


async def test_an_answer_of_another_request_is_not_taken_for_ones_own(standalone: Database, crash: Crasher) -> None:
    ada = await stored_user(standalone)
    first, second = event(ada), event(ada)
    assert await commit_atomically([answer("key", "first"), Insert(Event, first), User.embed(ada, first["_id"], NOW)])
    # The same key again: refused, and the crash comes before its note is removed.
    again: list[Write] = [answer("key", "second"), Insert(Event, second), User.embed(ada, second["_id"], NOW)]
    await _refused_and_crashed(again, crash)
    await mend(standalone)
    assert await ids_in(standalone, "events") == {first["_id"]}
    assert (await stored_in(standalone, "answers", "key"))["thing"] == "first"


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_a_creation_that_an_outage_cut_short_is_not_done_again_after_its_event_was_removed(
    standalone: Database, cut_short: CutShort, steps: int
) -> None:
    ada = await stored_user(standalone)
    new, other = event(ada), event(ada)
    await cut_short.after(steps, [Insert(Event, new), User.embed(ada, new["_id"], NOW)])

    assert await Event.add(other, [])
    assert await ids_in(standalone, "events") == {new["_id"], other["_id"]}
    assert await embedded_in(standalone, ada) == [new["_id"], other["_id"]]
    assert await Event.remove(render(new), ada, NOW)
    assert await mend(standalone) == 0
    assert await ids_in(standalone, "events") == {other["_id"]}
    assert await embedded_in(standalone, ada) == [other["_id"]]


async def test_what_an_outage_cut_short_is_finished_even_when_nobody_writes(
    standalone: Database, cut_short: CutShort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    ada = await stored_user(standalone)
    new = event(ada)
    await cut_short.after(1, [Insert(Event, new), User.embed(ada, new["_id"], NOW)])
    await asyncio.gather(*journal._waiting)
    assert await embedded_in(standalone, ada) == [new["_id"]]
    assert await ids_in(standalone, "journal") == set()


async def test_while_the_database_is_away_everyone_who_waits_for_what_it_cut_short_is_told_at_once(
    standalone: Database, cut_short: CutShort, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await stored_user(standalone)
    await cut_short.after(1, [Insert(Event, new := event(ada)), User.embed(ada, new["_id"], NOW)])
    tries = 0

    async def away(*_: Any) -> Any:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0.01)
        raise AutoReconnect("connection refused")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "_again", away)
        answers = await asyncio.gather(*(Event.add(event(ada), []) for _ in range(8)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [AutoReconnect] * 8
    assert tries == 1
    assert await Event.add(event(ada), [])
    assert len(await embedded_in(standalone, ada)) == len(await ids_in(standalone, "events")) == 2


async def removed(standalone: Database, ada: Id, **fields: Any) -> Stored:
    """An event that was there and is removed."""
    new = event(ada, **fields)
    assert await Event.add(new, [])
    view = await Event.view(new["_id"])
    assert view and await Event.remove(view, ada, NOW)
    return new


async def bringing_back(id: Id, by: Id, monkeypatch: pytest.MonkeyPatch) -> list[Write]:
    """The writes that restore an event, as they are given to the journal."""
    given: list[Write] = []

    async def noted(writes: Sequence[Write]) -> bool:
        given.extend(writes)
        return True

    removal = await Revision.last(id)
    assert removal
    kept = await Revision.exactly(id, removal["revision"] - 1)
    assert kept
    with monkeypatch.context() as patched:
        patched.setattr(models.events.event, "together", noted)
        fields = content(kept["state"], kept["state"]) | {"updated_at": utc_now()}
        await Event.bring_back(removal, kept["state"], fields, by)
    return given


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 5])
async def test_a_restoration_that_a_crash_cut_short_is_completed(
    standalone: Database, crash: Crasher, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    ada = await stored_user(standalone)
    gone = await removed(standalone, ada, visibility="public")
    writes = await bringing_back(gone["_id"], ada, monkeypatch)
    await crash.after(min(steps, len(writes)), writes)

    assert await mend(standalone) == 1
    assert (await stored_in(standalone, "events", gone["_id"]))["revision"] == 3
    assert await embedded_in(standalone, ada) == [gone["_id"]]
    assert await standalone.handle["revisions"].count_documents({}) == 2
    assert await standalone.handle["revisions"].count_documents({"expires_at": {"$exists": True}}) == 0


@pytest.mark.parametrize("crashed", [False, True])
@pytest.mark.parametrize("why", ["its uid is taken", "its time is over", "its creator is gone"])
async def test_a_restoration_that_is_refused_leaves_the_event_removed(
    standalone: Database, crash: Crasher, monkeypatch: pytest.MonkeyPatch, why: str, crashed: bool
) -> None:
    ada = await stored_user(standalone)
    gone = await removed(standalone, ada, uid="taken")
    writes = await bringing_back(gone["_id"], ada, monkeypatch)
    if why == "its uid is taken":
        assert await Event.add(event(ada, uid="taken"), [])
    elif why == "its time is over":
        await standalone.handle["revisions"].delete_many({"event": gone["_id"]})
    else:
        await standalone.handle["users"].delete_one({"_id": ada})
    before = await standalone.handle["users"].find_one({"_id": ada})
    if crashed:
        await _refused_and_crashed(writes, crash)
        assert await mend(standalone) == 1
    elif why == "its uid is taken":
        with pytest.raises(DuplicateKey):
            await commit_atomically(writes)
    else:
        assert not await commit_atomically(writes)
    assert gone["_id"] not in await ids_in(standalone, "events")
    assert await standalone.handle["users"].find_one({"_id": ada}) == before
    assert await ids_in(standalone, "journal") == set()


async def test_of_those_who_restore_an_event_at_once_one_does_without_transactions_too(
    standalone: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await stored_user(standalone)
    gone = await removed(standalone, ada)
    groups_ = [await bringing_back(gone["_id"], ada, monkeypatch) for _ in range(10)]
    answers = await asyncio.gather(*(commit_atomically(writes) for writes in groups_), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["DuplicateKeyError"] * 9 + ["bool"]
    assert await ids_in(standalone, "events") == {gone["_id"]}
    assert await embedded_in(standalone, ada) == [gone["_id"]]

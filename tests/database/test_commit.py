"""Writes that belong together: all of them happen, or none."""

import asyncio
from typing import Any

import pytest

from database.commit import commit_atomically, find_and_update
from database.connection import Database
from database.errors import DuplicateKey
from database.queries import Id, new_id
from database.writes import Delete, Insert, Require, Update, Write
from models.accounts.user import User
from models.events.event import Event
from models.events.event_writes import create_event_writes, delete_event_writes
from models.shared.guard import Guard
from tests.support.documents import (
    NOW,
    build_event,
    build_event_document,
    build_user,
    get_stored,
    insert_user,
    list_embedded_ids,
    list_ids,
)


async def creation(creator: Any, **fields: Any) -> bool:
    return await create(build_event_document(creator, **fields))


async def create(new: Event) -> bool:
    return await commit_atomically(create_event_writes(new))


async def test_all_writes_of_a_group_are_done(database: Database) -> None:
    ada = await insert_user(database)
    new = build_event(ada)
    assert await commit_atomically([Insert(Event.from_stored(new)), User.embed_event_write(ada, new["_id"], NOW)])
    assert await list_ids(database, "events") == {new["_id"]}
    assert await list_embedded_ids(database, ada) == [new["_id"]]


async def test_a_required_update_without_a_match_rolls_back_the_group(database: Database) -> None:
    new = build_event(new_id())
    assert not await commit_atomically(
        [Insert(Event.from_stored(new)), User.embed_event_write(new["creator"], new["_id"], NOW)]
    )
    assert await list_ids(database, "events") == set()


async def test_a_required_deletion_without_a_match_rolls_back_the_group(database: Database) -> None:
    ada = await insert_user(database)
    assert not await commit_atomically([Delete(Event, {"_id": new_id()}), Delete(User, {"_id": ada})])
    assert await list_ids(database, "users") == {ada}


async def test_a_write_that_is_not_required_may_match_nothing(database: Database) -> None:
    ada = await insert_user(database)
    gone = new_id()
    assert await commit_atomically(
        [Delete(Event, {"_id": gone}, required=False), User.remove_event_write(new_id(), gone, NOW)]
    )
    assert await commit_atomically([Delete(Event, {"creator": ada}, many=True), Delete(User, {"_id": ada})])
    assert await list_ids(database, "users") == set()


async def test_a_duplicate_key_rolls_back_the_group(database: Database) -> None:
    ada = await insert_user(database)
    assert await creation(ada, uid="one")
    (kept,) = await list_ids(database, "events")
    with pytest.raises(DuplicateKey):
        await creation(ada, uid="one")
    assert await list_ids(database, "events") == {kept}
    assert await list_embedded_ids(database, ada) == [kept]


async def test_a_group_that_is_refused_does_not_fail_the_others_of_its_batch(database: Database) -> None:
    ada, ben = await insert_user(database), await insert_user(database, name="ben")
    assert await creation(ben, uid="taken")
    # They arrive while the first is on its way, and so are gathered into one batch.
    outcomes = await asyncio.gather(
        creation(ada),
        creation(ada, uid="a"),
        creation(ben, uid="taken"),
        creation(new_id()),
        creation(ada, uid="b"),
        creation(ben, uid="b"),
        return_exceptions=True,
    )
    assert [outcome if isinstance(outcome, bool) else type(outcome) for outcome in outcomes] == [
        True,
        True,
        DuplicateKey,
        False,
        True,
        True,
    ]
    assert len(await list_embedded_ids(database, ada)) == 3
    assert len(await list_embedded_ids(database, ben)) == 2
    assert len(await list_ids(database, "events")) == 5


async def test_an_optional_update_does_not_hide_a_failed_required_one_of_its_batch(database: Database) -> None:
    ada = await insert_user(database)
    renamed = Update(User, {"_id": ada}, {"$set": {"full_name": "Ada"}}, required=False)
    outcomes = await asyncio.gather(
        creation(ada),
        commit_atomically([renamed]),
        commit_atomically([Update(User, {"_id": new_id()}, {"$set": {"full_name": "Nobody"}})]),
        commit_atomically([renamed]),
    )
    assert list(outcomes) == [True, True, False, True]


async def test_16_at_once_write_to_one_account_and_all_succeed(database: Database) -> None:
    ada = await insert_user(database)
    assert await asyncio.gather(*(creation(ada) for _ in range(16))) == [True] * 16
    assert set(await list_embedded_ids(database, ada)) == await list_ids(database, "events")
    assert len(await list_ids(database, "events")) == 16
    assert (await get_stored(database, "users", ada))["revision"] == 17


async def test_more_groups_at_once_than_one_transaction_takes_all_succeed(database: Database) -> None:
    ada = await insert_user(database)
    assert await asyncio.gather(*(creation(ada) for _ in range(150))) == [True] * 150
    assert len(await list_embedded_ids(database, ada)) == 150


async def test_after_creating_and_deleting_at_once_the_embedded_ids_are_those_of_the_stored_events(
    database: Database,
) -> None:
    ada = await insert_user(database)
    first = [build_event_document(ada) for _ in range(8)]
    for new in first:
        assert await create(new)
    removals = [commit_atomically(delete_event_writes(new, ada, NOW)) for new in first]
    assert await asyncio.gather(*removals, *(creation(ada) for _ in range(8))) == [True] * 16
    assert set(await list_embedded_ids(database, ada)) == await list_ids(database, "events")
    assert len(await list_ids(database, "events")) == 8


async def test_of_many_deletions_of_one_event_exactly_one_succeeds(database: Database) -> None:
    ada = await insert_user(database)
    new = build_event_document(ada)
    assert await create(new)
    removals = (commit_atomically(delete_event_writes(new, ada, NOW)) for _ in range(6))
    outcomes = await asyncio.gather(*removals)
    assert sorted(outcomes) == [False] * 5 + [True]
    assert await list_embedded_ids(database, ada) == []


async def test_the_write_of_a_cancelled_caller_is_completed(database: Database) -> None:
    ada = await insert_user(database)
    first, second = build_event_document(ada), build_event_document(ada)
    hung_up = [asyncio.create_task(create(new)) for new in (first, second)]
    await asyncio.sleep(0)
    for task in hung_up:
        task.cancel()
    # Stands behind them, so that they are done when it is.
    assert await creation(ada)
    assert {first.id, second.id} < await list_ids(database, "events")
    assert set(await list_embedded_ids(database, ada)) == await list_ids(database, "events")


async def test_an_update_returns_the_new_state(database: Database) -> None:
    ada = await insert_user(database)
    user = await find_and_update(User, {"_id": ada}, {"$set": {"full_name": "Ada"}})
    assert user is not None
    assert user.full_name == "Ada"
    assert user.created_at == NOW


async def test_an_update_without_a_match_returns_none_and_changes_nothing(database: Database) -> None:
    ada = await insert_user(database)
    assert await find_and_update(User, {"_id": ada, "revision": 2}, {"$set": {"full_name": "Ada"}}) is None
    assert (await get_stored(database, "users", ada))["full_name"] is None


async def test_a_change_that_a_unique_index_refuses_is_a_duplicate_key(database: Database) -> None:
    ada = await insert_user(database)
    await insert_user(database, name="ben")
    with pytest.raises(DuplicateKey):
        await find_and_update(User, {"_id": ada}, {"$set": {"email_key": "ben@example.com"}})


async def test_of_eight_accounts_with_one_username_at_once_one_is_stored(database: Database) -> None:
    users = [build_user(str(n), username="Ada", username_key="ada") for n in range(8)]
    outcomes = await asyncio.gather(
        *(commit_atomically([Insert(User.from_stored(new))]) for new in users), return_exceptions=True
    )
    assert sum(outcome is True for outcome in outcomes) == 1
    assert sum(isinstance(outcome, DuplicateKey) for outcome in outcomes) == 7
    assert len(await list_ids(database, "users")) == 1


async def test_a_requirement_that_is_not_met_rolls_back_the_group(database: Database) -> None:
    ada, ben = await insert_user(database), await insert_user(database, name="ben")
    others = {"disabled": False, "_id": {"$ne": ada}}
    disabling = Update(User, {"_id": ada}, {"$set": {"disabled": True}})
    assert not await commit_atomically([Require(User, others, least=2), disabling])
    assert not (await get_stored(database, "users", ada))["disabled"]
    assert await commit_atomically([Require(User, others), disabling])
    assert (await get_stored(database, "users", ada))["disabled"]
    assert not (await get_stored(database, "users", ben))["disabled"]


async def test_of_two_groups_at_once_that_each_require_the_other_s_document_one_is_refused(database: Database) -> None:
    users = [await insert_user(database, name=name) for name in ("ada", "ben")]

    def leave(id: Id) -> list[Write]:
        others = Require(User, {"disabled": False, "_id": {"$ne": id}})
        return [Guard.acquire_write("leaving"), others, Update(User, {"_id": id}, {"$set": {"disabled": True}})]

    assert sorted(await asyncio.gather(*(commit_atomically(leave(id)) for id in users))) == [False, True]
    assert await database.handle["users"].count_documents({"disabled": False}) == 1


async def test_one_write_may_be_to_many_documents_or_to_none(database: Database) -> None:
    ids = [await insert_user(database, name=str(n)) for n in range(3)]
    everyone = Update(User, {"role": "user"}, {"$set": {"role": "moderator"}}, required=False, many=True)
    assert await commit_atomically([everyone, Update(User, {"_id": ids[0]}, {"$set": {"full_name": "Ada"}})])
    assert await database.handle["users"].count_documents({"role": "moderator"}) == 3
    assert await commit_atomically([everyone, Delete(User, {"role": "moderator"}, many=True)])
    assert await list_ids(database, "users") == set()


@pytest.mark.real_server("only a transaction takes updates back")
async def test_a_write_to_many_documents_is_rolled_back_with_its_group(database: Database) -> None:
    await insert_user(database)
    everyone = Update(User, {"role": "user"}, {"$set": {"role": "moderator"}}, required=False, many=True)
    assert not await commit_atomically([everyone, Delete(User, {"_id": new_id()})])
    assert await database.handle["users"].count_documents({"role": "moderator"}) == 0


def many(creator: Id, *uids: str) -> list[Write]:
    """Writes that store events of somebody's, and embed their ids at once."""
    events = [build_event(creator, uid=uid) for uid in uids]
    return [
        *(Insert(Event.from_stored(one)) for one in events),
        User.embed_events_write(creator, [one["_id"] for one in events], NOW),
    ]


async def test_a_separate_group_is_committed_as_a_whole(database: Database) -> None:
    ada, ben = await insert_user(database), await insert_user(database, name="ben")
    uids = [f"{n}" for n in range(60)]
    outcomes = await asyncio.gather(
        commit_atomically(many(ada, *uids), separate=True), *(creation(ben) for _ in range(20))
    )
    assert all(outcomes)
    assert len(await list_embedded_ids(database, ada)) == 60
    assert len(await list_embedded_ids(database, ben)) == 20


async def test_a_separate_group_is_rolled_back_as_a_whole(database: Database) -> None:
    ada = await insert_user(database)
    assert await creation(ada, uid="taken")
    with pytest.raises(DuplicateKey):
        await commit_atomically(many(ada, "a", "taken", "b"), separate=True)
    assert not await commit_atomically(many(new_id(), "a", "b"), separate=True)
    stale = Update(User, {"_id": ada, "revision": 77}, {"$set": {"full_name": "Ada"}})
    assert not await commit_atomically([stale, *many(ada, "a", "b")], separate=True)
    assert len(await list_ids(database, "events")) == 1
    assert len(await list_embedded_ids(database, ada)) == 1


async def test_separate_groups_that_write_the_same_document_all_succeed(database: Database) -> None:
    ada = await insert_user(database)
    groups = [commit_atomically(many(ada, *(f"{n} {m}" for m in range(20))), separate=True) for n in range(4)]
    assert all(await asyncio.gather(*groups, *(creation(ada) for _ in range(10))))
    assert len(await list_embedded_ids(database, ada)) == 90

"""Every query and conditional write of the documents finds what it seeks through an index."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from database.connection import collection_name
from database.queries import new_id
from database.writes import Delete, Insert, Write
from models.accounts.oidc_login import AuthorizationCode, OidcLoginAttempt
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import User
from models.accounts.user_write_lock import UserWriteLock
from models.events.event import Event
from models.events.event_batches import known
from models.events.revision import Revision
from models.events.tombstone import Tombstone
from models.files.feed import Feed
from models.files.import_chunk import ImportChunk
from models.files.import_counts import ImportCounts
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail
from models.people.busy_share import BusyShare
from models.shared.audit import Audit, AuditQuery
from models.shared.idempotent_response import IdempotentResponse
from models.shared.rate_limit_counter import RateLimitCounter
from tests.database.things import event
from tests.models.events.plans import Asked, explained

pytestmark = pytest.mark.real_server("the mock has no query plans")
ID, NOW = new_id(), datetime(2026, 5, 1, tzinfo=UTC)
EVENT = event(ID)
REMOVAL = {"_id": ID, "event": ID, "revision": 3, "expires_at": NOW}
_, CHANGING = Event.changing(EVENT, {"updated_at": NOW}, ID)


async def all_of(stored: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in stored]


READS: dict[str, Callable[[], Awaitable[Any]]] = {
    "an account by its address": lambda: User.by_login("Ada@Example.com"),
    "an account by its name": lambda: User.by_login("Ada"),
    "an account by who it is to a provider": lambda: User.by_identity("https://issuer.example", "ada"),
    "whether an account may act": lambda: User.standing(ID),
    "the first accounts": lambda: User.listed(None, 50),
    "further accounts": lambda: User.listed(ID, 50),
    "a better hash": lambda: User.upgrade_password(ID, "old", "new"),
    "a change of an account": lambda: User.changed(ID, 1, {}),
    "the last revision of an event": lambda: Revision.last(ID),
    "a revision of an event": lambda: Revision.exactly(ID, 3),
    "the revisions of an event before one": lambda: all_of(Revision.before(ID, 3, 50)),
    "every revision of somebody's events": lambda: all_of(Revision.of_creator(ID)),
    "removals whose time is over": lambda: Revision.overdue(NOW, 100),
    "what goes with them": lambda: Revision.some_before(REMOVAL),
    "a session": lambda: Session.standing(ID, ID, NOW),
    "a session by id": lambda: Session.by_id(ID, NOW),
    "a session that goes on": lambda: Session.rotate(ID, "old", "new", NOW, ""),
    "a session that is used": lambda: Session.touch(ID, NOW),
    "the first sessions": lambda: Session.listed(ID, None, NOW, None, 50),
    "further sessions": lambda: Session.listed(ID, None, NOW, ID, 50),
    "a personal token": lambda: PersonalToken.by_digest("digest", NOW),
    "a personal token that is used": lambda: PersonalToken.touch(ID, NOW),
    "the first personal tokens": lambda: PersonalToken.listed(ID, NOW, None, 50),
    "further personal tokens": lambda: PersonalToken.listed(ID, NOW, ID, 50),
    "a feed": lambda: Feed.by_digest("digest"),
    "a feed that is read": lambda: Feed.set_last_read(ID, NOW),
    "whether somebody has as many feeds as allowed": lambda: Feed.is_limit_reached(ID),
    "the first feeds": lambda: Feed.find_by_user(ID, None, 50),
    "further feeds": lambda: Feed.find_by_user(ID, ID, 50),
    "the audit": lambda: Audit.listed(AuditQuery(), None, None),
    "further audit": lambda: Audit.listed(AuditQuery(), None, ID),
    "the audit of an account": lambda: Audit.listed(AuditQuery(), ID, ID),
    "the audit of an event": lambda: Audit.listed(AuditQuery(event="sign-in"), None, ID),
    "the audit of both": lambda: Audit.listed(AuditQuery(event="sign-in"), ID, None),
    "a mail that is due": lambda: QueuedMail.claim(NOW),
    "a mail that is put off": lambda: QueuedMail.put_off(ID, NOW),
    "whether somebody shares free/busy": lambda: BusyShare.holds(ID, ID),
    "whether somebody shares it with enough": lambda: BusyShare.is_full(ID),
    "the first shares": lambda: BusyShare.listed(ID, None, 50),
    "further shares": lambda: BusyShare.listed(ID, ID, 50),
    "the events with some UIDs": lambda: known(ID, ["a@x", "b@x"]),
    "an import": lambda: ImportJob.by_id(ID, ID),
    "the imports of a person": lambda: all_of(ImportJob.iterate_by_owner(ID)),
    "whether somebody has as many unfinished imports as allowed": lambda: ImportJob.is_limit_reached(ID),
    "the file of an import": lambda: ImportChunk.read_file(ID),
    "an import that is due": lambda: ImportJob.lease_due(ID, NOW),
    "an import that somebody is at": lambda: ImportJob.renew_lease(ID, ID, NOW),
    "an import that is let go of": lambda: ImportJob.release_lease(ID, ID, NOW),
    "whose turn it is": lambda: UserWriteLock.of(ID),
    "a token for one use": lambda: OneTimeToken.good("digest", "reset", NOW),
    "a sign-in at a provider": lambda: OidcLoginAttempt.standing("digest", "google", "browser", NOW),
    "an authorization code": lambda: AuthorizationCode.good("digest", NOW),
    "a tally": lambda: RateLimitCounter.of("id"),
}

WRITES: dict[str, Write] = {
    "embedding an event": User.embed(ID, ID, NOW),
    "releasing an event": User.release(ID, ID, NOW),
    "changing an account": User.changing(ID, NOW, {"revision": 1}),
    "ending a session": Session.ending(ID, ID),
    "ending every session": Session.ending_all(ID),
    "ending every session but one": Session.ending_all(ID, ID),
    "removing a personal token": PersonalToken.removing(ID, ID),
    "removing every personal token": PersonalToken.delete_all_of(ID),
    "removing a feed": Feed.delete_write(ID, ID),
    "removing every feed": Feed.delete_all_write(ID),
    "taking a share back": BusyShare.taking_back(ID, ID),
    **{f"removing every share {n}": write for n, write in enumerate(BusyShare.delete_all_of(ID))},
    "noting what became of some entries": ImportJob.progress_write(ID, ID, 0, ImportCounts()),
    **{f"finishing an import {n}": write for n, write in enumerate(ImportJob.finish_writes(ID, ID, NOW, 0))},
    **{f"removing every import {n}": write for n, write in enumerate(ImportJob.delete_all_writes(ID))},
    "removing every mail": QueuedMail.delete_all_of(ID),
    "removing every token for one use": OneTimeToken.delete_all_of(ID),
    "changing an event": CHANGING[0],
    "removing every revision": Revision.delete_all_of(ID),
    "forgetting who made revisions": Revision.forgetting(ID),
    "forgetting who made events as they are": Event.forgetting(ID),
    "keeping what an event was on": Revision.reviving(REMOVAL),
    **{f"forgetting whose was gone {n}": write for n, write in enumerate(Tombstone.forgetting(ID))},
    "removing every event": Delete(Event, {"creator": ID}, many=True),
    "removing every first answer": Delete(IdempotentResponse, {"owner": ID}, many=True),
    **{f"forgetting in the audit {n}": write for n, write in enumerate(Audit.forgetting(ID))},
}


@pytest.mark.parametrize("what", READS)
def test_what_is_read_is_found_through_an_index(indexed: Database[Any], asked: list[Asked], what: str) -> None:
    try:
        asyncio.run(READS[what]())  # type: ignore[arg-type]
    except (TypeError, AssertionError):
        assert asked, "it failed before it asked"  # What comes after needs an answer.
    assert asked
    for one in asked:
        stages = explained(indexed, one)
        assert stages.by_index, stages.names


@pytest.mark.parametrize("what", WRITES)
def test_what_is_written_to_is_found_through_an_index(indexed: Database[Any], what: str) -> None:
    write = WRITES[what]
    assert not isinstance(write, Insert)
    stages = explained(indexed, Asked(collection_name(write.of), write.match))
    assert stages.by_index, stages.names

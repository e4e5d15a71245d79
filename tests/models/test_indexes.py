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
from models.accounts.closed_account import ClosedAccount
from models.accounts.export_job import ExportJob, ExportPart
from models.accounts.oidc_login import AuthorizationCode, OidcLoginAttempt
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import ProviderIdentity, User
from models.accounts.user_write_lock import UserWriteLock
from models.events.event import Event
from models.events.event_queries import find_events_by_uid
from models.events.event_writes import delete_some_events, update_event_writes
from models.events.revision import Revision
from models.events.tombstone import Tombstone
from models.files.feed import Feed
from models.files.import_chunk import ImportChunk
from models.files.import_counts import ImportCounts
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail
from models.people.busy_share import BusyShare
from models.shared.audit import AuditEntry
from models.shared.idempotent_response import IdempotentResponse
from models.shared.rate_limit_counter import RateLimitCounter
from tests.models.events.query_plans import Query, explain
from tests.support.documents import build_event_document

pytestmark = pytest.mark.real_server("the mock has no query plans")
ID, NOW = new_id(), datetime(2026, 5, 1, tzinfo=UTC)
IDENTITY: ProviderIdentity = {"issuer": "https://issuer.example", "subject": "ada"}
EVENT = build_event_document(ID)
DELETION = Revision(id=ID, event=ID, revision=3, creator=ID, at=NOW, act="deleted", expires_at=NOW)
CHANGING = update_event_writes(EVENT, EVENT.revise({Event.title: "Another"}, by=ID, now=NOW))


async def all_of(stored: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in stored]


READS: dict[str, Callable[[], Awaitable[Any]]] = {
    "an account by its address": lambda: User.by_login("Ada@Example.com"),
    "an account by its name": lambda: User.by_login("Ada"),
    "an account by who it is to a provider": lambda: User.by_identity(IDENTITY),
    "whether an account may act": lambda: User.find_status(ID),
    "the first accounts": lambda: User.find_oldest(None, 50),
    "further accounts": lambda: User.find_oldest(ID, 50),
    "a better hash": lambda: User.improve_password_hash(ID, "old", "new"),
    "the last revision of an event": lambda: Revision.find_latest(ID),
    "a revision of an event": lambda: Revision.find_revision(ID, 3),
    "the revisions of an event before one": lambda: all_of(Revision.iterate_before(ID, 3, 50)),
    "every revision of somebody's events": lambda: all_of(Revision.iterate_of_creator(ID)),
    "removals whose time is over": lambda: Revision.find_expired_deletions(NOW, 100),
    "what goes with them": lambda: DELETION.find_earlier_ids(500),
    "a session": lambda: Session.by_id(ID, NOW, ID),
    "a session by id": lambda: Session.by_id(ID, NOW),
    "a session that goes on": lambda: Session.rotate_refresh_token(ID, "old", "new", NOW, ""),
    "a session that is used": lambda: Session.record_use(ID, NOW),
    "the first sessions": lambda: Session.find_by_user(ID, NOW, None, 50),
    "further sessions": lambda: Session.find_by_user(ID, NOW, ID, 50),
    "a personal token": lambda: PersonalToken.by_digest("digest", NOW),
    "a personal token that is used": lambda: PersonalToken.record_use(ID, NOW),
    "the first personal tokens": lambda: PersonalToken.find_by_user(ID, NOW, None, 50),
    "further personal tokens": lambda: PersonalToken.find_by_user(ID, NOW, ID, 50),
    "a feed": lambda: Feed.by_digest("digest"),
    "a feed that is read": lambda: Feed.record_read(ID, NOW),
    "whether somebody has as many feeds as allowed": lambda: Feed.is_limit_reached(ID),
    "the first feeds": lambda: Feed.find_by_user(ID, None, 50),
    "further feeds": lambda: Feed.find_by_user(ID, ID, 50),
    "the audit": lambda: AuditEntry.find_newest(None, None, None, 50),
    "further audit": lambda: AuditEntry.find_newest(None, None, ID, 50),
    "the audit of an account": lambda: AuditEntry.find_newest(ID, None, ID, 50),
    "the audit of an event": lambda: AuditEntry.find_newest(None, "sign-in", ID, 50),
    "the audit of both": lambda: AuditEntry.find_newest(ID, "sign-in", None, 50),
    "a mail that is due": lambda: QueuedMail.claim(NOW),
    "a mail that is put off": lambda: QueuedMail.postpone(ID, NOW),
    "whether somebody shares free/busy": lambda: BusyShare.has_access(ID, ID),
    "whether somebody shares it with enough": lambda: BusyShare.is_limit_reached(ID),
    "the first shares": lambda: BusyShare.find_by_owner(ID, None, 50),
    "further shares": lambda: BusyShare.find_by_owner(ID, ID, 50),
    "the events with some UIDs": lambda: find_events_by_uid(ID, ["a@x", "b@x"]),
    "the deletion of a closed account that is due": lambda: ClosedAccount.lease_due(ID, NOW),
    "the deletion of a closed account whose lease is renewed": lambda: ClosedAccount.renew_lease(ID, ID, NOW),
    "the deletion of a closed account that is released": lambda: ClosedAccount.release_lease(ID, ID, NOW),
    "some events of a closed account": lambda: delete_some_events(ID, 500, NOW),
    "an export": lambda: ExportJob.by_id(ID, ID),
    "an export that is not finished": lambda: ExportJob.find_unfinished(ID),
    "an export that is due": lambda: ExportJob.lease_due(ID, NOW),
    "an export that is released": lambda: ExportJob.release_lease(ID, ID, NOW),
    "a part of an export": lambda: ExportPart.find_data(ID, 0),
    "an import": lambda: ImportJob.by_id(ID, ID),
    "the imports of a person": lambda: all_of(ImportJob.iterate_by_owner(ID)),
    "the dry runs that have kept their files": lambda: ImportJob.delete_dry_runs_writes(ID),
    "whether somebody has as many unfinished imports as allowed": lambda: ImportJob.is_limit_reached(ID),
    "the file of an import": lambda: ImportChunk.read_file(ID),
    "an import that is due": lambda: ImportJob.lease_due(ID, NOW),
    "an import whose lease is renewed": lambda: ImportJob.renew_lease(ID, ID, NOW),
    "an import that is released": lambda: ImportJob.release_lease(ID, ID, NOW),
    "the write lock of a user": lambda: UserWriteLock.by_user(ID),
    "a token for one use": lambda: OneTimeToken.find_valid("digest", "reset", NOW),
    "a sign-in at a provider": lambda: OidcLoginAttempt.find_pending("digest", "google", "browser", NOW),
    "an authorization code": lambda: AuthorizationCode.find_valid("digest", NOW),
    "a rate limit counter": lambda: RateLimitCounter.find_times("id"),
}

WRITES: dict[str, Write] = {
    "embedding an event": User.embed_event_write(ID, ID, NOW),
    "releasing an event": User.remove_event_write(ID, ID, NOW),
    "changing an account": User.update_write(ID, NOW, {}, match={User.revision: 1}),
    "counting a piece of a deletion": ClosedAccount.progress_write(ID, ID, NOW, 500),
    "ending an export": ExportJob.end_write(ID, ID, NOW, "done"),
    "removing the file of an export": ExportPart.delete_file_write(ID),
    **{f"removing every export {n}": write for n, write in enumerate(ExportJob.delete_all_writes(ID))},
    **{
        f"removing every export but one {n}": write
        for n, write in enumerate(ExportJob.delete_all_writes(ID, except_id=ID))
    },
    "finishing a deletion": ClosedAccount.finish_write(ID, ID),
    "ending a session": Session.delete_write(ID, ID),
    "ending every session": Session.delete_all_write(ID),
    "ending every session but one": Session.delete_all_write(ID, except_id=ID),
    "removing a personal token": PersonalToken.delete_write(ID, ID),
    "removing every personal token": PersonalToken.delete_all_write(ID),
    "removing a feed": Feed.delete_write(ID, ID),
    "removing every feed": Feed.delete_all_write(ID),
    "taking a share back": BusyShare.delete_write(ID, ID),
    "removing every share": BusyShare.delete_all_of_owner_write(ID),
    "removing every share of others": BusyShare.delete_all_of_reader_write(ID),
    "ending every attempt to link an identity": OidcLoginAttempt.delete_all_write(ID),
    "ending every authorization code": AuthorizationCode.delete_all_write(ID),
    "noting what became of some entries": ImportJob.progress_write(ID, ID, 0, ImportCounts()),
    **{f"finishing an import {n}": write for n, write in enumerate(ImportJob.finish_writes(ID, ID, NOW, 0))},
    "importing the file of a dry run": ImportJob.start_writes(ID, ID, NOW)[0],
    **{f"removing every import {n}": write for n, write in enumerate(ImportJob.delete_all_writes(ID))},
    "deleting every mail to a user": QueuedMail.delete_all_writes(ID, [])[0],
    "removing every token for one use": OneTimeToken.delete_all_write(ID),
    "changing an event": CHANGING[0],
    "removing every revision": Revision.delete_all_write(ID),
    "forgetting who made revisions": Revision.anonymize_write(ID),
    "forgetting who made events as they are": Event.anonymize_editor_write(ID),
    "keeping what an event was on": DELETION.undo_deletion_write(),
    **{f"forgetting whose was gone {n}": write for n, write in enumerate(Tombstone.anonymize_writes(ID))},
    "removing every event": Delete(Event, {"creator": ID}, many=True),
    "removing every first answer": IdempotentResponse.delete_all_write(ID),
    **{f"forgetting in the audit {n}": write for n, write in enumerate(AuditEntry.anonymize_writes(ID))},
}


@pytest.mark.parametrize("what", READS)
def test_every_read_uses_an_index(indexed: Database[Any], asked: list[Query], what: str) -> None:
    asyncio.run(READS[what]())  # type: ignore[arg-type]
    assert asked
    for one in asked:
        stages = explain(indexed, one)
        assert stages.uses_index, stages.names


@pytest.mark.parametrize("what", WRITES)
def test_every_write_finds_its_documents_by_an_index(indexed: Database[Any], what: str) -> None:
    write = WRITES[what]
    assert not isinstance(write, Insert)
    stages = explain(indexed, Query(collection_name(write.of), write.match))
    assert stages.uses_index, stages.names

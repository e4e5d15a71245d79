"""Whoever recovers an account by its address is left alone in it: every grant that there was is ended."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from database.commit import commit_atomically
from database.documents import StoredDocument
from database.queries import Id
from database.writes import Insert
from models import DOCUMENTS
from models.accounts.closed_account import ClosedAccount
from models.accounts.export_job import ExportJob, ExportPart
from models.accounts.oidc_login import AuthorizationCode, OidcLoginAttempt
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import User
from models.events.change_numbers import ChangeSequence, EventChange
from models.events.event import Event
from models.events.public_event_index import PublicEventIndex
from models.events.revision import Revision
from models.events.tombstone import Tombstone
from models.files.feed import Feed
from models.files.import_chunk import ImportChunk
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail
from models.people.busy_share import BusyShare
from models.shared.audit import AuditEntry
from models.shared.guard import Guard
from models.shared.heartbeat import Heartbeat
from models.shared.idempotent_response import IdempotentResponse
from models.shared.rate_limit_counter import RateLimitCounter
from models.shared.time_zone_version import TimeZoneVersion
from planner.services.accounts.grants import GRANT_FIELDS, GRANTS
from tests.services.accounts.test_oidc_login import ISSUER, account, somebody
from tests.support.clients import Person, Planner, ok, sign_in, sign_up
from tests.support.clocks import clock_of
from tests.support.mailbox import Mailbox
from tests.support.recovery import NEW_PASSWORD, assert_refused, order_recovery_token, reset_password, verify_email
from tests.support.services import database_of, services_of
from tests.support.stored_documents import name_of

# Documents by which nobody gets into an account, or at what belongs to it.
NO_GRANTS = frozenset(
    {
        # The account itself: its fields are judged one by one, below.
        User,
        # Which accounts are closed, and how much of them is deleted.
        ClosedAccount,
        # What belongs to an account, and how it was and is changed.
        Event,
        PublicEventIndex,
        Revision,
        Tombstone,
        EventChange,
        ChangeSequence,
        ImportJob,
        ImportChunk,
        ExportJob,
        ExportPart,
        # A mail gets its token when it is sent, and then only if the account still asks for it.
        QueuedMail,
        # What is known about accounts and requests. A stored response has no secret.
        AuditEntry,
        RateLimitCounter,
        IdempotentResponse,
        Guard,
        # By which rules of time zones something was computed.
        TimeZoneVersion,
        # Which processes run.
        Heartbeat,
    }
)
NO_GRANT_FIELDS = frozenset(
    {
        "id",
        "email",
        "email_key",
        "email_verified",
        "username",
        "username_key",
        "full_name",
        "time_zone",
        "role",
        "disabled",
        "recoveries",
        "events",
        "signed_in_at",
        "write_lock",
        "revision",
        "revision_id",
        "created_at",
        "updated_at",
    }
)
IDENTITY = {"issuer": "https://squatter.example.com", "subject": "squatter"}


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


def test_each_kind_of_document_is_on_the_list_of_grants_or_known_to_be_none() -> None:
    assert NO_GRANTS.isdisjoint(GRANTS)
    judged = NO_GRANTS | GRANTS.keys()
    unjudged = [document.__name__ for document in DOCUMENTS if document not in judged]
    assert unjudged == [], "is it a grant? then put it on the list in planner/services/accounts/grants.py"


def test_each_field_of_an_account_is_on_the_list_of_grants_or_known_to_be_none() -> None:
    unjudged = User.model_fields.keys() - NO_GRANT_FIELDS - {str(field) for field in GRANT_FIELDS}
    assert unjudged == set(), "is it a grant? then put it on the list in planner/services/accounts/grants.py"


async def make_link_attempt(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    now = clock_of(app).now()
    attempt = OidcLoginAttempt(
        id="x" * 64,
        provider="acme",
        browser="x" * 64,
        nonce="x" * 43,
        verifier="x" * 43,
        user=Id(squatter.id),
        redirect_uri=None,
        page_state=None,
        code_challenge=None,
        expires_at=now.replace(year=now.year + 1),
    )
    await commit_atomically([Insert(attempt)])


async def make_code(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    now = clock_of(app).now()
    code = AuthorizationCode(
        id="x" * 64,
        user=Id(squatter.id),
        provider="acme",
        redirect_uri="http://planner.test/",
        code_challenge="x" * 43,
        expires_at=now.replace(year=now.year + 1),
    )
    await commit_atomically([Insert(code)])


async def make_session(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    ok(await sign_in(squatter.api, squatter.email))


async def make_personal_token(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    ok(await squatter.post("/auth/tokens", json={"name": "script", "scopes": ["events:read"]}), 201)


async def make_feed(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    ok(await squatter.post("/feeds", json={"name": "phone"}), 201)


async def make_share(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    friend = await sign_up(squatter.api, "friend@example.com")
    ok(await squatter.put(f"/freebusy/shares/{friend.id}"), 204)


async def make_mailed_token(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    ok(await squatter.post("/auth/email/verification"), 202)
    assert await mailbox.deliver_due()


MAKERS: dict[type[StoredDocument], Callable[[Person, FastAPI, Mailbox], Awaitable[None]]] = {
    Session: make_session,
    PersonalToken: make_personal_token,
    Feed: make_feed,
    BusyShare: make_share,
    OneTimeToken: make_mailed_token,
    AuthorizationCode: make_code,
    OidcLoginAttempt: make_link_attempt,
}


async def make_every_grant(squatter: Person, app: FastAPI, mailbox: Mailbox) -> None:
    for make in MAKERS.values():
        await make(squatter, app, mailbox)
    ok(await squatter.patch("/users/me", json={"email": "squatter@example.com"}))
    await database_of(app)["users"].update_one({"_id": Id(squatter.id)}, {"$set": {"identities": [IDENTITY]}})


async def list_grants(app: FastAPI, user: str) -> dict[str, int]:
    """Return how many documents of each kind of grant an account has, and the fields that are grants."""
    database = database_of(app)
    found = {}
    for document in GRANTS:
        field = "owner" if document is BusyShare else "user"
        found[name_of(document)] = await database[name_of(document)].count_documents({field: Id(user)})
    return found


async def account_fields(app: FastAPI, user: str) -> dict[str, Any]:
    stored = await database_of(app)["users"].find_one({"_id": Id(user)})
    return {str(field): stored.get(str(field)) for field in GRANT_FIELDS}


async def test_a_reset_by_the_owner_of_the_address_ends_every_grant_of_a_squatter(
    ada: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    assert MAKERS.keys() == GRANTS.keys(), "a new kind of grant needs a way to make one"
    await make_every_grant(ada, app, mailbox)
    before = await list_grants(app, ada.id)
    assert all(before.values()), before
    reset = await order_recovery_token(ada.api, mailbox, ada)
    ok(await reset_password(ada.api, reset), 204)
    after = await list_grants(app, ada.id)
    assert not any(after.values()), after
    fields = await account_fields(app, ada.id)
    assert (fields["identities"], fields["pending_email"]) == ([], None)
    ok(await ada.get("/users/me"), 401)
    ok(await sign_in(ada.api, ada.email), 401)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))


async def test_a_reset_ends_the_grants_of_a_verified_account_too_and_of_no_other_account(
    ada: Person, ben: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    await database_of(app)["users"].update_many({}, {"$set": {"email_verified": True}})
    await make_personal_token(ben, app, mailbox)
    await make_feed(ben, app, mailbox)
    ok(await ben.put(f"/freebusy/shares/{ada.id}"), 204)
    untouched = await list_grants(app, ben.id)
    await make_feed(ada, app, mailbox)
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    assert not any((await list_grants(app, ada.id)).values())
    assert await list_grants(app, ben.id) == untouched


async def test_a_sign_in_with_a_provider_that_verified_the_address_ends_every_grant_of_a_squatter(
    ada: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    await make_every_grant(ada, app, mailbox)
    await mailbox.deliver_due()
    owner = await account(services_of(app).oidc_linking, somebody())
    assert str(owner.id) == ada.id and owner.email_verified
    assert not any((await list_grants(app, ada.id)).values())
    fields = await account_fields(app, ada.id)
    assert fields == {"password": None, "identities": [{"issuer": ISSUER, "subject": "1"}], "pending_email": None}
    ok(await ada.get("/users/me"), 401)
    ok(await sign_in(ada.api, ada.email), 401)
    told = await mailbox.deliver_only("Your password was removed")
    assert told["To"] == ada.email


async def test_a_sign_in_with_a_provider_to_an_account_whose_address_is_proved_ends_nothing(
    ada: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    ok(await verify_email(ada.api, await mailbox.verification_token()), 204)
    await make_feed(ada, app, mailbox)
    before = await list_grants(app, ada.id)
    await account(services_of(app).oidc_linking, somebody())
    assert await list_grants(app, ada.id) == before
    ok(await sign_in(ada.api, ada.email))
    assert await mailbox.deliver_due() == []


async def test_the_provider_of_a_squatter_opens_nothing_after_the_owner_has_verified_and_reset(
    api: Planner, app: FastAPI, mailbox: Mailbox
) -> None:
    """The squatter asks for the address of somebody else, who then has no way to give the account away."""
    linking = services_of(app).oidc_linking
    squatter = await account(linking, somebody("squatter", email="squatter@example.com"))
    await database_of(app)["users"].update_one({"_id": squatter.id}, {"$set": {"pending_email": "ada@example.com"}})
    ada = await sign_up(api, "ada@example.com")
    ok(await reset_password(api, await order_recovery_token(api, mailbox, ada)), 204)
    again = await account(linking, somebody("squatter", email="squatter@example.com"))
    assert (str(again.id) != ada.id, again.email) == (True, "squatter@example.com")


async def test_a_token_that_was_mailed_before_a_reset_proves_nothing_afterwards(ada: Person, mailbox: Mailbox) -> None:
    old = await mailbox.verification_token()
    ok(await reset_password(ada.api, await order_recovery_token(ada.api, mailbox, ada)), 204)
    assert_refused(await verify_email(ada.api, old, NEW_PASSWORD))

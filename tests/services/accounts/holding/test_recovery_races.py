"""Nobody whom a recovery has thrown out gets a grant after it, who began to get one before."""

import pytest
from fastapi import FastAPI

from auth.principal import Principal
from database.queries import Id
from models.accounts.personal_token import PersonalTokenCreate
from models.accounts.user import User
from models.files.feed_schema import FeedCreate
from planner.errors import InvalidToken, NotFound
from planner.services.shared.client_info import ClientInfo
from tests.support.clients import Person, ok, sign_in
from tests.support.mailbox import Mailbox
from tests.support.recovery import NEW_PASSWORD, order_recovery_token, reset_password
from tests.support.services import database_of, services_of

VISIT = ClientInfo("203.0.113.7", "a test")


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


async def recover(person: Person, mailbox: Mailbox) -> None:
    ok(await reset_password(person.api, await order_recovery_token(person.api, mailbox, person)), 204)


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "stored by an earlier version"])
async def test_a_sign_in_that_was_proved_before_a_recovery_opens_no_session_after_it(
    ada: Person, app: FastAPI, mailbox: Mailbox, is_old: bool
) -> None:
    if is_old:
        await database_of(app)["users"].update_many({}, {"$unset": {"recoveries": ""}})
    proved = await User.by_login(ada.email)
    assert proved is not None
    await services_of(app).sessions.open(proved, VISIT)
    for _ in range(2):
        await recover(ada, mailbox)
        with pytest.raises(NotFound):
            await services_of(app).sessions.open(proved, VISIT)
        ok(await sign_in(ada.api, ada.email, NEW_PASSWORD))


async def test_a_caller_whose_session_was_ended_by_a_recovery_gets_no_grant(
    ada: Person, ben: Person, app: FastAPI, mailbox: Mailbox
) -> None:
    """Each process knows its callers for a moment longer than their sessions go on."""
    services = services_of(app)
    session = await database_of(app)["sessions"].find_one({"user": Id(ada.id)})
    caller = Principal(Id(ada.id), "user", session=session["_id"])
    await recover(ada, mailbox)
    draft = PersonalTokenCreate(name="script", scopes=["events:read"])
    with pytest.raises(InvalidToken):
        await services.personal_tokens.create(caller, draft, VISIT, None)
    with pytest.raises(InvalidToken):
        await services.feeds.create(caller, FeedCreate(name="phone"), VISIT, None)
    await services.free_busy.create_share(caller, ben.id)
    for collection in ("personal_tokens", "feeds", "busy_shares"):
        assert await database_of(app)[collection].count_documents({}) == 0

"""Who is locked out by the wrong passwords of others gets in again."""

import pytest

from database.connection import bound_database
from planner.services.mail.transports import MailTransport
from planner.settings import Settings
from tests.services.shared.limited_requests import guess_passwords
from tests.support.clients import Person, ok, sign_in
from tests.support.mailbox import Mailbox


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": "on"})


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> MailTransport:
    return mailbox


async def test_recovering_an_account_unlocks_it(ada: Person, mailbox: Mailbox) -> None:
    await guess_passwords(ada.api, ada.email, 11)
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    new = {"token": await mailbox.recovery_token(), "password": "nine patient cranes"}
    ok(await ada.api.post("/auth/password/reset", json=new), 204)
    ok(await sign_in(ada.api, ada.email, new["password"]))


async def test_an_admin_unlocks_every_name_of_an_account(ada: Person, ben: Person) -> None:
    ok(await ada.patch("/users/me", json={"username": "Countess"}))
    await bound_database().handle["users"].update_one({"email_key": ben.email}, {"$set": {"role": "admin"}})
    for name in (ada.email, "countess"):
        await guess_passwords(ada.api, name, 11)
    ok(await ben.post(f"/users/{ada.id}/unlock"), 204)
    for name in (ada.email, "countess"):
        ok(await sign_in(ada.api, name))
    (entry,) = ok(await ben.get("/audit?event=unlocked"))["items"]
    assert (entry["account"], entry["actor"]) == (ada.id, ben.id)

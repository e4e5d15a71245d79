"""Changing a password takes the current one and revokes everything else."""

import httpx
import pytest

from tests.support.clients import PASSWORD, Person, bearer, ok, sign_in
from tests.support.mailbox import Mailbox
from tests.support.recovery import NEW_PASSWORD, assert_refused, order_recovery_token, reset_password, verify_email
from tests.support.sessions import refresh


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


async def change_password(person: Person, current: str = PASSWORD, new: str = NEW_PASSWORD) -> httpx.Response:
    return await person.post("/auth/password", json={"current_password": current, "new_password": new})


async def test_every_mailed_token_is_revoked_by_a_password_change(ada: Person, mailbox: Mailbox) -> None:
    verification, recovery = await mailbox.verification_token(), await order_recovery_token(ada.api, mailbox, ada)
    ok(await change_password(ada), 204)
    assert_refused(await verify_email(ada.api, verification))
    assert_refused(await reset_password(ada.api, recovery, "another quiet otter"))


async def test_changing_a_password_requires_the_current_one(ada: Person) -> None:
    ok(await change_password(ada, current="not my password"), 403)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD), 401)
    ok(await change_password(ada), 204)
    ok(await sign_in(ada.api, ada.email, NEW_PASSWORD), 200)
    ok(await sign_in(ada.api, ada.email), 401)


async def test_changing_a_password_revokes_every_other_session_at_once(ada: Person) -> None:
    other = ok(await sign_in(ada.api, ada.email))
    headers = bearer(other["access_token"])
    ok(await ada.api.get("/users/me", headers=headers))
    ok(await change_password(ada), 204)
    ok(await ada.api.get("/users/me", headers=headers), 401)
    assert ok(await refresh(ada.api, other["refresh_token"]), 400)["error"] == "invalid_grant"
    assert (await ada.me())["id"] == ada.id

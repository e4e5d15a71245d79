"""The requests that verify an address and set a new password."""

import httpx

from tests.support.clients import PASSWORD, Person, Planner, ok
from tests.support.mailbox import Mailbox

NEW_PASSWORD = "nine quiet otters"


async def verify_email(api: Planner, token: str, password: str | None = PASSWORD) -> httpx.Response:
    """Verify an address as the page that the mail links to does: without an access token."""
    return await api.post("/auth/email/verify", json={"token": token, "password": password})


async def forget_password(api: Planner, address: str) -> httpx.Response:
    return await api.post("/auth/password/forgot", json={"email": address})


async def reset_password(api: Planner, token: str, password: str = NEW_PASSWORD) -> httpx.Response:
    return await api.post("/auth/password/reset", json={"token": token, "password": password})


async def order_recovery_token(api: Planner, mailbox: Mailbox, person: Person) -> str:
    await mailbox.deliver_due()
    ok(await forget_password(api, person.email), 202)
    return await mailbox.recovery_token()


def assert_refused(response: httpx.Response, pointer: str = "/token") -> None:
    assert [error["pointer"] for error in ok(response, 422)["errors"]] == [pointer]

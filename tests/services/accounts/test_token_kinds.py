"""A token serves only as the kind of token that it is."""

import pytest

from auth.opaque_tokens import digest
from tests.support.clients import Person, ok
from tests.support.mailbox import Mailbox
from tests.support.recovery import order_recovery_token
from tests.support.sessions import Tokens, get_me, is_invalid_grant, is_invalid_token, refresh


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


async def test_no_other_kind_of_token_serves_as_an_access_token(ada: Person, tokens: Tokens, mailbox: Mailbox) -> None:
    personal = ok(await ada.post("/auth/tokens", json={"name": "one", "scopes": ["account:read"]}), 201)["token"]
    reset = await order_recovery_token(ada.api, mailbox, ada)
    others = [
        tokens["refresh_token"],
        reset,
        f"planner_pat_{reset}",
        f"{personal}x",
        personal.removeprefix("planner_pat_"),
        digest(personal),
        digest(tokens["refresh_token"]),
        "",
    ]
    for token in others:
        answer = await get_me(ada.api, token)
        assert answer.status_code == 401, token
        assert not token or is_invalid_token(answer)


async def test_no_other_kind_of_token_serves_as_a_refresh_token(ada: Person, tokens: Tokens, mailbox: Mailbox) -> None:
    personal = ok(await ada.post("/auth/tokens", json={"name": "one", "scopes": ["account:read"]}), 201)["token"]
    reset = await order_recovery_token(ada.api, mailbox, ada)
    for token in (tokens["access_token"], personal, reset, digest(tokens["refresh_token"]), "x"):
        assert is_invalid_grant(await refresh(ada.api, token))
    ok(await refresh(ada.api, tokens["refresh_token"]))

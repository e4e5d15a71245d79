"""A token serves only as the kind of token that it is."""

import asyncio
import re

from fastapi import FastAPI

from auth.opaque_tokens import digest
from planner.settings import Settings
from tests.support.clients import Person, ok
from tests.support.sessions import Tokens, get_me, is_invalid_grant, is_invalid_token, refresh


async def mailed_token(app: FastAPI, settings: Settings) -> str:
    """The token of the recovery mail that is on its way."""
    outbox = settings.data_dir / "outbox"
    for _ in range(1000):
        await app.state.mailing.send_due()
        for mail in outbox.glob("*.eml"):
            if found := re.search(
                r"reset-password#token=([\w-]+)", mail.read_text().replace("=\n", "").replace("=3D", "=")
            ):
                return found[1]
        await asyncio.sleep(0.01)
    raise AssertionError("no mail")


async def test_no_other_kind_of_token_serves_as_an_access_token(
    app: FastAPI, settings: Settings, ada: Person, tokens: Tokens
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    personal = ok(await ada.post("/auth/tokens", json={"name": "one", "scopes": ["account:read"]}), 201)["token"]
    reset = await mailed_token(app, settings)
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


async def test_no_other_kind_of_token_serves_as_a_refresh_token(
    app: FastAPI, settings: Settings, ada: Person, tokens: Tokens
) -> None:
    ok(await ada.api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    personal = ok(await ada.post("/auth/tokens", json={"name": "one", "scopes": ["account:read"]}), 201)["token"]
    reset = await mailed_token(app, settings)
    for token in (tokens["access_token"], personal, reset, digest(tokens["refresh_token"]), "x"):
        assert is_invalid_grant(await refresh(ada.api, token))
    ok(await refresh(ada.api, tokens["refresh_token"]))

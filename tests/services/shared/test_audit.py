"""The audit: what happened to accounts, who did it, when and from where, and never a secret."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from models.shared.audit import AuditEntry
from planner.settings import Settings
from tests.support.clients import PASSWORD, Person, Planner, bearer, ok, sign_in, sign_up
from tests.support.clocks import MovableClock
from tests.support.mailbox import Mailbox, token_in
from tests.support.services import database_of
from tests.support.sessions import refresh
from tests.support.stored_data import read_all_documents

NEW_PASSWORD = "nine quiet otters"
WRONG = "not the password at all"
ADDRESS = "203.0.113.7"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limits": "on", "audit_days": 7})


@pytest.fixture
def mail_transport(mailbox: Mailbox) -> Mailbox:
    return mailbox


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Planner]:
    """A client at an address that the audit is to note."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(ADDRESS, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as client:
        yield client


async def notes(app: FastAPI) -> list[dict[str, Any]]:
    """Everything that is noted, the oldest first."""
    return (await read_all_documents(database_of(app))).get("audit", [])


class Noted:
    """What was noted since it was last asked."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._seen: set[Any] = set()

    async def new(self) -> list[tuple[str, str | None, str | None, str | None]]:
        fresh = [note for note in await notes(self._app) if note["_id"] not in self._seen]
        self._seen |= {note["_id"] for note in fresh}
        return [
            (
                note["event"],
                note["account"] and str(note["account"]),
                note["actor"] and str(note["actor"]),
                note["address"],
            )
            for note in fresh
        ]


async def test_every_event_of_an_account_is_recorded_with_account_actor_and_address(
    app: FastAPI, api: Planner, admin: Person, mailbox: Mailbox
) -> None:
    noted = Noted(app)
    await noted.new()

    ada = await sign_up(api, "ada@example.com")
    by_ada = (ada.id, ada.id, ADDRESS)
    assert await noted.new() == [("sign-up", *by_ada), ("sign-in", *by_ada)]

    (verification,) = [mail for mail in await mailbox.deliver_due() if mail["To"] == ada.email]
    token = token_in(verification)
    ok(await api.post("/auth/email/verify", json={"token": token, "password": PASSWORD}), 204)
    assert await noted.new() == [("email-verified", *by_ada)]

    ok(await sign_in(api, ada.email, WRONG), 401)
    ok(await sign_in(api, "nobody@example.com", WRONG), 401)
    assert await noted.new() == [("sign-in-failed", ada.id, None, ADDRESS), ("sign-in-failed", None, None, ADDRESS)]

    tokens = ok(await sign_in(api, ada.email))
    newer = ok(await refresh(api, tokens["refresh_token"]))
    ok(await refresh(api, newer["refresh_token"]))
    await noted.new()
    ok(await refresh(api, tokens["refresh_token"]), 400)
    assert await noted.new() == [("refresh-reuse", ada.id, None, ADDRESS)]

    body = {"name": "script", "scopes": ["account:read"]}
    first, second = [ok(await ada.post("/auth/tokens", json=body), 201) for _ in range(2)]
    ok(await ada.delete(f"/auth/tokens/{first['id']}"), 204)
    ok(await api.post("/auth/revoke", data={"token": second["token"]}))
    assert await noted.new() == [
        ("token-created", *by_ada),
        ("token-created", *by_ada),
        ("token-removed", *by_ada),
        ("token-revoked", ada.id, None, ADDRESS),
    ]

    other = ok(await sign_in(api, ada.email))
    headers = bearer(other["access_token"])
    ok(await api.post("/auth/signout", headers=headers), 204)
    ok(await ada.delete("/auth/sessions"), 204)
    assert [event for event, *_ in await noted.new()] == ["sign-in", "sign-out", "sessions-ended"]

    change = {"current_password": WRONG, "new_password": NEW_PASSWORD}
    ok(await ada.post("/auth/password", json=change), 403)
    ok(await ada.post("/auth/password", json=change | {"current_password": PASSWORD}), 204)
    assert await noted.new() == [("password-refused", *by_ada), ("password-changed", *by_ada)]

    ok(await api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    assert await noted.new() == [("password-forgotten", None, None, ADDRESS)]
    recovery = await mailbox.recovery_token()
    ok(await api.post("/auth/password/reset", json={"token": recovery, "password": PASSWORD}), 204)
    assert await noted.new() == [("password-reset", ada.id, None, ADDRESS)]

    for change_ in ({"role": "moderator"}, {"disabled": True}):
        ok(await admin.patch(f"/users/{ada.id}", json=change_))
    assert await noted.new() == [
        ("role-changed", ada.id, admin.id, ADDRESS),
        ("disabled-changed", ada.id, admin.id, ADDRESS),
    ]
    assert [note["detail"] for note in await notes(app)][-2:] == ["to moderator", "to True"]


async def test_a_takedown_and_a_changed_address_are_recorded(app: FastAPI, admin: Person, ada: Person) -> None:
    event = await ada.event(visibility="public")
    noted = Noted(app)
    await noted.new()
    ok(await ada.patch("/users/me", json={"email": "countess@example.com"}))
    ok(await admin.put(f"/events/{event['id']}/takedown", json={"reason": "It advertises something else."}))
    ok(await admin.delete(f"/events/{event['id']}/takedown"))
    assert await noted.new() == [
        ("email-change-requested", ada.id, ada.id, ADDRESS),
        ("event-taken-down", ada.id, admin.id, ADDRESS),
        ("event-restored", ada.id, admin.id, ADDRESS),
    ]


async def test_reaching_the_limit_of_wrong_passwords_is_recorded_once(app: FastAPI, ada: Person) -> None:
    noted = Noted(app)
    await noted.new()
    for _ in range(10):
        ok(await sign_in(ada.api, ada.email, WRONG), 401)
    for _ in range(3):
        ok(await sign_in(ada.api, ada.email), 429)
    events = await noted.new()
    assert [event for event, *_ in events] == ["sign-in-failed"] * 10 + ["sign-in-locked"]
    assert events[-1] == ("sign-in-locked", ada.id, None, ADDRESS)


async def test_reaching_the_limit_of_wrong_passwords_while_signed_in_is_recorded(app: FastAPI, ada: Person) -> None:
    noted = Noted(app)
    await noted.new()
    change = {"current_password": WRONG, "new_password": NEW_PASSWORD}
    for _ in range(10):
        ok(await ada.post("/auth/password", json=change), 403)
    ok(await ada.post("/auth/password", json=change | {"current_password": PASSWORD}), 429)
    assert [event for event, *_ in await noted.new()] == ["password-refused"] * 10 + ["sign-in-locked"]


async def test_the_audit_contains_no_secret_of_any_request_or_response(
    app: FastAPI, api: Planner, admin: Person, mailbox: Mailbox
) -> None:
    ada = await sign_up(api, "ada@example.com")
    (mail,) = [mail for mail in await mailbox.deliver_due() if mail["To"] == ada.email]
    verification = token_in(mail)
    secrets = [PASSWORD, WRONG, NEW_PASSWORD, ada.token, admin.token, verification]
    ok(await sign_in(api, ada.email, WRONG), 401)
    ok(await sign_in(api, WRONG, WRONG), 401)  # A password typed into the wrong field.
    ok(await api.post("/auth/token", data={"grant_type": "password", "username": WRONG, "password": WRONG}), 400)
    ok(await api.post("/auth/email/verify", json={"token": verification, "password": PASSWORD}), 204)
    tokens = ok(await sign_in(api, ada.email))
    fresh = ok(await refresh(api, tokens["refresh_token"]))
    ok(await refresh(api, fresh["refresh_token"]))
    ok(await refresh(api, tokens["refresh_token"]), 400)
    body = {"name": "script", "scopes": ["account:read"]}
    personal = ok(await ada.post("/auth/tokens", json=body), 201)["token"]
    ok(await api.post("/auth/revoke", data={"token": personal}))
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    ok(await ada.post("/auth/password", json=change | {"current_password": WRONG}), 403)
    ok(await ada.post("/auth/password", json=change), 204)
    ok(await api.post("/auth/password/forgot", json={"email": ada.email}), 202)
    recovery = await mailbox.recovery_token()
    ok(await api.post("/auth/password/reset", json={"token": recovery, "password": PASSWORD}), 204)
    secrets += [tokens["refresh_token"], tokens["access_token"], fresh["refresh_token"], personal, recovery]

    stored = await notes(app)
    assert len(stored) > 12
    for secret in secrets:
        assert secret not in repr(stored)
    answered = (await admin.get("/audit?limit=200")).text
    assert not [secret for secret in secrets if secret in answered]


async def test_times_in_the_audit_are_in_utc(clock: MovableClock, admin: Person) -> None:
    item = ok(await admin.get("/audit?limit=1"))["items"][0]
    assert item["at"].endswith("Z")
    assert datetime.fromisoformat(item["at"]) == clock.now()


async def test_the_audit_is_paged_newest_first_and_new_entries_skip_or_repeat_nothing(
    app: FastAPI, admin: Person
) -> None:
    for _ in range(7):
        ok(await sign_in(admin.api, "nobody@example.com", WRONG), 401)
    expected = [str(note["_id"]) for note in await notes(app)][::-1]
    seen, path = [], "/audit?limit=3"
    while path:
        page = ok(await admin.get(path))
        seen += [item["id"] for item in page["items"]]
        path = f"/audit?limit=3&cursor={page['next']}" if page["next"] else ""
        ok(await sign_in(admin.api, "somebody.else@example.com", WRONG), 401)
    assert seen == expected
    times = [item["at"] for item in ok(await admin.get("/audit?limit=200"))["items"]]
    assert times == sorted(times, reverse=True)


async def test_the_audit_can_be_asked_about_one_account_or_one_kind_of_event(admin: Person, ada: Person) -> None:
    about = ok(await admin.get(f"/audit?account={ada.id}"))["items"]
    assert [item["event"] for item in about] == ["sign-in", "sign-up"]
    assert {item["account"] for item in about} == {ada.id}
    kinds = ok(await admin.get("/audit?event=sign-up"))["items"]
    assert [item["account"] for item in kinds] == [ada.id, admin.id]
    ok(await admin.get("/audit?account=nobody"), 422)


async def test_only_admins_read_the_audit(admin: Person, ada: Person, ben: Person) -> None:
    ok(await admin.patch(f"/users/{ben.id}", json={"role": "moderator"}))
    for person in (ada, ben):
        ok(await person.get("/audit"), 403)
    ok(await ada.api.get("/audit"), 401)


async def test_audit_entries_expire_after_the_configured_days(app: FastAPI, ada: Person) -> None:
    recorded = await notes(app)
    assert recorded
    for note in recorded:
        assert note["expires_at"] - note["at"] == timedelta(days=7)
    indexes = await database_of(app)[AuditEntry.get_settings().name].index_information()
    assert indexes["expired"]["expireAfterSeconds"] == 0
    assert list(indexes["expired"]["key"]) == [("expires_at", 1)]

"""What moderators and admins do with a browser."""

import html
import re

import pytest
from fastapi import FastAPI

from auth.principal import Principal
from models.accounts.account_requests import AccountPatch
from planner.services.shared.client_info import ClientInfo
from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import Person, ok, sign_in
from tests.support.services import services_of


async def make_admin(app: FastAPI, person: Person) -> Principal:
    services = services_of(app)
    user = await services.administration.make_admin(person.email)
    assert user is not None
    services.principals.forget_user(user.id)
    return Principal(user.id, "admin")


@pytest.fixture
async def admin(app: FastAPI, browser: Browser, ada: Person) -> Browser:
    """The browser of Ada, who is an admin."""
    await make_admin(app, ada)
    return browser


@pytest.fixture
async def moderator(app: FastAPI, admin: Browser, ada: Person, ben: Person) -> Browser:
    """The browser of Ada, who is a moderator, and no admin any more."""
    other, patch = await make_admin(app, ben), AccountPatch(role="moderator")
    await services_of(app).administration.update_account(other, ada.id, patch, None, ClientInfo("::1", "a test"))
    return admin


@pytest.mark.parametrize("page", ["", "/events", "/taken-down", "/audit", "/accounts/692000000000000000000001"])
async def test_the_pages_are_only_for_moderators(stranger: Browser, ada: Person, page: str) -> None:
    assert (await stranger.open(f"/admin{page}")).status_code == 303
    await stranger.sign_in(ada)
    refused = await stranger.open(f"/admin{page}")
    assert refused.status_code == 403
    assert "Administration" not in text_of(refused)


async def test_accounts_are_found_by_the_beginning_of_their_names(admin: Browser, ben: Person) -> None:
    everybody = await admin.open("/admin")
    assert "ada@example.com" in everybody.text and "ben@example.com" in everybody.text
    found = await admin.open("/admin?q=BEN")
    assert "ada@example.com" not in text_of(found)
    assert f'href="/admin/accounts/{ben.id}"' in found.text
    assert "No account" in text_of(await admin.open("/admin?q=nobody"))
    assert (await admin.open("/admin?cursor=x")).status_code == 422


async def test_an_admin_changes_a_role_and_disables_an_account(admin: Browser, ben: Person) -> None:
    address = f"/admin/accounts/{ben.id}"
    saved = await admin.submit(await admin.open(address), address, role="moderator", disabled="on")
    assert "Saved." in text_of(await admin.follow(saved))
    assert (await ben.get("/users/me")).status_code == 401
    assert (await sign_in(ben.api, ben.email)).status_code == 401
    await admin.follow(await admin.submit(await admin.open(address), address, disabled=None))
    ok(await sign_in(ben.api, ben.email))


async def test_an_account_that_was_changed_meanwhile_is_not_overwritten(admin: Browser, ben: Person) -> None:
    address = f"/admin/accounts/{ben.id}"
    page = await admin.open(address)
    ok(await ben.patch("/users/me", json={"full_name": "Ben"}))
    assert (await admin.submit(page, address, role="admin")).status_code == 412


async def test_the_last_admin_stays_one(admin: Browser, ada: Person) -> None:
    address = f"/admin/accounts/{ada.id}"
    refused = await admin.submit(await admin.open(address), address, role="user")
    assert refused.status_code == 409
    assert "last admin" in text_of(refused)


@pytest.mark.parametrize("act", ["unlock", "end-sessions", "verification"])
async def test_an_admin_helps_somebody_to_get_in_or_out(admin: Browser, ben: Person, act: str) -> None:
    address = f"/admin/accounts/{ben.id}"
    done = await admin.submit(await admin.open(address), f"{address}/{act}")
    assert (await admin.follow(done)).status_code == 200
    assert (await ben.get("/users/me")).status_code == (401 if act == "end-sessions" else 200)


async def test_an_admin_deletes_an_account(admin: Browser, ben: Person) -> None:
    address = f"/admin/accounts/{ben.id}"
    gone = await admin.submit(await admin.open(address), f"{address}/delete")
    assert "was deleted" in text_of(await admin.follow(gone))
    assert (await admin.open(address)).status_code == 404


async def test_a_moderator_reads_accounts_and_changes_none(moderator: Browser, ben: Person) -> None:
    page = await moderator.open(f"/admin/accounts/{ben.id}")
    assert page.status_code == 200
    assert "<select" not in page.text
    token = fields_of(page, "/signout")["form_token"]
    for act in ("", "/unlock", "/end-sessions", "/verification", "/delete"):
        address = f"/admin/accounts/{ben.id}{act}"
        refused = await moderator.client.post(address, data={"form_token": token, "role": "user"})
        assert refused.status_code == 403
    ok(await ben.get("/users/me"))


async def test_a_moderator_takes_a_public_event_down_and_lifts_it(moderator: Browser, ben: Person) -> None:
    event = await ben.event(title="<b>Buy</b> now", visibility="public")
    listed = await moderator.open("/admin/events")
    assert "&lt;b&gt;Buy&lt;/b&gt; now" in listed.text
    address = f"/admin/events/{event['id']}"
    empty = await moderator.submit(await moderator.open(address), f"{address}/takedown", reason="")
    assert empty.status_code == 422
    taken = await moderator.submit(await moderator.open(address), f"{address}/takedown", reason="It advertises.")
    shown = await moderator.follow(taken)
    assert "was taken down" in text_of(shown)
    assert ok(await ben.get(f"/events/{event['id']}"))["takedown"]["reason"] == "It advertises."
    assert "no such public event" in text_of(await moderator.open("/admin/events"))
    listed = await moderator.open("/admin/taken-down")
    assert f'href="{address}"' in listed.text and "It advertises." in text_of(listed)
    lifted = await moderator.follow(await moderator.submit(shown, f"{address}/lift"))
    assert "The takedown was lifted." in text_of(lifted) and "No event is taken down." in text_of(lifted)
    assert ok(await ben.get(f"/events/{event['id']}")).get("takedown") is None


async def test_public_events_are_searched(moderator: Browser, ben: Person) -> None:
    await ben.event(title="Concert", visibility="public")
    await ben.event(title="Lecture", visibility="public")
    found = text_of(await moderator.open("/admin/events?q=concert"))
    assert "Concert" in found and "Lecture" not in found


async def test_the_next_page_of_a_list_is_filtered_as_the_first_one(moderator: Browser, ben: Person) -> None:
    await ben.event(title="Another title", visibility="public")
    for number in range(51):
        await ben.event(title=f"Concert & choir {number}", visibility="public")
    first = await moderator.open("/admin/events?q=concert+%26+choir")
    (link,) = re.findall(r'href="(/admin/events\?cursor=[^"]+)"', first.text)
    second = await moderator.open(html.unescape(link))
    listed = [re.findall(r"Concert &amp; choir \d+", page.text) for page in (first, second)]
    assert [len(titles) for titles in listed] == [50, 1]
    assert len({*listed[0], *listed[1]}) == 51
    assert "Another title" not in second.text and "?cursor=" not in second.text


async def test_the_audit_log_is_read_page_by_page(admin: Browser, ben: Person) -> None:
    page = await admin.open("/admin/audit")
    assert "sign-up" in text_of(page)
    of_ben = await admin.open(f"/admin/audit?account={ben.id}&event=sign-in")
    assert "sign-up" not in text_of(of_ben)
    assert "sign-in" in text_of(of_ben)
    assert (await admin.open("/admin/audit?account=x")).status_code == 422


async def test_the_audit_log_is_only_for_admins(moderator: Browser) -> None:
    assert (await moderator.open("/admin/audit")).status_code == 403
    assert "/admin/audit" not in (await moderator.open("/admin")).text

"""A file is imported with a browser: its dry run first."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.routes.pages.browsing import ORIGIN, Browser, fields_of, text_of
from tests.support.clients import Person, ok
from tests.support.services import services_of

pytestmark = pytest.mark.usefixtures("without_background_work")


def calendar(*entries: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tests//EN", *entries, "END:VCALENDAR", ""])


def entry(uid: str, *lines: str) -> str:
    head = ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T090000Z", "DTSTART:20261201T180000Z")
    return "\r\n".join([*head, *lines, "END:VEVENT"])


LAUNCH = calendar(entry("launch@example.com", "SUMMARY:Book launch"))


async def upload(browser: Browser, content: str | bytes, headers: Any = None, **fields: str) -> httpx.Response:
    """Choose a file on the page, and send the form."""
    page = fields_of(await browser.open("/import"), "/import")
    sent = {name: value for name, value in page.items() if name and name != "file"} | fields
    file = content.encode() if isinstance(content, str) else content
    return await browser.client.post(
        "/import", data=sent, files={"file": ("old.ics", file)}, headers=headers or {"Origin": ORIGIN}
    )


async def events_of(person: Person) -> Any:
    return ok(await person.get("/events"))["items"]


async def run_jobs(app: FastAPI) -> None:
    await services_of(app).import_jobs.run_due()


async def test_a_file_is_imported_after_its_dry_run_was_seen(app: FastAPI, browser: Browser, ada: Person) -> None:
    chosen = await upload(browser, LAUNCH)
    waiting = await browser.follow(chosen)
    assert "<progress" in waiting.text
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    await run_jobs(app)
    address = chosen.headers["location"]
    preview = await browser.open(address)
    assert "what the import would do" in text_of(preview)
    assert "New events 1" in text_of(preview)
    assert await events_of(ada) == []
    started = await browser.submit(preview, address)
    assert "<progress" in (await browser.follow(started)).text
    await run_jobs(app)
    done = await browser.open(address)
    assert "The file is imported" in text_of(done)
    assert [event["title"] for event in await events_of(ada)] == ["Book launch"]


async def test_an_import_that_is_started_twice_is_done_once(app: FastAPI, browser: Browser, ada: Person) -> None:
    address = (await upload(browser, LAUNCH)).headers["location"]
    await run_jobs(app)
    preview = await browser.open(address)
    await browser.submit(preview, address)
    again = await browser.submit(preview, address)
    assert again.headers["location"] == address
    await run_jobs(app)
    await browser.submit(preview, address)
    assert "The file is imported" in text_of(await browser.open(address))
    assert len(await events_of(ada)) == 1


async def test_what_is_not_imported_or_otherwise_is_said_before_anything_is_changed(
    app: FastAPI, browser: Browser
) -> None:
    broken = entry("<b>broken</b>@example.com", "SUMMARY:Broken", "RRULE:FREQ=SOMETIMES")
    odd = entry("odd@example.com", "SUMMARY:Odd", "DURATION:some time")
    address = (await upload(browser, calendar(broken, odd))).headers["location"]
    await run_jobs(app)
    shown = await browser.open(address)
    assert "Imported otherwise than the file says odd@example.com" in text_of(shown)
    assert "<b>broken" not in shown.text
    assert "&lt;b&gt;broken" in shown.text


async def test_times_without_a_zone_are_those_of_the_chosen_zone(app: FastAPI, browser: Browser, ada: Person) -> None:
    file = LAUNCH.replace("DTSTART:20261201T180000Z", "DTSTART:20261201T180000")
    address = (await upload(browser, file, time_zone="Asia/Tokyo")).headers["location"]
    await run_jobs(app)
    await browser.submit(await browser.open(address), address)
    await run_jobs(app)
    assert [event["time_zone"] for event in await events_of(ada)] == ["Asia/Tokyo"]


async def test_entries_that_overlap_are_left_out_if_one_asks_for_it(
    app: FastAPI, browser: Browser, ada: Person
) -> None:
    await ada.event(title="Dinner", start="2026-12-01T17:00:00Z", end="2026-12-01T20:00:00Z")
    file = calendar(entry("launch@example.com", "SUMMARY:Book launch", "DURATION:PT1H"))
    address = (await upload(browser, file, reject_conflicts="on")).headers["location"]
    await run_jobs(app)
    assert "Not imported 1" in text_of(await browser.open(address))


@pytest.mark.parametrize(
    ("content", "reason"), [("", "is not chosen"), ("no calendar at all", "could not be imported")]
)
async def test_a_file_that_is_none_is_said_in_words(app: FastAPI, browser: Browser, content: str, reason: str) -> None:
    page = await upload(browser, content)
    await run_jobs(app)
    if page.status_code == 303:
        page = await browser.follow(page)
    assert reason in text_of(page)


async def test_a_wrong_zone_stands_beside_its_field(browser: Browser) -> None:
    refused = await upload(browser, LAUNCH, time_zone="Mars/Olympus")
    assert refused.status_code == 422
    assert 'id="time_zone-error"' in refused.text


async def test_a_file_that_is_too_large_is_refused_with_a_page(browser: Browser) -> None:
    refused = await upload(browser, b"X" * (21 * 1024 * 1024))
    assert refused.status_code == 413
    assert "<h1>" in refused.text


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_file_from_another_website_is_refused(browser: Browser, headers: Any) -> None:
    assert (await upload(browser, LAUNCH, headers)).status_code == 403


async def test_a_file_without_the_token_of_the_form_is_refused(browser: Browser) -> None:
    assert (await upload(browser, LAUNCH, form_token="x")).status_code == 403


async def test_a_form_that_is_no_upload_is_refused_with_a_page(browser: Browser) -> None:
    plain = await browser.client.post("/import", data={"form_token": "x"}, headers={"Origin": ORIGIN})
    assert plain.status_code == 415
    headers = {"Origin": ORIGIN, "Content-Type": "multipart/form-data; boundary=x"}
    broken = await browser.client.post("/import", content=b"--y\r\nnothing", headers=headers)
    assert broken.status_code in (400, 403)


async def test_nobody_sees_or_starts_the_imports_of_others(
    app: FastAPI, browser: Browser, stranger: Browser, ben: Person
) -> None:
    address = (await upload(browser, LAUNCH)).headers["location"]
    await run_jobs(app)
    page = await browser.open(address)
    await stranger.submit(page, "/signout")
    await stranger.sign_in(ben)
    assert (await stranger.open(address)).status_code == 404
    shown = await stranger.open("/import")
    token = fields_of(shown, "/import")["form_token"]
    sent = await stranger.client.post(address, data={"form_token": token}, headers={"Origin": ORIGIN})
    assert sent.status_code == 404


async def test_only_the_latest_dry_run_keeps_its_file(app: FastAPI, browser: Browser) -> None:
    first = (await upload(browser, LAUNCH)).headers["location"]
    await run_jobs(app)
    second = (await upload(browser, LAUNCH)).headers["location"]
    await run_jobs(app)
    assert (await browser.open(first)).status_code == 404
    assert (await browser.open(second)).status_code == 200

"""Feeds and the calendar as a file, with a browser."""

import html
import re

from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import Person, ok


async def create(browser: Browser, **fields: str) -> tuple[str, str]:
    """Create a feed, and return the page with it and its address."""
    created = await browser.submit(await browser.open("/feeds"), "/feeds", **{"name": "On my phone"} | fields)
    assert created.status_code == 200
    (url,) = re.findall(r'value="(http[^"]+\.ics)"', created.text)
    return created.text, html.unescape(url)


async def test_the_address_of_a_feed_is_shown_once_with_a_qr_code(browser: Browser, ada: Person) -> None:
    await ada.event(title="Book launch", start="2026-12-01T18:00:00Z")
    page, url = await create(browser)
    assert '<img class="qr" src="data:image/svg+xml' in page
    assert f'href="webcal{url.removeprefix("http")}"' in page
    assert "Only this computer" not in page
    assert "Book launch" in (await ada.api.get(url)).text
    listed = await browser.open("/feeds")
    assert "On my phone" in text_of(listed)
    assert "planner_feed_" not in listed.text


async def test_a_feed_that_is_deleted_stops_working(browser: Browser, ada: Person) -> None:
    _, url = await create(browser)
    (feed,) = ok(await ada.get("/feeds"))["items"]
    gone = await browser.submit(await browser.open("/feeds"), f"/feeds/{feed['id']}/delete")
    assert "was deleted" in text_of(await browser.follow(gone))
    assert (await ada.api.get(url)).status_code == 404


async def test_a_page_with_a_new_feed_can_be_loaded_again_without_another_one(browser: Browser, ada: Person) -> None:
    form = await browser.open("/feeds")
    pages = [await browser.submit(form, "/feeds", name="On my phone", scope="all", tag="books") for _ in range(2)]
    addresses = [re.findall(r'value="(http[^"]+\.ics)"', page.text) for page in pages]
    assert addresses[0] == addresses[1]
    (feed,) = ok(await ada.get("/feeds"))["items"]
    assert (feed["scope"], feed["tag"]) == ("all", "books")


async def test_a_feed_needs_a_name(browser: Browser) -> None:
    refused = await browser.submit(await browser.open("/feeds"), "/feeds", name="", tag="books")
    assert refused.status_code == 422
    assert 'id="name-error"' in refused.text
    assert fields_of(refused, "/feeds")["tag"] == "books"


async def test_the_calendar_is_downloaded_as_a_file(browser: Browser, ada: Person) -> None:
    await ada.event(title="Book launch", start="2026-12-01T18:00:00Z")
    file = await browser.open("/export/events.ics")
    assert file.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "attachment" in file.headers["content-disposition"]
    assert "SUMMARY:Book launch" in file.text

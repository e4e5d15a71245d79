"""Search as a page: words, tag, place, time, and whose events."""

import re
from html import unescape

import httpx
import pytest

from tests.support.clients import Person


def titles_of(page: httpx.Response) -> list[str]:
    found = re.findall(r'<li>\s*<a href="/events/\w+"[^>]*>(.*?)</a>', page.text, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", title)) for title in found]


@pytest.fixture
async def events(ada: Person, ben: Person) -> None:
    zone = {"time_zone": "Europe/Berlin"}
    place = {"geo": {"lat": 52.52, "lon": 13.405}}
    await ada.event(title="Book launch", start="2026-12-01T18:00:00", end="2026-12-01T20:00:00", **zone, **place)
    await ada.event(title="Book club", start="2026-12-31T23:30:00", tags=["Reading"], status="cancelled", **zone)
    await ada.event(title="Idea for a book")
    await ada.event(title="Choir", start="2026-12-01", end="2026-12-03", recurrence={"rrule": "FREQ=WEEKLY"})
    await ben.event(title="Book fair", start="2026-12-05T09:00:00Z", visibility="public", tags=["reading"])
    await ben.event(title="Secret book", start="2026-12-05T09:00:00Z")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=book", {"Book launch", "Cancelled: Book club", "Idea for a book"}),
        ("q=book+-club&scope=all", {"Book launch", "Idea for a book", "Book fair"}),
        ("q=book&scope=public", {"Book fair"}),
        ("tag=reading&scope=all", {"Cancelled: Book club", "Book fair"}),
        ("near=52.5,13.4&km=5", {"Book launch"}),
        ("near=52.5,+13.4", {"Book launch"}),
        ("near=48,11&km=5", set()),
        ("from=2026-12-31&to=2026-12-31&q=book", {"Cancelled: Book club"}),
        ("from=2027-01-01&to=2027-01-02&q=book", set()),
        ("to=2026-12-02", {"Book launch", "Choir"}),
        ("q=nothing+like+it", set()),
    ],
)
@pytest.mark.usefixtures("events")
@pytest.mark.real_server("searches by words and by place")
async def test_events_are_found_by_words_tag_place_time_and_whose_they_are(
    browser: httpx.AsyncClient,
    query: str,
    found: set[str],
) -> None:
    page = await browser.get(f"/search?{query}")
    assert page.status_code == 200
    assert set(titles_of(page)) == found
    assert ("Nothing was found" in page.text) == (not found)


@pytest.mark.usefixtures("events")
@pytest.mark.real_server("searches by words")
async def test_results_say_when_events_are(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/search?q=book")).text
    assert "Tuesday, 1 December 2026, 18:00 – 20:00" in page
    assert "No date" in page
    choir = (await browser.get("/search?q=choir")).text
    assert "Tuesday, 1 December 2026 – Wednesday, 2 December 2026, repeats" in choir


async def test_without_anything_to_look_for_the_page_says_what_to_do(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/search")).text
    assert '<label for="q">Search</label>' in page
    assert "Type what you look for" in page


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("near=here", "near"),
        ("near=95,0", "near"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("to=9999-12-31", "to"),
    ],
)
async def test_errors_stand_beside_their_fields_and_what_was_typed_stays(
    browser: httpx.AsyncClient,
    query: str,
    field: str,
) -> None:
    page = await browser.get(f"/search?{query}&q=<b>")
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert f'value="{query.partition("=")[2]}"' in page.text
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize(
    "query", ["q=a&cursor=x", "q=" + "a" * 201, "scope=nobody&q=a", "from=2026-12-02&to=2026-11-01"]
)
async def test_what_no_form_sends_is_refused_in_words(browser: httpx.AsyncClient, query: str) -> None:
    page = await browser.get(f"/search?{query}")
    assert page.status_code == 422
    assert "Please check what is marked below." in page.text


@pytest.mark.real_server("searches by words")
async def test_more_shows_the_next_results_and_nothing_twice(browser: httpx.AsyncClient, ada: Person) -> None:
    for number in range(30):
        await ada.event(title=f"Walk {number}", start=f"2026-12-{number + 1:02}")
    found, address, parts = [], "/search?q=walk&from=2026-12-01", 0
    while address:
        page = await browser.get(address)
        found += titles_of(page)
        more = re.search(r'id="more" href="([^"]+)"', page.text)
        address, parts = unescape(more[1]) if more else "", parts + 1
    assert sorted(found) == sorted(f"Walk {number}" for number in range(30))
    assert parts == 2


@pytest.mark.usefixtures("events")
@pytest.mark.real_server("searches by words")
async def test_a_script_gets_the_results_without_the_rest_of_the_page(browser: httpx.AsyncClient) -> None:
    part = await browser.get("/search?q=launch&part=results")
    assert titles_of(part) == ["Book launch"]
    assert "<html" not in part.text
    assert part.headers["cache-control"] == "no-store"

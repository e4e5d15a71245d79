"""The calendar as a page: a month, a week, a day, and a list of days."""

import re

import httpx
import pytest

from routes.pages.calendar_views import calendar_page
from tests.routes.pages.calendar_views.reading import Cells
from tests.support.clients import Person, ok

BERLIN = {"time_zone": "Europe/Berlin"}
VIEWS = {"month": "2026-12", "week": "2026-12-07", "day": "2026-12-07", "agenda": "2026-12-07"}


def title_of(page: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text)
    assert found, page.text
    return found[1]


async def cells_of(browser: httpx.AsyncClient, address: str, **headers: str) -> Cells:
    return Cells(await browser.get(address, headers=headers))


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/calendar", "/calendar/month/2026-12"),
        ("/calendar?scope=public", "/calendar/month/2026-12?scope=public"),
        ("/calendar/month", "/calendar/month/2026-12"),
        ("/calendar/week", "/calendar/week/2026-12-08"),
        ("/calendar/day?scope=public", "/calendar/day/2026-12-08?scope=public"),
        ("/calendar/agenda", "/calendar/agenda/2026-12-08"),
    ],
)
async def test_the_calendar_opens_at_today_in_the_zone_of_the_account(
    browser: httpx.AsyncClient, address: str, target: str
) -> None:
    assert (await browser.get(address)).headers["location"] == target


@pytest.mark.parametrize(
    "address",
    [
        *("/calendar/month/2026-13", "/calendar/month/2026-1", "/calendar/month/2026-12-01", "/calendar/month/x"),
        *("/calendar/week/2026-12", "/calendar/day/2026-02-30", "/calendar/day/9999-12-31", "/calendar/month/0001-01"),
        *("/calendar/year", "/calendar/year/2026", "/calendar/day/٢٠٢٦-١٢-٠١", "/calendar/day/20261201"),
    ],
)
async def test_an_address_that_is_no_date_is_a_page_that_says_so(browser: httpx.AsyncClient, address: str) -> None:
    page = await browser.get(address)
    assert page.status_code == 404
    assert "<h1>There is nothing here</h1>" in page.text


@pytest.mark.parametrize(
    "address",
    ["/calendar/month/0002-01", "/calendar/month/9998-12", "/calendar/week/9998-12-31", "/calendar/day/0002-01-01"],
)
async def test_the_first_and_last_days_of_the_calendar_can_be_shown(browser: httpx.AsyncClient, address: str) -> None:
    assert (await browser.get(address)).status_code == 200


@pytest.mark.parametrize(
    ("address", "title", "previous", "following"),
    [
        ("month/2026-12", "December 2026", "month/2026-11", "month/2027-01"),
        ("week/2026-12-09", "7 – 13 December 2026", "week/2026-11-30", "week/2026-12-14"),
        ("week/2026-12-31", "28 December 2026 – 3 January 2027", "week/2026-12-21", "week/2027-01-04"),
        ("day/2026-12-31", "Thursday, 31 December 2026", "day/2026-12-30", "day/2027-01-01"),
        ("agenda/2026-12-07", "7 December 2026 – 3 January 2027", "agenda/2026-11-09", "agenda/2027-01-04"),
        ("agenda/2026-04-15", "15 April – 12 May 2026", "agenda/2026-03-18", "agenda/2026-05-13"),
    ],
)
async def test_every_view_leads_to_the_one_before_and_after_and_keeps_whose_events_it_shows(
    browser: httpx.AsyncClient, address: str, title: str, previous: str, following: str
) -> None:
    page = await browser.get(f"/calendar/{address}")
    assert title_of(page) == title
    assert f'rel="prev" href="/calendar/{previous}"' in page.text
    assert f'rel="next" href="/calendar/{following}"' in page.text
    public = await browser.get(f"/calendar/{address}?scope=public")
    assert f'rel="next" href="/calendar/{following}?scope=public"' in public.text
    assert f'href="/calendar/{address.partition("/")[0]}?scope=public">Today</a>' in public.text


@pytest.mark.parametrize(("view", "day"), VIEWS.items())
async def test_every_view_is_a_grid_whose_cells_hold_events_as_links(
    browser: httpx.AsyncClient, ada: Person, view: str, day: str
) -> None:
    event = await ada.event(start="2026-12-07T18:00:00", end="2026-12-07T20:00:00", **BERLIN)
    cells = await cells_of(browser, f"/calendar/{view}/{day}")
    assert cells.roles.count("grid") == 1
    assert [address for addresses in cells.addresses.values() for address in addresses] == [f"/events/{event['id']}"]
    ((cell, [text]),) = cells.shown.items()
    assert cell == ("2026-12-07T18:00" if view in ("week", "day") else "2026-12-07")
    assert text.startswith("18:00")
    assert text.endswith("Book launch")


async def test_a_month_shows_whole_weeks_and_those_of_each_day(browser: httpx.AsyncClient, ada: Person) -> None:
    await ada.event(title="Early", start="2026-12-02T09:00:00", **BERLIN)
    await ada.event(title="Late", start="2026-12-02T21:00:00", **BERLIN)
    await ada.event(title="November", start="2026-11-30", **BERLIN)
    await ada.event(title="Before", start="2026-11-29", **BERLIN)
    await ada.event(title="Undated")
    cells = await cells_of(browser, "/calendar/month/2026-12")
    assert next(iter(cells.events)) == "2026-11-30"
    assert list(cells.events)[-1] == "2027-01-03"
    assert cells.shown == {"2026-11-30": ["November"], "2026-12-02": ["09:00 Early", "21:00 Late"]}


@pytest.mark.parametrize(
    ("language", "first"),
    [("de-DE", "2026-11-30"), ("en-US,en;q=0.9", "2026-11-29"), ("ar-EG", "2026-11-28"), ("", "2026-11-30")],
)
async def test_a_week_begins_as_it_does_where_the_reader_lives(
    browser: httpx.AsyncClient, language: str, first: str
) -> None:
    cells = await cells_of(browser, "/calendar/month/2026-12", **{"Accept-Language": language})
    assert next(iter(cells.events)) == first
    week = await cells_of(browser, "/calendar/week/2026-12-01", **{"Accept-Language": language})
    assert next(iter(week.events)) == first


async def test_an_event_of_several_days_is_in_the_same_line_of_each_of_them(
    browser: httpx.AsyncClient, ada: Person
) -> None:
    await ada.event(title="Trip", start="2026-12-05", end="2026-12-09", **BERLIN)
    await ada.event(title="Fair", start="2026-12-04", end="2026-12-06", **BERLIN)
    await ada.event(title="Night", start="2026-12-07T22:00:00", end="2026-12-08T06:00:00", **BERLIN)
    cells = await cells_of(browser, "/calendar/month/2026-12")
    assert cells.shown == {
        "2026-12-04": ["Fair, day 1 of 2"],
        "2026-12-05": ["Fair, day 2 of 2", "Trip, day 1 of 4"],
        "2026-12-06": ["Trip, day 2 of 4"],
        "2026-12-07": ["Trip, day 3 of 4", "22:00 Night, day 1 of 2"],
        "2026-12-08": ["Trip, day 4 of 4", "Night, day 2 of 2"],
    }
    page = (await browser.get("/calendar/month/2026-12")).text
    assert re.findall(r'<li class="(lane\d)"><a class="item long from on"', page) == ["lane2", "lane1"]


async def test_what_ends_at_midnight_is_not_on_the_next_day(browser: httpx.AsyncClient, ada: Person) -> None:
    await ada.event(title="Party", start="2026-12-07T20:00:00", end="2026-12-08T00:00:00", **BERLIN)
    await ada.event(title="Fast", start="2026-12-09T00:00:00", end="2026-12-10T00:00:00", **BERLIN)
    cells = await cells_of(browser, "/calendar/month/2026-12")
    assert cells.shown == {"2026-12-07": ["20:00 Party"], "2026-12-09": ["00:00 Fast"]}
    week = await cells_of(browser, "/calendar/week/2026-12-07")
    assert week.shown == {"2026-12-07T20:00": ["20:00 – 00:00 Party"], "2026-12-09": ["00:00 Fast"]}


async def test_times_are_those_of_the_account_and_days_are_the_same_everywhere(
    browser: httpx.AsyncClient, ada: Person
) -> None:
    await ada.event(title="Call", start="2026-12-31T23:30:00Z", end="2027-01-01T00:30:00Z")
    await ada.event(title="Samoa", start="2026-12-01", time_zone="Pacific/Apia")
    await ada.event(title="Hawaii", start="2026-12-31", time_zone="Pacific/Honolulu")
    cells = await cells_of(browser, "/calendar/month/2027-01")
    assert cells.shown == {"2026-12-31": ["Hawaii"], "2027-01-01": ["00:30 Call"]}
    assert (await cells_of(browser, "/calendar/day/2026-12-01")).shown == {"2026-12-01": ["Samoa"]}
    ok(await ada.patch("/users/me", json={"time_zone": "America/New_York"}))
    assert (await cells_of(browser, "/calendar/day/2026-12-31")).shown == {
        "2026-12-31": ["Hawaii"],
        "2026-12-31T18:00": ["18:30 – 19:30 Call"],
    }


async def test_events_that_overlap_stand_side_by_side(browser: httpx.AsyncClient, ada: Person) -> None:
    for title, start, end in (
        ("A", "09:00", "11:00"),
        ("B", "10:15", "12:00"),
        ("C", "11:00", "11:30"),
        ("D", "13:00", "14:00"),
    ):
        await ada.event(title=title, start=f"2026-12-07T{start}:00", end=f"2026-12-07T{end}:00", **BERLIN)
    cells = await cells_of(browser, "/calendar/week/2026-12-07")
    assert cells.classes["2026-12-07T09:00"] == ["item block at0 h2 m0 lane0 of2"]
    assert cells.classes["2026-12-07T10:00"] == ["item block at15 h1 m45 lane1 of2"]
    assert cells.classes["2026-12-07T11:00"] == ["item block at0 h0 m30 lane0 of2"]
    assert cells.classes["2026-12-07T13:00"] == ["item block at0 h1 m0 lane0 of1"]


async def test_a_series_is_shown_with_each_of_its_occurrences(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(
        title="Choir",
        start="2026-12-01T18:00:00",
        end="2026-12-01T19:00:00",
        recurrence={"rrule": "FREQ=WEEKLY;COUNT=4", "exdates": ["2026-12-22T18:00:00"]},
        **BERLIN,
    )
    path = f"/events/{event['id']}/occurrences/2026-12-08T18:00:00"
    times = {"start": "2026-12-09T20:00:00", "end": "2026-12-09T21:00:00"}
    ok(await ada.patch(path, json={"title": "Concert", "status": "tentative"} | times))
    cells = await cells_of(browser, "/calendar/month/2026-12")
    assert cells.shown == {
        "2026-12-01": ["18:00 Choir"],
        "2026-12-09": ["20:00 Tentative: Concert"],
        "2026-12-15": ["18:00 Choir"],
    }
    assert cells.addresses["2026-12-09"] == [f"/events/{event['id']}?occurrence=2026-12-08T18:00:00"]


@pytest.mark.parametrize(("status", "word"), [("cancelled", "Cancelled:"), ("tentative", "Tentative:")])
@pytest.mark.parametrize(("view", "day"), VIEWS.items())
async def test_a_status_is_said_in_words_too(
    browser: httpx.AsyncClient, ada: Person, view: str, day: str, status: str, word: str
) -> None:
    await ada.event(start="2026-12-07T18:00:00", end="2026-12-07T20:00:00", status=status, color="teal", **BERLIN)
    page = await browser.get(f"/calendar/{view}/{day}")
    ((_, [text]),) = Cells(page).shown.items()
    assert f"{word} Book launch" in text
    assert re.search(rf'class="item[^"]* {status}"', page.text)
    assert 'fill="teal"' in page.text


async def test_a_day_with_too_many_events_says_how_many_more_there_are(browser: httpx.AsyncClient, ada: Person) -> None:
    for hour in range(8, 18):
        await ada.event(title=f"At {hour}", start=f"2026-12-07T{hour:02}:00:00", **BERLIN)
    page = await browser.get("/calendar/month/2026-12")
    assert len(Cells(page).events["2026-12-07"]) == 5
    assert '>5 more<span class="hidden">, Monday, 7 December 2026</span></a>' in page.text
    assert len(Cells(await browser.get("/calendar/day/2026-12-07")).shown) == 10


@pytest.mark.parametrize(("view", "day"), VIEWS.items())
async def test_days_that_are_not_complete_say_so(
    browser: httpx.AsyncClient, ada: Person, monkeypatch: pytest.MonkeyPatch, view: str, day: str
) -> None:
    monkeypatch.setattr(calendar_page, "MAX_OCCURRENCES", 3)
    rule = {"rrule": "FREQ=DAILY"}
    await ada.event(start="2026-12-07T00:00:00", end="2026-12-07T00:30:00", recurrence=rule, **BERLIN)
    for hour in range(3):
        await ada.event(title=f"At {hour}", start=f"2026-12-07T0{hour + 1}:00:00", **BERLIN)
    page = await browser.get(f"/calendar/{view}/{day}")
    assert len([text for texts in Cells(page).events.values() for text in texts]) == 3
    assert "Open a day that says “Show all”." in page.text
    assert 'href="/calendar/day/2026-12-07">Show all' in page.text


async def test_whatever_people_type_comes_out_as_text(browser: httpx.AsyncClient, ada: Person) -> None:
    title = "<script>alert(1)</script> \"'&amp; \u202egnp.exe 🎉"
    await ada.event(title=title, location='"><b>', start="2026-12-07T18:00:00", end="2026-12-07T20:00:00", **BERLIN)
    for view, day in VIEWS.items():
        page = await browser.get(f"/calendar/{view}/{day}")
        ((_, [text]),) = Cells(page).shown.items()
        assert title in text
        assert "<script>alert" not in page.text
        assert "<b>" not in page.text
        assert not re.search(r" (style|on[a-z]+)=", re.sub(r">[^<]*<", "><", page.text))


async def test_the_public_calendar_has_the_same_views_of_what_everybody_publishes(
    browser: httpx.AsyncClient, ada: Person, ben: Person
) -> None:
    public = await ben.event(title="Fair", start="2026-12-07T18:00:00Z", visibility="public")
    await ben.event(title="Secret", start="2026-12-07T18:00:00Z")
    mine = await ada.event(title="Mine", start="2026-12-07T18:00:00Z", visibility="public")
    for view, day in VIEWS.items():
        cells = await cells_of(browser, f"/calendar/{view}/{day}?scope=public")
        shown = {address for addresses in cells.addresses.values() for address in addresses}
        assert shown == {f"/events/{public['id']}", f"/events/{mine['id']}"}
    page = (await browser.get("/calendar/month/2026-12?scope=public")).text
    # Only one's own events can be dragged.
    assert re.findall(r'href="/events/(\w+)" data-revision', page) == [mine["id"]]


@pytest.mark.parametrize(("view", "day"), VIEWS.items())
async def test_a_period_without_events_says_what_to_do_first(
    browser: httpx.AsyncClient, ada: Person, view: str, day: str
) -> None:
    address = f"/calendar/{view}/{day}"
    assert "Begin with “New event”" in (await browser.get(address)).text
    assert "Nobody has published an event" in (await browser.get(f"{address}?scope=public")).text
    await ada.event(start="2026-12-07T18:00:00", **BERLIN)
    assert "Begin with “New event”" not in (await browser.get(address)).text


async def test_days_and_hours_offer_to_add_an_event_there(browser: httpx.AsyncClient) -> None:
    month = (await browser.get("/calendar/month/2026-12")).text
    assert 'href="/events/new">New event</a>' in month
    assert 'href="/events/new?start=2026-12-07" aria-label="Add on Monday, 7 December 2026"' in month
    week = (await browser.get("/calendar/week/2026-12-07")).text
    assert 'href="/events/new?start=2026-12-07T09:00" aria-label="Add on Monday, 7 December 2026, 09:00"' in week
    assert week.count('class="slot"') == 7 * 24


async def test_today_is_marked_and_only_today(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/calendar/month/2026-12")).text
    assert re.findall(r'data-date="([^"]+)" aria-current="date"', page) == ["2026-12-08"]


async def test_addresses_keep_the_path_of_the_planner(app: object, browser: httpx.AsyncClient, ada: Person) -> None:
    await ada.event(start="2026-12-07T18:00:00", **BERLIN)
    services = app.state.services  # type: ignore[attr-defined]
    object.__setattr__(services, "base_url", "http://planner.test/plan")
    for view, day in VIEWS.items():
        page = (await browser.get(f"/calendar/{view}/{day}")).text
        addresses = re.findall(r'(?:href|src|action)="(?!#)([^"]+)"', page)
        assert all(address.startswith("/plan/") for address in addresses), addresses


async def test_a_stranger_is_asked_to_sign_in_and_comes_back(browser: httpx.AsyncClient) -> None:
    browser.cookies.clear()
    response = await browser.get("/calendar/week/2026-12-07?scope=public")
    assert response.headers["location"] == "/signin?next=%2Fcalendar%2Fweek%2F2026-12-07%3Fscope%3Dpublic"

"""Events that are created with a browser."""

from typing import Any

import pytest

from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import Person, ok

NEW = "/events/new"


async def events_of(person: Person) -> Any:
    return ok(await person.get("/events"))["items"]


async def create(browser: Browser, _address: str = NEW, **fields: str | None) -> Any:
    return await browser.submit(await browser.open(_address), NEW, **fields)


async def test_an_event_is_created_with_all_its_fields(browser: Browser, ada: Person) -> None:
    ok(await ada.patch("/users/me", json={"time_zone": "Europe/Berlin"}))
    created = await create(
        browser,
        title="Book launch",
        start="2026-12-01T18:00",
        end="2026-12-01T20:00",
        time_zone="Europe/Kyiv",
        location="Town library",
        description="Readings\r\nand questions",
        url="https://example.com/launch",
        image="https://example.com/launch.png",
        tags="Books, launch",
        color="teal",
        priority="5",
        status="tentative",
        visibility="public",
        transparency="transparent",
        lat="52,52",
        lon="13.405",
        reminder_10="on",
        reminders="90, -5",
        repeats="weekly",
        weekday_TU="on",
        interval="2",
        until="2027-05-01",
    )
    page = await browser.follow(created)
    (event,) = await events_of(ada)
    wanted = {
        "title": "Book launch",
        "start": "2026-12-01T18:00:00+02:00",
        "end": "2026-12-01T20:00:00+02:00",
        "time_zone": "Europe/Kyiv",
        "all_day": False,
        "location": "Town library",
        "description": "Readings\nand questions",
        "url": "https://example.com/launch",
        "image": "https://example.com/launch.png",
        "tags": ["Books", "launch"],
        "color": "teal",
        "priority": 5,
        "status": "tentative",
        "visibility": "public",
        "transparency": "transparent",
        "geo": {"lat": 52.52, "lon": 13.405},
        "reminders": [-5, 10, 90],
    }
    assert {name: event[name] for name in wanted} == wanted
    assert event["recurrence"]["rrule"] == "FREQ=WEEKLY;INTERVAL=2;UNTIL=20270501T205959Z;BYDAY=TU"
    text = text_of(page)
    for shown in (
        "Book launch",
        "Tuesday, 1 December 2026, 17:00 – 19:00",
        "18:00 – 20:00 in Europe/Kyiv",
        "every second Tuesday until 1 May 2027",
        "Town library",
        "Tentative",
        "5 minutes after, 10 minutes before, 90 minutes before",
        "52.52, 13.405",
    ):
        assert shown in text, shown


async def test_only_a_title_is_needed_and_an_event_without_a_date_says_so(browser: Browser, ada: Person) -> None:
    page = await browser.follow(await create(browser, title="Some day", start="", end=""))
    (event,) = await events_of(ada)
    assert (event["start"], event["time_zone"]) == (None, None)
    assert "No date yet" in text_of(page)
    assert ".ics" not in page.text


@pytest.mark.parametrize(
    ("query", "start", "end", "all_day"),
    [
        ("start=2026-12-07T14:00", "2026-12-07T14:00", "2026-12-07T15:00", ""),
        ("start=2026-12-07T14:00&end=2026-12-07T14:30", "2026-12-07T14:00", "2026-12-07T14:30", ""),
        ("start=2026-12-07T13:00:00Z", "2026-12-07T14:00", "2026-12-07T15:00", ""),
        ("start=2026-12-07T14:00:00+01:00", "2026-12-07T14:00", "2026-12-07T15:00", ""),
        ("start=2026-12-07", "2026-12-07T09:00", "2026-12-07T10:00", ""),
        ("start=2026-12-07&all_day=1", "2026-12-07", "2026-12-07", "on"),
        ("start=2026-12-07&end=2026-12-10&all_day=true", "2026-12-07", "2026-12-09", "on"),
        ("start=2026-12-07T14:00&end=2026-12-01", "2026-12-07T14:00", "2026-12-07T15:00", ""),
    ],
)
async def test_a_place_in_the_calendar_gives_the_time(
    browser: Browser, ada: Person, query: str, start: str, end: str, all_day: str
) -> None:
    ok(await ada.patch("/users/me", json={"time_zone": "Europe/Berlin"}))
    fields = fields_of(await browser.open(f"{NEW}?{query}"), NEW)
    assert (fields["start"], fields["end"], fields.get("all_day", "")) == (start, end, all_day)
    assert fields["time_zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    "start", ["", "nonsense", "9999-12-31T23:59", "0001-01-01", "9999-12-31T23:59:59-14:00", "2026-02-30"]
)
async def test_without_a_place_that_is_one_the_next_hour_is_suggested(browser: Browser, start: str) -> None:
    page = await browser.open(f"{NEW}?start={start}")
    assert page.status_code == 200
    assert fields_of(page, NEW)["start"].endswith(":00")


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"start": "2026-12-01", "end": "2026-12-03"}, ("2026-12-01", "2026-12-04")),
        ({"start": "2026-12-01T18:00", "end": "2026-12-03T19:00"}, ("2026-12-01", "2026-12-04")),
        ({"start": "2026-12-01", "end": ""}, ("2026-12-01", None)),
    ],
)
async def test_of_an_event_that_lasts_all_day_the_end_is_its_last_day(
    browser: Browser, ada: Person, fields: dict[str, str], sent: tuple[str, str | None]
) -> None:
    created = await create(browser, title="Fair", all_day="on", **fields)
    page = await browser.follow(created)
    (event,) = await events_of(ada)
    assert (event["start"], event["end"], event["time_zone"]) == (*sent, None)
    edit = await browser.open(f"/events/{event['id']}/edit")
    assert fields_of(edit, f"/events/{event['id']}/edit")["end"] == (fields["end"][:10])
    assert ("Thursday, 3 December 2026" in text_of(page)) == (sent[1] is not None)


async def test_the_end_may_be_in_another_time_zone(browser: Browser, ada: Person) -> None:
    await create(
        browser,
        title="Flight",
        start="2026-12-01T18:00",
        time_zone="Europe/Berlin",
        end="2026-12-01T20:30",
        end_time_zone="America/New_York",
    )
    (event,) = await events_of(ada)
    assert (event["end"], event["end_time_zone"]) == ("2026-12-01T20:30:00-05:00", "America/New_York")
    text = text_of(await browser.open(f"/events/{event['id']}"))
    there = "Tuesday, 1 December 2026, 20:30 in America/New_York"
    assert f"Tuesday, 1 December 2026, 18:00 in Europe/Berlin – {there}" in text
    fields = fields_of(await browser.open(f"/events/{event['id']}/edit"), f"/events/{event['id']}/edit")
    assert (fields["end"], fields["end_time_zone"]) == ("2026-12-01T20:30", "America/New_York")


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"start": "2026-12-01T18:00", "end": "2026-12-01T17:00"}, "end"),
        ({"start": "2026-12-01", "end": "2026-12-02"}, "start"),
        ({"start": "2026-12-02", "end": "2026-12-01", "all_day": "on"}, "end"),
        ({"start": "tomorrow"}, "start"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"end_time_zone": "Mars/Olympus"}, "end_time_zone"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"image": "http://example.com/x.png"}, "image"),
        ({"color": "no colour"}, "color"),
        ({"priority": "10"}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"lat": "52"}, "lat"),
        ({"lat": "nan", "lon": "1"}, "lat"),
        ({"reminders": "soon"}, "reminders"),
        ({"tags": "x" * 33}, "tags"),
        ({"description": "x" * 20_001}, "description"),
        ({"repeats": "custom", "rrule": "FREQ=SOMETIMES"}, "repeats"),
        ({"repeats": "custom", "rrule": ""}, "repeats"),
        ({"repeats": "never"}, "repeats"),
        ({"repeats": "weekly", "start": "", "end": ""}, "repeats"),
        ({"repeats": "weekly", "count": "3", "until": "2027-05-01"}, "repeats"),
        ({"repeats": "weekly", "interval": "0"}, "repeats"),
        ({"repeats": "daily", "until": "2020-01-01"}, "repeats"),
        ({"repeats": "daily", "exdates": "x"}, "repeats"),
        ({"status": "maybe"}, "status"),
    ],
)
async def test_an_error_stands_beside_its_field_and_what_was_typed_stays(
    browser: Browser, ada: Person, fields: dict[str, str], at: str
) -> None:
    typed = {"title": "Book launch", "location": "<Town library>"} | fields
    refused = await create(browser, **typed)
    assert refused.status_code == 422
    assert f'id="{at}-error"' in refused.text, text_of(refused)
    # Of a choice, only what can be chosen stays.
    kept, chosen = fields_of(refused, NEW), ("status", "priority", "repeats")
    assert {name: kept.get(name) for name in typed if name not in chosen} == {
        name: value for name, value in typed.items() if name not in chosen
    }
    assert await events_of(ada) == []


async def test_everything_that_is_wrong_is_said_at_once(browser: Browser) -> None:
    refused = await create(browser, title="", lat="north", reminders="soon", start="tomorrow", color="no colour")
    for at in ("title", "lat", "reminders", "start", "color"):
        assert f'id="{at}-error"' in refused.text, at


async def test_a_form_that_is_sent_twice_creates_one_event(browser: Browser, ada: Person) -> None:
    page = await browser.open(NEW)
    for title in ("Launch", "Launch", "Another"):
        assert (await browser.submit(page, NEW, title=title)).status_code in (303, 409)
    assert [event["title"] for event in await events_of(ada)] == ["Launch"]


async def test_conflicts_are_shown_before_an_event_is_saved_anyway(browser: Browser, ada: Person) -> None:
    other = await ada.event(title="<Dentist>", start="2026-12-01T18:00:00", end="2026-12-01T19:00:00")
    asked = await create(browser, title="Launch", start="2026-12-01T18:30", end="2026-12-01T20:00")
    assert asked.status_code == 409
    assert "<Dentist>, Tuesday, 1 December 2026, 18:00 – 19:00" in text_of(asked)
    assert f'href="/events/{other["id"]}"' in asked.text
    assert "Save anyway" in text_of(asked)
    assert len(await events_of(ada)) == 1
    assert (await browser.submit(asked, NEW)).status_code == 303
    assert len(await events_of(ada)) == 2


async def test_other_conflicts_than_those_that_were_shown_are_shown_again(browser: Browser, ada: Person) -> None:
    await ada.event(title="Dentist", start="2026-12-01T18:00:00", end="2026-12-01T19:00:00")
    asked = await create(browser, title="Launch", start="2026-12-01T18:30", end="2026-12-01T20:00")
    await ada.event(title="Dinner", start="2026-12-01T19:00:00", end="2026-12-01T21:00:00")
    again = await browser.submit(asked, NEW)
    assert again.status_code == 409
    assert "Dinner" in text_of(again)


async def test_an_event_is_duplicated_and_one_occurrence_without_its_series(browser: Browser, ada: Person) -> None:
    event = await ada.event(
        start="2026-12-01T18:00:00", end="2026-12-01T19:00:00", recurrence={"rrule": "FREQ=DAILY"}, tags=["a", "b"]
    )
    page = await browser.open(f"{NEW}?copy={event['id']}")
    assert fields_of(page, NEW)["repeats"] == "daily"
    one = fields_of(await browser.open(f"{NEW}?copy={event['id']}&occurrence=2026-12-03T18:00:00"), NEW)
    assert (one["repeats"], one["start"], one["tags"]) == ("", "2026-12-03T18:00", "a, b")
    await browser.submit(page, NEW, title="Copy", start="2027-01-01T10:00", end="2027-01-01T11:00", repeats="")
    assert sorted(event["title"] for event in await events_of(ada)) == ["Book launch", "Copy"]


async def test_a_copy_of_an_event_of_somebody_else_is_private(browser: Browser, ben: Person) -> None:
    event = await ben.event(visibility="public", reminders=[10])
    fields = fields_of(await browser.open(f"{NEW}?copy={event['id']}"), NEW)
    assert (fields["title"], fields["visibility"], fields.get("reminder_10")) == ("Book launch", "private", None)


async def test_a_rule_is_said_in_words_without_saving(browser: Browser, ada: Person) -> None:
    page = await create(
        browser, title="", repeats="monthly", day_of_month="last_weekday", start="2026-12-01T18:00", preview="on"
    )
    assert page.status_code == 200
    assert "Repeats every month on the last Tuesday." in text_of(page)
    assert await events_of(ada) == []


NO_RULE = "must consist of parts of the form NAME=VALUE, but has '<SCRIPT>'"


@pytest.mark.parametrize(
    ("query", "sentence", "mistake"),
    [
        ("repeats=weekly&weekday_TU=on&interval=2&until=2027-05-01", "every second Tuesday until 1 May 2027", ""),
        ("repeats=", "", ""),
        ("repeats=custom&rrule=%3Cscript%3E", "", NO_RULE),
        ("repeats=custom&rrule=FREQ%3DDAILY&time_zone=x", "", "must be an IANA time zone name, such as Europe/Berlin"),
    ],
)
async def test_the_sentence_of_a_rule_is_sent_while_it_is_put_together(
    browser: Browser, query: str, sentence: str, mistake: str
) -> None:
    response = await browser.open(f"/events/sentence?start=2026-12-01T18:00&{query}")
    assert ok(response) == {"sentence": sentence, "mistake": mistake}

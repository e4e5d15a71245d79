"""Events that are dragged to another day or hour."""

import httpx
import pytest

from tests.routes.pages.browsing import ORIGIN, token_in
from tests.support.clients import Person, ok

BERLIN = {"time_zone": "Europe/Berlin"}
MONTH = "/calendar/month/2026-12"


async def drag(
    browser: httpx.AsyncClient, event: dict[str, object], start: str, end: str, **fields: str
) -> httpx.Response:
    token = token_in(await browser.get(MONTH))
    sent = {"form_token": token, "from": start, "to": end, "revision": str(event["revision"]), "next": MONTH} | fields
    return await browser.post(f"/events/{event['id']}/move", data=sent, headers={"Origin": ORIGIN})


async def test_an_event_keeps_its_time_and_length_on_another_day(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(start="2026-12-07T18:00:00", end="2026-12-07T20:00:00", **BERLIN)
    moved = await drag(browser, event, "2026-12-07", "2026-12-09")
    assert (moved.status_code, moved.headers["location"]) == (303, MONTH)
    after = ok(await ada.get(f"/events/{event['id']}"))
    assert (after["start"], after["end"]) == ("2026-12-09T18:00:00+01:00", "2026-12-09T20:00:00+01:00")


async def test_an_event_keeps_its_time_on_the_clock_when_clocks_change(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(start="2026-10-24T18:00:00", end="2026-10-24T20:00:00", **BERLIN)
    await drag(browser, event, "2026-10-24", "2026-10-25")
    assert ok(await ada.get(f"/events/{event['id']}"))["start"] == "2026-10-25T18:00:00+01:00"


async def test_an_event_is_dragged_to_an_hour_of_the_reader(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(start="2026-12-07T12:00:00", end="2026-12-07T13:00:00", time_zone="America/New_York")
    await drag(browser, event, "2026-12-07T18:00", "2026-12-08T09:15")
    after = ok(await ada.get(f"/events/{event['id']}"))
    assert (after["start"], after["end"]) == ("2026-12-08T03:15:00-05:00", "2026-12-08T04:15:00-05:00")
    assert after["time_zone"] == "America/New_York"


@pytest.mark.parametrize(("end", "moved"), [("2026-12-09", "2026-12-07"), (None, None)])
async def test_days_are_moved_as_days(
    browser: httpx.AsyncClient, ada: Person, end: str | None, moved: str | None
) -> None:
    event = await ada.event(start="2026-12-07", end=end)
    await drag(browser, event, "2026-12-08", "2026-12-06")
    after = ok(await ada.get(f"/events/{event['id']}"))
    assert (after["start"], after["end"]) == ("2026-12-05", moved)


async def series(ada: Person) -> dict[str, object]:
    fields = {
        "start": "2026-12-01T18:00:00",
        "end": "2026-12-01T19:00:00",
        "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=4"},
    }
    event: dict[str, object] = await ada.event(**fields, **BERLIN)
    return event


@pytest.mark.parametrize(
    ("scope", "days"),
    [("this", [1, 10, 15, 22]), ("following", [1, 10, 17, 24]), ("all", [3, 10, 17, 24])],
)
async def test_of_a_series_this_occurrence_or_the_following_or_all_are_moved(
    browser: httpx.AsyncClient, ada: Person, scope: str, days: list[int]
) -> None:
    event = await series(ada)
    fields = {"occurrence": "2026-12-08T18:00:00", "scope": scope}
    assert (await drag(browser, event, "2026-12-08", "2026-12-10", **fields)).status_code == 303
    items = ok(await ada.get("/events/occurrences?from=2026-12-01&to=2027-01-01"))["items"]
    assert [item["start"] for item in items] == [f"2026-12-{day:02}T18:00:00+01:00" for day in days]


async def test_what_somebody_else_has_changed_meanwhile_is_not_moved(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(start="2026-12-07T18:00:00", **BERLIN)
    ok(await ada.patch(f"/events/{event['id']}", json={"start": "2026-12-08T18:00:00"}))
    refused = await drag(browser, event, "2026-12-07", "2026-12-09")
    assert refused.status_code == 412, refused.text
    assert "<h1>Somebody else has changed this meanwhile</h1>" in refused.text


@pytest.mark.parametrize(
    "fields",
    [
        {"from": "x"},
        {"to": ""},
        {"to": "2026-12-09T18:00+01:00"},
        {"revision": ""},
        {"revision": "²"},
        {"scope": "none"},
        {"to": "9999-12-31", "from": "2026-12-06"},
    ],
)
async def test_a_move_that_nobody_has_dragged_is_refused(
    browser: httpx.AsyncClient, ada: Person, fields: dict[str, str]
) -> None:
    event = await ada.event(start="2026-12-07T18:00:00", **BERLIN)
    values = {"from": "2026-12-07", "to": "2026-12-09"} | fields
    refused = await drag(browser, event, values.pop("from"), values.pop("to"), **values)
    assert refused.status_code in (400, 422)
    assert ok(await ada.get(f"/events/{event['id']}"))["revision"] == 1


async def test_an_undated_event_cannot_be_moved(browser: httpx.AsyncClient, ada: Person) -> None:
    assert (await drag(browser, await ada.event(), "2026-12-07", "2026-12-09")).status_code == 400


async def test_nobody_moves_the_events_of_others(browser: httpx.AsyncClient, ada: Person, ben: Person) -> None:
    event = await ben.event(start="2026-12-07T18:00:00Z", visibility="public")
    assert (await drag(browser, event, "2026-12-07", "2026-12-09")).status_code == 403
    hidden = await ben.event(start="2026-12-07T18:00:00Z")
    assert (await drag(browser, hidden, "2026-12-07", "2026-12-09")).status_code == 404


async def test_after_a_move_nobody_is_led_elsewhere(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(start="2026-12-07T18:00:00", **BERLIN)
    moved = await drag(browser, event, "2026-12-07", "2026-12-09", next="https://evil.test/")
    assert moved.headers["location"] == "/calendar"


async def test_a_move_without_the_token_of_its_session_is_refused(browser: httpx.AsyncClient, ada: Person) -> None:
    event = await ada.event(start="2026-12-07T18:00:00", **BERLIN)
    assert (await drag(browser, event, "2026-12-07", "2026-12-09", form_token="x")).status_code == 403

"""Events that are changed with a browser: single ones, two tabs, what others have written."""

from typing import Any

import pytest

from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import Person, ok

TIMES = {"start": "2026-12-01T18:00:00", "end": "2026-12-01T20:00:00", "time_zone": "Europe/Berlin"}


async def read(person: Person, event: Any) -> Any:
    return ok(await person.get(f"/events/{event['id']}"))


async def edit(browser: Browser, event: Any, **fields: str | None) -> Any:
    action = f"/events/{event['id']}/edit"
    return await browser.submit(await browser.open(action), action, **fields)


async def test_a_form_that_was_not_touched_changes_nothing(browser: Browser, ada: Person) -> None:
    event = await ada.event(
        **TIMES,
        title="A\nB",
        description="\n\r\n one\r\ntwo\rthree ",
        tags=["a, b", "c"],
        reminders=[7, -540],
        color="#ABCDEF",
        geo={"lat": -0.5, "lon": 1e-7},
        recurrence={"rrule": "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "rdates": ["2026-12-24T18:00:30"]},
    )
    assert (await edit(browser, event)).status_code == 303
    assert await read(ada, event) == event


async def test_only_what_was_changed_is_changed(browser: Browser, ada: Person) -> None:
    event = await ada.event(**TIMES, tags=["a, b"], description="one\r\ntwo", reminders=[10, 7])
    page = await browser.follow(await edit(browser, event, title="Moved", location="Café", reminder_10=None))
    changed = await read(ada, event)
    assert (changed["title"], changed["location"], changed["reminders"]) == ("Moved", "Café", [7])
    for name in ("tags", "description", "start", "end", "time_zone"):
        assert changed[name] == event[name]
    assert "Moved" in text_of(page)


async def test_what_is_emptied_is_cleared(browser: Browser, ada: Person) -> None:
    event = await ada.event(
        **TIMES, location="x", url="https://example.com", tags=["a"], geo={"lat": 1, "lon": 2}, color="teal"
    )
    await edit(browser, event, location="", url="", tags="", lat="", lon="", color="", start="", end="")
    changed = await read(ada, event)
    emptied = {name: changed[name] for name in ("location", "url", "tags", "geo", "color", "start", "end")}
    assert emptied == {
        "location": None,
        "url": None,
        "tags": [],
        "geo": None,
        "color": None,
        "start": None,
        "end": None,
    }


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        ({"start": "2026-12-01", "end": "2026-12-03"}, {"end": "2026-12-05"}, ("2026-12-01", "2026-12-06", None)),
        ({"start": "2026-12-01"}, {"start": "2026-12-02"}, ("2026-12-02", None, None)),
        (
            {"start": "2026-12-01"},
            {"all_day": None, "start": "2026-12-01T09:00", "end": "2026-12-01T10:00"},
            ("2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z", "UTC"),
        ),
        (TIMES, {"all_day": "on"}, ("2026-12-01", "2026-12-02", "Europe/Berlin")),
        (
            TIMES,
            {"time_zone": "Asia/Tokyo"},
            ("2026-12-01T18:00:00+09:00", "2026-12-01T20:00:00+09:00", "Asia/Tokyo"),
        ),
        ({}, {"start": "2026-12-01T18:00"}, ("2026-12-01T18:00:00Z", None, "UTC")),
    ],
)
async def test_days_and_times_and_zones_are_changed(
    browser: Browser, ada: Person, before: dict[str, str], typed: dict[str, str | None], after: tuple[str | None, ...]
) -> None:
    event = await ada.event(**before)
    response = await edit(browser, event, **typed)
    assert response.status_code == 303, text_of(response)
    changed = await read(ada, event)
    assert (changed["start"], changed["end"], changed["time_zone"]) == after


async def test_a_time_that_occurs_twice_stays_the_one_that_it_is(browser: Browser, ada: Person) -> None:
    event = await ada.event(start="2026-10-25T02:30:00+01:00", time_zone="Europe/Berlin")
    await edit(browser, event, title="Night")
    assert (await read(ada, event))["start"] == "2026-10-25T02:30:00+01:00"


async def test_two_tabs_and_what_each_has_typed(browser: Browser, ada: Person) -> None:
    event = await ada.event(**TIMES, location="here")
    action = f"/events/{event['id']}/edit"
    first, second = await browser.open(action), await browser.open(action)
    assert (await browser.submit(first, action, title="First", location="there")).status_code == 303
    stale = await browser.submit(second, action, title="Second", description="typed")
    assert stale.status_code == 412
    text = text_of(stale)
    assert "Somebody has changed this meanwhile." in text
    assert "Changed meanwhile: Title, Location." in text
    assert "Now: First" in text
    fields = fields_of(stale, action)
    assert (fields["title"], fields["description"], fields["location"]) == ("Second", "typed", "there")
    assert (await browser.submit(stale, action)).status_code == 303
    changed = await read(ada, event)
    assert (changed["title"], changed["description"], changed["location"]) == ("Second", "typed", "there")


async def test_what_was_typed_for_an_event_that_is_deleted_meanwhile_can_be_saved_as_a_new_one(
    browser: Browser, ada: Person
) -> None:
    event = await ada.event(**TIMES)
    action = f"/events/{event['id']}/edit"
    page = await browser.open(action)
    ok(await ada.delete(f"/events/{event['id']}"), 204)
    gone = await browser.submit(page, action, title="Typed for long", reminder_10="on")
    assert gone.status_code == 409
    assert fields_of(gone, "/events/new")["title"] == "Typed for long"
    assert (await browser.submit(gone, "/events/new")).status_code == 303
    (created,) = ok(await ada.get("/events"))["items"]
    assert (created["title"], created["start"], created["reminders"]) == (
        "Typed for long",
        "2026-12-01T18:00:00+01:00",
        [10],
    )


async def test_what_was_typed_while_signed_out_is_saved_after_signing_in(browser: Browser, ada: Person) -> None:
    event = await ada.event(**TIMES, recurrence={"rrule": "FREQ=WEEKLY"})
    action = f"/events/{event['id']}/edit"
    page = await browser.open(action)
    ok(await ada.delete("/auth/sessions"), 204)
    asked = await browser.submit(page, action, title="<Kept>", weekday_MO="on", weekday_TU="on")
    assert asked.status_code == 401
    resume = await browser.submit(asked, "/signin", email=ada.email, password=ada.password)
    assert (await browser.submit(resume, action)).status_code == 303
    changed = await read(ada, event)
    assert (changed["title"], changed["recurrence"]["rrule"]) == ("<Kept>", "FREQ=WEEKLY;BYDAY=MO,TU")


async def test_conflicts_are_shown_only_if_the_time_changes(browser: Browser, ada: Person) -> None:
    await ada.event(title="Dentist", start="2026-12-01T17:00:00Z", end="2026-12-01T18:00:00Z")
    event = await ada.event(**TIMES)
    assert (await edit(browser, event, title="Another title")).status_code == 303
    asked = await edit(browser, event, start="2026-12-01T18:15")
    assert asked.status_code == 409
    assert "Dentist" in text_of(asked)
    assert (await browser.submit(asked, f"/events/{event['id']}/edit")).status_code == 303
    assert (await read(ada, event))["start"] == "2026-12-01T18:15:00+01:00"


async def test_an_event_that_its_file_calls_private_is_made_public_by_saying_it_twice(
    browser: Browser, ada: Person
) -> None:
    file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261201T000000Z\r\n"
    file += "DTSTART:20261201T180000Z\r\nSUMMARY:Secret\r\nCLASS:PRIVATE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ok(await ada.post("/events/import", content=file, headers={"Content-Type": "text/calendar"}))
    (event,) = ok(await ada.get("/events"))["items"]
    asked = await edit(browser, event, visibility="public")
    assert asked.status_code == 409
    assert "Let others see it all the same" in text_of(asked)
    action = f"/events/{event['id']}/edit"
    assert (await browser.submit(asked, action)).status_code == 409
    assert (await browser.submit(asked, action, confirmed="public")).status_code == 303
    assert (await read(ada, event))["visibility"] == "public"


async def test_nobody_changes_or_deletes_events_of_others(browser: Browser, ben: Person) -> None:
    event = await ben.event(**TIMES, visibility="public")
    page = await browser.open(f"/events/{event['id']}")
    assert "You can read it, and not change it." in text_of(page)
    assert f"/events/{event['id']}/edit" not in page.text
    assert f"/events/{event['id']}/delete" not in page.text
    for path in ("edit", "history"):
        assert (await browser.open(f"/events/{event['id']}/{path}")).status_code == 403
    for path in ("edit", "delete", "undo", "restore"):
        new = await browser.open("/events/new")
        token = fields_of(new, "/events/new")["form_token"]
        sent = await browser.client.post(f"/events/{event['id']}/{path}", data={"form_token": token, "to": "1"})
        assert sent.status_code == 403, path


@pytest.mark.parametrize("visibility", ["private", None])
async def test_what_somebody_may_not_see_is_not_there(browser: Browser, ben: Person, visibility: str | None) -> None:
    event = await ben.event(visibility=visibility) if visibility else {"id": "nonsense"}
    for path in ("", "/edit", "/history", "/deleted", ".ics", "?occurrence=2026-12-01"):
        page = await browser.open(f"/events/{event['id']}{path}")
        assert page.status_code == 404, path
        assert "There is nothing here" in text_of(page)

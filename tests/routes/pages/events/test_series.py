"""Occurrences of a series that are changed with a browser: one, it and those that follow, or all."""

from typing import Any

import pytest

from tests.routes.pages.browsing import Browser, fields_of, text_of
from tests.support.clients import Person, ok

WEEKLY = {
    "title": "Choir",
    "start": "2026-12-01T18:00:00",
    "end": "2026-12-01T20:00:00",
    "time_zone": "Europe/Berlin",
    "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=TU"},
}
SECOND, THIRD = "2026-12-08T18:00:00", "2026-12-15T18:00:00"


async def occurrences(person: Person) -> list[tuple[str, str, str]]:
    found = ok(await person.get("/events/occurrences?from=2026-12-01&to=2026-12-27"))["items"]
    return [(item["title"], item["start"], item["end"]) for item in found]


def choir(*days: int, title: str = "Choir") -> list[tuple[str, str, str]]:
    return [(title, f"2026-12-{day:02}T18:00:00+01:00", f"2026-12-{day:02}T20:00:00+01:00") for day in days]


async def change(browser: Browser, event: Any, scope: str | None, **fields: str | None) -> Any:
    """Change the second occurrence, and answer what is asked."""
    action = f"/events/{event['id']}/edit"
    page = await browser.submit(await browser.open(f"{action}?occurrence={SECOND}"), action, **fields)
    return page if scope is None else await browser.submit(page, action, scope=scope)


async def test_it_is_asked_what_a_change_is_meant_for(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    page = await change(browser, event, None, title="Concert")
    text = text_of(page)
    assert page.status_code == 200
    for answer in ("This event", "This and following events", "All events"):
        assert answer in text
    assert await occurrences(ada) == choir(1, 8, 15, 22)


async def test_one_goes_back_from_the_question_and_loses_nothing(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    action = f"/events/{event['id']}/edit"
    again = await browser.submit(await change(browser, event, None, title="Concert"), action, preview="on")
    assert fields_of(again, action)["title"] == "Concert"
    assert (await browser.submit(await browser.submit(again, action), action, scope="this")).status_code == 303
    assert await occurrences(ada) == [*choir(1), *choir(8, title="Concert"), *choir(15, 22)]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("this", [*choir(1), *choir(8, title="Concert"), *choir(15, 22)]),
        ("following", [*choir(1), *choir(8, 15, 22, title="Concert")]),
        ("all", choir(1, 8, 15, 22, title="Concert")),
    ],
)
async def test_a_title_is_changed_for_one_for_following_and_for_all(
    browser: Browser, ada: Person, scope: str, expected: list[tuple[str, str, str]]
) -> None:
    saved = await change(browser, await ada.event(**WEEKLY), scope, title="Concert")
    assert await occurrences(ada) == expected
    assert "Concert" in text_of(await browser.follow(saved))


@pytest.mark.parametrize(
    ("scope", "moved"), [("this", {8: 9}), ("following", {8: 9, 15: 16, 22: 23}), ("all", {1: 2, 8: 9, 15: 16, 22: 23})]
)
async def test_occurrences_are_moved(browser: Browser, ada: Person, scope: str, moved: dict[int, int]) -> None:
    event = await ada.event(**WEEKLY)
    saved = await change(browser, event, scope, start="2026-12-09T19:00", end="2026-12-09T20:30")
    assert saved.status_code == 303, text_of(saved)
    expected = [
        ("Choir", f"2026-12-{moved[day]:02}T19:00:00+01:00", f"2026-12-{moved[day]:02}T20:30:00+01:00")
        if day in moved
        else choir(day)[0]
        for day in (1, 8, 15, 22)
    ]
    assert await occurrences(ada) == expected


async def test_a_moved_occurrence_is_shown_where_it_is_and_changed_again(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    await change(browser, event, "this", start="2026-12-10T19:00", end="2026-12-10T20:00")
    page = await browser.open(f"/events/{event['id']}?occurrence={SECOND}")
    assert "Thursday, 10 December 2026, 18:00 – 19:00" in text_of(page)
    fields = fields_of(
        await browser.open(f"/events/{event['id']}/edit?occurrence={SECOND}"), f"/events/{event['id']}/edit"
    )
    assert (fields["start"], fields["repeats"], fields["weekday_TU"]) == ("2026-12-10T19:00", "weekly", "on")
    await change(browser, event, "this", title="Concert")
    assert ("Concert", "2026-12-10T19:00:00+01:00", "2026-12-10T20:00:00+01:00") in await occurrences(ada)


async def test_all_are_moved_as_far_as_a_moved_occurrence_is(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    await change(browser, event, "this", start="2026-12-10T19:00", end="2026-12-10T20:00")
    await change(browser, event, "all", start="2026-12-10T20:00", end="2026-12-10T21:00")
    series = ok(await ada.get(f"/events/{event['id']}"))
    assert (series["start"], series["end"]) == ("2026-12-01T19:00:00+01:00", "2026-12-01T20:00:00+01:00")


@pytest.mark.parametrize(("scope", "kind"), [("this", "date"), ("all", "date"), ("following", "date")])
async def test_occurrences_are_made_to_last_all_day(browser: Browser, ada: Person, scope: str, kind: str) -> None:
    saved = await change(browser, await ada.event(**WEEKLY), scope, all_day="on", start="2026-12-08", end="2026-12-09")
    assert saved.status_code == 303, text_of(saved)
    assert ("Choir", "2026-12-08", "2026-12-10") in await occurrences(ada)


async def test_one_occurrence_is_at_a_time_in_another_zone(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    saved = await change(
        browser, event, "this", start="2026-12-08T10:00", end="2026-12-08T11:00", time_zone="Asia/Tokyo"
    )
    assert saved.status_code == 303, text_of(saved)
    assert ("Choir", "2026-12-08T02:00:00+01:00", "2026-12-08T03:00:00+01:00") in await occurrences(ada)


@pytest.mark.parametrize("scope", ["this", "following", "all"])
async def test_occurrences_end_in_another_zone(browser: Browser, ada: Person, scope: str) -> None:
    event = await ada.event(**WEEKLY)
    times = {"start": "2026-12-08T14:00", "end": "2026-12-08T23:00"}
    saved = await change(browser, event, scope, end_time_zone="Asia/Tokyo", **times)
    assert saved.status_code == 303, text_of(saved)
    assert ("Choir", "2026-12-08T14:00:00+01:00", "2026-12-08T23:00:00+09:00") in await occurrences(ada)


async def test_an_occurrence_ends_in_the_zone_of_its_start_again(browser: Browser, ada: Person) -> None:
    event = await ada.event(**(WEEKLY | {"end": "2026-12-02T04:00:00", "end_time_zone": "Asia/Tokyo"}))
    saved = await change(browser, event, "this", end="2026-12-08T21:00", end_time_zone="")
    assert saved.status_code == 303, text_of(saved)
    assert ("Choir", "2026-12-08T18:00:00+01:00", "2026-12-08T21:00:00+01:00") in await occurrences(ada)


async def test_one_occurrence_of_days_is_at_a_time(browser: Browser, ada: Person) -> None:
    event = await ada.event(start="2026-12-01", recurrence={"rrule": "FREQ=DAILY"})
    action = f"/events/{event['id']}/edit"
    page = await browser.open(f"{action}?occurrence=2026-12-03")
    asked = await browser.submit(
        page, action, all_day=None, start="2026-12-03T10:00", end="2026-12-03T11:00", time_zone="Asia/Tokyo"
    )
    assert (await browser.submit(asked, action, scope="this")).status_code == 303
    assert ("Book launch", "2026-12-03T10:00:00+09:00", "2026-12-03T11:00:00+09:00") in await occurrences(ada)


async def test_a_rule_is_changed_for_following_or_for_all_and_not_for_one(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    asked = await change(browser, event, None, interval="2")
    assert 'value="this"' not in asked.text
    assert "This and following events" in text_of(asked)
    await browser.submit(asked, f"/events/{event['id']}/edit", scope="following")
    assert await occurrences(ada) == choir(1, 8, 22)


async def test_who_may_see_it_is_changed_for_all_without_a_question(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    assert (await change(browser, event, None, visibility="public")).status_code == 303
    assert ok(await ada.get(f"/events/{event['id']}"))["visibility"] == "public"


async def test_the_page_of_the_series_changes_all_without_a_question(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    action = f"/events/{event['id']}/edit"
    page = await browser.open(action)
    assert "This changes every occurrence of the event." in text_of(page)
    assert (await browser.submit(page, action, repeats="")).status_code == 303
    assert await occurrences(ada) == choir(1)


async def test_additional_dates_and_dates_left_out_are_kept_and_changed(browser: Browser, ada: Person) -> None:
    recurrence = {"rrule": "FREQ=WEEKLY", "rdates": ["2026-12-24T18:00:00"], "exdates": ["2026-12-15T18:00:00"]}
    event = await ada.event(**(WEEKLY | {"recurrence": recurrence}))
    action = f"/events/{event['id']}/edit"
    page = await browser.open(action)
    assert fields_of(page, action)["rdates"] == "2026-12-24T18:00"
    await browser.submit(page, action, exdates="2026-12-08T18:00\r\n2026-12-15T18:00")
    assert await occurrences(ada) == choir(1, 22, 24)


async def test_conflicts_of_one_occurrence_are_shown_and_the_answer_is_kept(browser: Browser, ada: Person) -> None:
    event = await ada.event(**WEEKLY)
    await ada.event(title="Dentist", start="2026-12-09T18:00:00Z", end="2026-12-09T19:00:00Z")
    asked = await change(browser, event, "this", start="2026-12-09T19:00", end="2026-12-09T20:00")
    assert asked.status_code == 409
    assert "Dentist" in text_of(asked)
    assert (await browser.submit(asked, f"/events/{event['id']}/edit")).status_code == 303
    assert ("Choir", "2026-12-09T19:00:00+01:00", "2026-12-09T20:00:00+01:00") in await occurrences(ada)


async def test_what_was_typed_for_an_occurrence_that_is_gone_can_be_saved_as_an_event(
    browser: Browser, ada: Person
) -> None:
    event = await ada.event(**WEEKLY)
    action = f"/events/{event['id']}/edit"
    page = await browser.open(f"{action}?occurrence={SECOND}")
    ok(await ada.delete(f"/events/{event['id']}/occurrences/{SECOND}"), 204)
    gone = await browser.submit(page, action, title="Typed")
    assert gone.status_code == 409
    assert fields_of(gone, "/events/new")["title"] == "Typed"


async def test_the_page_of_a_series_lists_its_next_occurrences(browser: Browser, ada: Person) -> None:
    event = await ada.event(**(WEEKLY | {"start": "2099-12-01T18:00:00", "end": "2099-12-01T19:00:00"}))
    page = await browser.open(f"/events/{event['id']}")
    assert page.text.count(f'href="/events/{event["id"]}?occurrence=') == 5
    assert "Repeats every Tuesday." in text_of(page)
    one = await browser.open(f"/events/{event['id']}?occurrence=2099-12-08T18:00:00")
    assert "One of several: every Tuesday." in text_of(one)
    assert (await browser.open(f"/events/{event['id']}?occurrence=2099-12-09T18:00:00")).status_code == 404


@pytest.mark.parametrize(("scope", "left"), [("this", choir(1, 15, 22)), ("following", choir(1)), ("all", [])])
async def test_occurrences_are_deleted_and_the_deletion_is_undone(
    browser: Browser, ada: Person, scope: str, left: list[tuple[str, str, str]]
) -> None:
    event = await ada.event(**WEEKLY)
    action = f"/events/{event['id']}/delete"
    asked = await browser.submit(await browser.open(f"/events/{event['id']}?occurrence={SECOND}"), action)
    assert "What do you want to delete?" in text_of(asked)
    deleted = await browser.follow(await browser.submit(asked, action, scope=scope))
    assert await occurrences(ada) == left
    assert "Choir" in text_of(deleted)
    assert (await browser.submit(deleted, f"/events/{event['id']}/undo")).status_code == 303
    assert await occurrences(ada) == choir(1, 8, 15, 22)


async def test_an_event_is_deleted_when_its_last_occurrence_is(browser: Browser, ada: Person) -> None:
    event = await ada.event(**(WEEKLY | {"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=1"}}))
    action = f"/events/{event['id']}/delete"
    page = await browser.open(f"/events/{event['id']}?occurrence=2026-12-01T18:00:00")
    deleted = await browser.follow(await browser.submit(await browser.submit(page, action), action, scope="this"))
    assert "“Choir” was deleted" in text_of(deleted)
    assert (await browser.submit(deleted, f"/events/{event['id']}/undo")).status_code == 303
    assert await occurrences(ada) == choir(1)

"""Of requests that race for the same time one is granted, whatever processes they are answered by."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.clients import Person, ok
from tests.support.workers import RACERS

pytestmark = pytest.mark.real_server("races need processes of their own")
HOUR = {"start": "2026-12-01T18:00:00Z", "end": "2026-12-01T19:00:00Z"}


async def book(person: Person, **fields: Any) -> httpx.Response:
    return await person.post("/events?on_conflict=reject", json={"title": "Meeting"} | fields)


def one_won(answers: Sequence[httpx.Response]) -> Any:
    """The event of the one that was granted; all others were refused for it."""
    won = [answer.json() for answer in answers if answer.status_code == 201]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, len(answers) - 1), [answer.text for answer in answers]
    for answer in lost:
        assert answer.json()["type"] == "/problems/double-booking"
        assert won[0]["id"] in {conflict["id"] for conflict in answer.json()["conflicts"]}
    return won[0]


async def test_of_twenty_bookings_of_one_hour_at_once_one_succeeds(racers: list[Person]) -> None:
    for day in range(1, 6):
        hour = {"start": f"2026-12-0{day}T18:00:00Z", "end": f"2026-12-0{day}T19:00:00Z"}
        won = one_won(await asyncio.gather(*(book(person, **hour) for person in racers)))
        listed = ok(await racers[0].get("/events", params={"from": hour["start"], "to": hour["end"]}))["items"]
        assert listed == [won]
    assert len((await racers[0].me())["events"]) == 5


async def test_of_a_series_and_single_events_in_its_way_either_side_gets_it(racers: list[Person]) -> None:
    start = datetime(2026, 12, 1, 18, tzinfo=UTC)
    for attempt in range(4):
        begins = start + timedelta(days=attempt, weeks=20 * attempt)
        weekly: dict[str, Any] = {
            "start": begins.isoformat(),
            "end": (begins + timedelta(hours=1)).isoformat(),
            "recurrence": {"rrule": f"FREQ=WEEKLY;COUNT={RACERS}"},
        }
        singles: list[dict[str, Any]] = [
            {
                "start": (begins + timedelta(weeks=n)).isoformat(),
                "end": (begins + timedelta(weeks=n, hours=1)).isoformat(),
            }
            for n in range(RACERS - 1)
        ]
        place = 3 * attempt
        bodies = [*singles[:place], weekly, *singles[place:]]
        answers = await asyncio.gather(*(book(person, **body) for person, body in zip(racers, bodies, strict=True)))
        series, others = answers[place], [*answers[:place], *answers[place + 1 :]]
        if series.status_code == 201:
            granted = [answer for answer in others if answer.status_code == 201]
            assert not granted, "a single event was granted time of the series"
            for answer in others:
                assert ok(answer, 409)["conflicts"][0]["id"] == series.json()["id"]
        else:
            # The single ones are in nobody's way but the series'.
            assert {answer.status_code for answer in others} == {201}
            known = {answer.json()["id"] for answer in others}
            named = {conflict["id"] for conflict in ok(series, 409)["conflicts"]}
            assert named and named <= known


async def test_of_twenty_moves_to_one_hour_at_once_one_succeeds(racers: list[Person]) -> None:
    starts = [datetime(2027, 1, 1, 8, tzinfo=UTC) + timedelta(hours=2 * number) for number in range(RACERS)]
    events = [
        await racers[0].event(start=start.isoformat(), end=(start + timedelta(hours=1)).isoformat()) for start in starts
    ]
    moves = [
        person.patch(f"/events/{event['id']}?on_conflict=reject", json=HOUR)
        for person, event in zip(racers, events, strict=True)
    ]
    answers = await asyncio.gather(*moves)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (RACERS - 1)
    (moved,) = [answer.json() for answer in answers if answer.status_code == 200]
    for answer in answers:
        assert answer.status_code == 200 or [one["id"] for one in answer.json()["conflicts"]] == [moved["id"]]
    stored = ok(await racers[0].get("/events?limit=200"))["items"]
    unchanged = [event for event in events if event["id"] != moved["id"]]
    assert sorted(stored, key=lambda event: event["id"]) == sorted([moved, *unchanged], key=lambda event: event["id"])


async def test_twenty_that_want_different_hours_all_get_them(racers: list[Person]) -> None:
    start = datetime(2026, 12, 1, tzinfo=UTC)
    hours = [(start + timedelta(hours=n), start + timedelta(hours=n + 1)) for n in range(RACERS)]
    conflicts = [
        book(person, start=begins.isoformat(), end=ends.isoformat())
        for person, (begins, ends) in zip(racers, hours, strict=True)
    ]
    answers = await asyncio.gather(*conflicts)
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]


async def test_twenty_equal_bookings_at_once_with_one_key_get_the_same_response(
    racers: list[Person],
) -> None:
    body, key = {"title": "Meeting"} | HOUR, {"Idempotency-Key": uuid4().hex}
    path = "/events?on_conflict=reject"
    answers = await asyncio.gather(*(person.post(path, json=body, headers=key) for person in racers))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await racers[0].me())["events"]) == 1


async def test_plain_writes_are_not_held_up_and_a_booking_sees_them(racers: list[Person]) -> None:
    """Whoever does not ask for it is never refused; a booking that comes after is."""
    plain = [person.post("/events", json={"title": "Plain"} | HOUR) for person in racers[:10]]
    answers = await asyncio.gather(*plain, *(book(person, **HOUR) for person in racers[10:]))
    assert {answer.status_code for answer in answers[:10]} == {201}
    granted = [answer for answer in answers[10:] if answer.status_code == 201]
    assert len(granted) <= 1
    assert ok(await book(racers[0], **HOUR), 409)["conflicts"]

"""All-day events without a time zone are days of the account's zone where they are compared with instants."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok

KIND = {"Content-Type": "text/calendar"}
# Midnight to midnight of 4 July, and the instants before and after.
DAYS = {
    "UTC": ("2026-07-04T00:00:00Z", "2026-07-05T00:00:00Z"),
    "America/New_York": ("2026-07-04T04:00:00Z", "2026-07-05T04:00:00Z"),
    "Pacific/Kiritimati": ("2026-07-03T10:00:00Z", "2026-07-04T10:00:00Z"),
    "Etc/GMT+12": ("2026-07-04T12:00:00Z", "2026-07-05T12:00:00Z"),
}


async def busy(person: Person, since: str = "2026-07-01", until: str = "2026-07-10") -> list[tuple[str, str]]:
    found = ok(await person.get("/freebusy", params={"from": since, "to": until}))["busy"]
    return [(one["start"], one["end"]) for one in found]


async def imported(person: Person, text: str, query: str = "") -> Any:
    return ok(await person.post(f"/events/import{query}", content=text.encode(), headers=KIND))


async def settle(person: Person, time_zone: str) -> None:
    ok(await person.patch("/users/me", json={"time_zone": time_zone}))


@pytest.mark.parametrize("time_zone", DAYS)
@pytest.mark.parametrize("recurrence", [None, {"rrule": "FREQ=YEARLY"}])
async def test_an_all_day_event_is_busy_on_the_days_of_the_account(
    ada: Person, ben: Person, time_zone: str, recurrence: Any
) -> None:
    await settle(ada, time_zone)
    own = await ada.event(start="2026-07-04", end="2026-07-05", recurrence=recurrence)
    assert (own["start"], own["end"], own["time_zone"]) == ("2026-07-04", "2026-07-05", None)
    begins, ends = DAYS[time_zone]
    assert await busy(ada) == [(begins, ends)]
    assert await busy(ada, begins, ends) == [(begins, ends)]
    assert await busy(ada, ends, "2026-07-10") == []
    assert await busy(ada, "2026-07-01", begins) == []
    # The days are those of who has the event, whoever asks.
    ok(await ada.put(f"/freebusy/shares/{ben.id}"), 204)
    asked = await ben.get("/freebusy", params={"from": "2026-07-01", "to": "2026-07-10", "user": ada.id})
    assert ok(asked)["busy"] == [{"start": begins, "end": ends}]


@pytest.mark.parametrize("time_zone", DAYS)
async def test_an_all_day_event_conflicts_on_the_days_of_the_account(ada: Person, time_zone: str) -> None:
    await settle(ada, time_zone)
    await ada.event(start="2026-07-04")
    await ada.event(start="2026-06-04", recurrence={"rrule": "FREQ=MONTHLY;COUNT=2"})
    begins, ends = DAYS[time_zone]
    free = [("2026-07-02T00:00:00Z", begins), (ends, "2026-07-06T00:00:00Z")]
    for start, end in free:
        body = {"title": "Free", "start": start, "end": end}
        ok(await ada.post("/events?on_conflict=reject", json=body), 201)
    for start, end in [(begins, begins[:17] + "01Z"), (ends[:11] + "00:00:00Z", ends)][
        : 1 if time_zone == "UTC" else 2
    ]:
        body = {"title": "Taken", "start": start, "end": end}
        ok(await ada.post("/events?on_conflict=reject", json=body), 409)
    ok(await ada.post("/events?on_conflict=reject", json={"title": "Day", "start": "2026-07-04"}), 409)


async def test_a_day_in_a_time_zone_of_its_own_is_a_day_there(ada: Person) -> None:
    await settle(ada, "America/New_York")
    await ada.event(start="2026-07-04", time_zone="Pacific/Kiritimati")
    assert await busy(ada) == [DAYS["Pacific/Kiritimati"]]


async def test_imported_days_are_those_of_the_request_else_of_the_file_else_of_the_account(ada: Person) -> None:
    await settle(ada, "America/New_York")
    text = file(event(start="DTSTART;VALUE=DATE:20260704"))
    told = file(event(start="DTSTART;VALUE=DATE:20260704"), head="X-WR-TIMEZONE:Pacific/Kiritimati\r\n")
    await imported(ada, text)
    assert await busy(ada) == [DAYS["America/New_York"]]
    assert (await imported(ada, text))["unchanged"] == 1
    assert (await imported(ada, told))["updated"] == 1
    assert await busy(ada) == [DAYS["Pacific/Kiritimati"]]
    assert (await imported(ada, told))["unchanged"] == 1
    export = (await ada.get("/events.ics")).text
    assert "DTSTART;VALUE=DATE:20260704" in export
    assert (await imported(ada, export))["unchanged"] == 1
    assert (await imported(ada, text, "?time_zone=Etc/GMT%2B12"))["updated"] == 1
    assert await busy(ada) == [DAYS["Etc/GMT+12"]]

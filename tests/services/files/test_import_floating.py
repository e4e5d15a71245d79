"""Times without a time zone are read in the zone that the request, the file or the account says."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok
from tests.support.waiting import wait_until_async

KIND = {"Content-Type": "text/calendar"}
PARTY = event("DURATION:PT1H", uid="party", start="DTSTART:20260704T180000")
HOLIDAY = event(uid="holiday", start="DTSTART;VALUE=DATE:20260704")
TOLD = "X-WR-TIMEZONE;VALUE=TEXT:Europe/Berlin\r\n"


async def imported(person: Person, text: str, **query: str) -> Any:
    return ok(await person.post("/events/import", content=text.encode(), headers=KIND, params=query))


async def starts(person: Person) -> dict[str, str]:
    return {item["uid"]: item["start"] for item in ok(await person.get("/events"))["items"]}


async def busy(person: Person) -> list[tuple[str, str]]:
    window = {"from": "2026-07-01", "to": "2026-07-10"}
    return [(one["start"], one["end"]) for one in ok(await person.get("/freebusy", params=window))["busy"]]


@pytest.mark.parametrize(
    ("of_account", "head", "query", "start"),
    [
        ("UTC", "", {}, "2026-07-04T18:00:00Z"),
        ("America/New_York", "", {}, "2026-07-04T18:00:00-04:00"),
        ("America/New_York", TOLD, {}, "2026-07-04T18:00:00+02:00"),
        ("America/New_York", TOLD, {"time_zone": "Asia/Tokyo"}, "2026-07-04T18:00:00+09:00"),
    ],
)
async def test_floating_times_are_those_of_the_request_else_the_file_else_the_account(
    ada: Person, of_account: str, head: str, query: dict[str, str], start: str
) -> None:
    ok(await ada.patch("/users/me", json={"time_zone": of_account}))
    text = file(PARTY, head=head)
    assert (await imported(ada, text, **query))["created"] == 1
    assert await starts(ada) == {"party": start}
    assert (await imported(ada, text, **query))["unchanged"] == 1
    export = (await ada.get("/events.ics")).text
    assert (await imported(ada, export))["unchanged"] == 1


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "berlin", "+02:00"])
async def test_the_time_zone_of_an_import_must_be_an_iana_one(ada: Person, name: str) -> None:
    answer = await ada.post("/events/import", content=file(PARTY).encode(), headers=KIND, params={"time_zone": name})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/time_zone")
    assert await starts(ada) == {}


async def test_an_import_in_the_background_reads_floating_times_in_the_same_zone(ada: Person) -> None:
    headers = KIND | {"Prefer": "respond-async"}
    many = [event(uid=f"{number}", start="DTSTART:20260704T180000") for number in range(300)]
    answer = await ada.post("/events/import?time_zone=Asia/Tokyo", content=file(*many).encode(), headers=headers)
    job = ok(answer, 202)

    async def is_done() -> bool:
        return bool(ok(await ada.get(f"/imports/{job['id']}"))["status"] == "done")

    await wait_until_async(is_done)
    assert set((await starts(ada)).values()) == {"2026-07-04T18:00:00+09:00"}

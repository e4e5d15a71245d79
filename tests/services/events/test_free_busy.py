"""When people are busy, and who may see it."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from database.queries import Id, new_id
from models.people.busy_share import MAX_SHARES
from planner.services.accounts.administration import Administration
from planner.services.events import free_busy
from tests.support.clients import Person, Planner, headers_of, ok, sign_up
from tests.support.clocks import MovableClock
from tests.support.documents import build_event
from tests.support.services import database_of, services_of
from tests.support.work import counting_lines

FIRST = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNKNOWN = "6f" * 12


async def ask(person: Person, since: str = "2026-12-01", until: str = "2026-12-31", **query: Any) -> httpx.Response:
    return await person.get("/freebusy", params={"from": since, "to": until} | query)


async def busy(person: Person, *window: str, **query: Any) -> list[tuple[str, str]]:
    found = ok(await ask(person, *window, **query))["busy"]
    return [(one["start"], one["end"]) for one in found]


async def test_busy_intervals_are_merged_and_contain_nothing_else_of_the_events(ada: Person, ben: Person) -> None:
    await ada.event(title="Secret", start="2026-12-01T18:00:00Z", end="2026-12-01T19:00:00Z")
    await ada.event(start="2026-12-01T18:30:00Z", end="2026-12-01T20:00:00Z", visibility="public")
    await ada.event(start="2026-12-01T20:00:00Z", end="2026-12-01T20:30:00Z", status="tentative")
    await ada.event(start="2026-12-01T20:31:00Z", end="2026-12-01T21:00:00Z")
    await ben.event(start="2026-12-02T18:00:00Z", end="2026-12-02T19:00:00Z", visibility="public")
    assert ok(await ask(ada)) == {
        "user": ada.id,
        "from": "2026-12-01T00:00:00Z",
        "to": "2026-12-31T00:00:00Z",
        "busy": [
            {"start": "2026-12-01T18:00:00Z", "end": "2026-12-01T20:30:00Z"},
            {"start": "2026-12-01T20:31:00Z", "end": "2026-12-01T21:00:00Z"},
        ],
    }


async def test_busy_intervals_are_cut_at_the_window(ada: Person) -> None:
    await ada.event(start="2026-12-01T22:00:00Z", end="2026-12-03T06:00:00Z")
    assert await busy(ada, "2026-12-02T08:00:00+01:00", "2026-12-02T12:00:00Z") == [
        ("2026-12-02T07:00:00Z", "2026-12-02T12:00:00Z")
    ]
    assert await busy(ada, "2026-12-03T06:00:00Z", "2026-12-04") == []
    assert await busy(ada, "2026-12-01", "2026-12-01T22:00:00Z") == []


async def test_events_without_length_undated_and_cancelled_ones_are_not_busy(ada: Person) -> None:
    await ada.event()
    await ada.event(start="2026-12-01T18:00:00Z")
    await ada.event(start="2026-12-02")
    await ada.event(start="2026-12-03T18:00:00Z", end="2026-12-03T19:00:00Z", status="cancelled")
    await ada.event(start="2026-12-04T18:00:00Z", recurrence={"rrule": "FREQ=DAILY"})
    assert await busy(ada) == [("2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z")]


async def test_a_transparent_event_is_not_busy(ada: Person) -> None:
    free = await ada.event(start="2026-12-01T18:00:00Z", end="2026-12-01T19:00:00Z")
    week = await ada.event(
        start="2026-12-02T18:00:00Z", end="2026-12-02T19:00:00Z", recurrence={"rrule": "FREQ=DAILY;COUNT=3"}
    )
    id = "2026-12-03T18:00:00"
    ok(await ada.patch(f"/events/{week['id']}/occurrences/{id}", json={"title": "Another"}))
    assert len(await busy(ada)) == 4
    ok(await ada.patch(f"/events/{free['id']}", json={"transparency": "transparent"}))
    assert [start[:10] for start, _ in await busy(ada)] == ["2026-12-02", "2026-12-03", "2026-12-04"]
    ok(await ada.patch(f"/events/{week['id']}/occurrences/{id}", json={"transparency": "transparent"}))
    assert [start[:10] for start, _ in await busy(ada)] == ["2026-12-02", "2026-12-04"]
    ok(await ada.patch(f"/events/{week['id']}", json={"transparency": "transparent"}))
    assert await busy(ada) == []
    ok(await ada.patch(f"/events/{week['id']}/occurrences/{id}", json={"transparency": "opaque"}))
    assert [start[:10] for start, _ in await busy(ada)] == ["2026-12-03"]


async def test_all_day_events_are_busy_by_the_days_of_their_zone_and_series_at_their_local_hour(ada: Person) -> None:
    await ada.event(start="2026-10-25", time_zone="Europe/Berlin")
    await ada.event(
        start="2026-10-19T08:00:00",
        end="2026-10-19T09:00:00",
        time_zone="Europe/Berlin",
        recurrence={"rrule": "FREQ=WEEKLY;COUNT=3"},
    )
    assert await busy(ada, "2026-10-01", "2026-11-30") == [
        ("2026-10-19T06:00:00Z", "2026-10-19T07:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("2026-10-26T07:00:00Z", "2026-10-26T08:00:00Z"),
        ("2026-11-02T07:00:00Z", "2026-11-02T08:00:00Z"),
    ]


async def test_a_moved_occurrence_is_busy_at_its_new_time_and_a_cancelled_one_is_not(ada: Person) -> None:
    event = await ada.event(
        start="2026-12-01T08:00:00Z", end="2026-12-01T09:00:00Z", recurrence={"rrule": "FREQ=DAILY;COUNT=4"}
    )
    path = f"/events/{event['id']}/occurrences"
    moved = {"start": "2026-12-10T08:00:00Z", "end": "2026-12-10T10:00:00Z"}
    ok(await ada.patch(f"{path}/2026-12-02T08:00:00", json=moved))
    ok(await ada.patch(f"{path}/2026-12-03T08:00:00", json={"status": "cancelled"}))
    ok(await ada.delete(f"{path}/2026-12-04T08:00:00"), 204)
    assert await busy(ada) == [
        ("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z"),
        ("2026-12-10T08:00:00Z", "2026-12-10T10:00:00Z"),
    ]
    assert await busy(ada, "2026-12-09", "2026-12-11") == [("2026-12-10T08:00:00Z", "2026-12-10T10:00:00Z")]


async def test_the_window_is_the_month_from_now_by_default_and_a_year_at_most(ada: Person, clock: MovableClock) -> None:
    body = ok(await ada.get("/freebusy"))
    since, until = datetime.fromisoformat(body["from"]), datetime.fromisoformat(body["to"])
    assert (since, until - since) == (clock.now().replace(microsecond=0), 31 * DAY)
    ok(await ask(ada, "2026-01-01", "2027-01-02"))
    for window in (("2026-01-01", "2027-01-02T00:00:01Z"), ("2026-01-02", "2026-01-02"), ("2026-01-02", "2026-01-01")):
        response = await ask(ada, *window)
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == ["/to"]


async def test_a_window_with_too_many_occurrences_is_refused(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_busy, "MAX_SLOTS", 100)
    hourly = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-01T00:30:00Z"}
    await ada.event(**hourly, recurrence={"rrule": "FREQ=HOURLY"})
    assert len(await busy(ada, "2026-12-01", "2026-12-05T04:00:00Z")) == 100
    response = await ask(ada, "2026-12-01", "2026-12-05T04:01:00Z")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["/to"]


async def test_free_busy_equals_a_comparison_minute_by_minute(ada: Person, app: FastAPI) -> None:
    dice = random.Random(7)
    taken: set[int] = set()
    stored = []
    for _ in range(300):
        start, length = dice.randrange(60 * 24 * 60), dice.choice((15, 60, 90, 24 * 60, 9 * 24 * 60))
        length = length if dice.random() < 0.9 else 0
        status = dice.choice(("confirmed", "confirmed", "tentative", "cancelled"))
        begins = FIRST + start * MINUTE
        fields: dict[str, Any] = {"start": begins.isoformat(), "status": status}
        if length:
            fields["end"] = (begins + length * MINUTE).isoformat()
        owner = Id(ada.id) if dice.random() < 0.3 else new_id()
        stored.append(build_event(owner, **fields))
        if str(owner) == ada.id and status != "cancelled":
            taken.update(range(start, start + length))
    await database_of(app)["events"].insert_many(stored)
    for _ in range(30):
        since, length = dice.randrange(60 * 24 * 60), dice.randrange(1, 20 * 24 * 60)
        window = (FIRST + since * MINUTE, FIRST + (since + length) * MINUTE)
        found = await busy(ada, *(moment.isoformat() for moment in window))
        minutes: set[int] = set()
        ends: list[datetime] = []
        for words in found:
            from_, to = map(datetime.fromisoformat, words)
            minutes.update(range((from_ - FIRST) // MINUTE, (to - FIRST) // MINUTE))
            assert not ends or ends[-1] < from_ < to
            ends.append(to)
        assert minutes == taken & set(range(since, since + length))


@pytest.mark.real_server("the mock is slow")
async def test_other_requests_can_run_between_parts_of_ten_thousand_events(ada: Person, app: FastAPI) -> None:
    starts = [FIRST + number * 45 * MINUTE for number in range(10_000)]
    owner = Id(ada.id)
    many = [build_event(owner, start=start.isoformat(), end=(start + 30 * MINUTE).isoformat()) for start in starts]
    await database_of(app)["events"].insert_many(many)
    most, stopped = 0, asyncio.Event()
    with counting_lines() as lines:

        async def watch() -> None:
            nonlocal most
            while not stopped.is_set():
                before = lines()
                await asyncio.sleep(0)
                most = max(most, lines() - before)

        watching = asyncio.create_task(watch())
        answer = await ask(ada, "2026-05-01", "2027-04-30")
        stopped.set()
        await watching
    assert len(ok(answer)["busy"]) == 10_000
    # The dearest part merges and renders what was found, a tenth of the whole.
    assert most < lines() / 5


# Who may see it.


async def test_others_see_free_busy_only_while_it_is_shared_with_them(ada: Person, ben: Person, api: Planner) -> None:
    cyd = await sign_up(api, "cyd@example.com")
    await ada.event(start="2026-12-01T18:00:00Z", end="2026-12-01T19:00:00Z")
    await ben.event(start="2026-12-02T18:00:00Z", end="2026-12-02T19:00:00Z")
    hers = [("2026-12-01T18:00:00Z", "2026-12-01T19:00:00Z")]
    assert await busy(ada, user=ada.id) == hers
    assert (await ask(ben, user=ada.id)).status_code == 404
    for _ in range(2):
        ok(await ada.put(f"/freebusy/shares/{ben.id}"), 204)
    assert await busy(ben, user=ada.id) == hers
    assert ok(await ask(ben, user=ada.id))["user"] == ada.id
    # It goes from the one to the other, not back and not on.
    assert (await ask(ada, user=ben.id)).status_code == 404
    assert (await ask(cyd, user=ada.id)).status_code == 404
    for _ in range(2):
        ok(await ada.delete(f"/freebusy/shares/{ben.id}"), 204)
    assert (await ask(ben, user=ada.id)).status_code == 404


async def test_not_sharing_missing_and_disabled_accounts_get_the_same_404(
    ada: Person, ben: Person, api: Planner, app: FastAPI
) -> None:
    people: Administration = services_of(app).administration
    admin, gone = await sign_up(api, "grace@example.com"), await sign_up(api, "gone@example.com")
    assert await people.make_admin(admin.email)
    for person in (gone, ada):
        ok(await person.put(f"/freebusy/shares/{ben.id}"), 204)
    assert (await ask(ben, user=gone.id)).status_code == 200
    ok(await gone.delete("/users/me", json={"password": gone.password}), 204)
    ok(await admin.patch(f"/users/{ada.id}", json={"disabled": True}))
    users = (ada.id, gone.id, admin.id, UNKNOWN, "ada", "", "0" * 23, "g" * 24, "../me")
    answers = [await ask(ben, user=user) for user in users]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(headers_of(answer).items())) for answer in answers}) == 1


async def test_sharing_does_not_reveal_whether_an_account_exists(ada: Person, ben: Person) -> None:
    answers = [await ada.put(f"/freebusy/shares/{id}") for id in (ben.id, UNKNOWN)]
    answers += [await ada.delete(f"/freebusy/shares/{id}") for id in (ben.id, UNKNOWN, "7e" * 12)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    for id in ("ada", "0" * 23):
        for method in ("PUT", "DELETE"):
            assert (await ada.request(method, f"/freebusy/shares/{id}")).status_code == 404
    response = await ada.put(f"/freebusy/shares/{ada.id}")
    assert response.status_code == 422
    assert ok(await ada.get("/freebusy/shares"))["items"] == []


async def test_shares_are_listed_to_their_owner_only(ada: Person, ben: Person) -> None:
    ids = [f"{number:024x}" for number in range(5)]
    for id in ids:
        ok(await ada.put(f"/freebusy/shares/{id}"), 204)
    ok(await ben.put(f"/freebusy/shares/{ada.id}"), 204)
    page = ok(await ada.get("/freebusy/shares?limit=3"))
    rest = ok(await ada.get(f"/freebusy/shares?limit=3&cursor={page['next']}"))
    assert [item["user"] for item in page["items"] + rest["items"]] == ids
    assert all(set(item) == {"user", "created_at"} for item in page["items"])
    assert rest["next"] is None


async def test_free_busy_can_be_shared_with_a_thousand_accounts_at_most_also_at_once(ada: Person, app: FastAPI) -> None:
    shares = database_of(app)["busy_shares"]
    owner, now = ObjectId(ada.id), datetime.now(UTC)
    await shares.insert_many(
        [{"_id": ObjectId(), "owner": owner, "reader": ObjectId(), "created_at": now} for _ in range(MAX_SHARES - 3)]
    )
    ids = [str(ObjectId()) for _ in range(8)]
    answers = await asyncio.gather(*(ada.put(f"/freebusy/shares/{id}") for id in ids))
    assert sorted(answer.status_code for answer in answers) == [204] * 3 + [409] * 5
    assert await shares.count_documents({"owner": owner}) == MAX_SHARES
    # Who is let already may be let again, and who is let no longer makes room.
    (given, *_) = [id for id, answer in zip(ids, answers, strict=True) if answer.status_code == 204]
    ok(await ada.put(f"/freebusy/shares/{given}"), 204)
    ok(await ada.delete(f"/freebusy/shares/{given}"), 204)
    ok(await ada.put(f"/freebusy/shares/{ids[0]}"), 204)


async def test_the_same_share_created_many_times_at_once_is_stored_once(ada: Person, ben: Person) -> None:
    answers = await asyncio.gather(*(ada.put(f"/freebusy/shares/{ben.id}") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {204}
    assert [item["user"] for item in ok(await ada.get("/freebusy/shares"))["items"]] == [ben.id]


async def test_shares_are_deleted_with_either_account(ada: Person, ben: Person, api: Planner, app: FastAPI) -> None:
    cyd = await sign_up(api, "cyd@example.com")
    for one, other in ((ada, ben), (ben, ada), (ben, cyd), (cyd, ben)):
        ok(await one.put(f"/freebusy/shares/{other.id}"), 204)
    ok(await ada.delete("/users/me", json={"password": ada.password}), 204)
    left = await database_of(app)["busy_shares"].find({}).to_list(None)
    assert {(str(share["owner"]), str(share["reader"])) for share in left} == {(ben.id, cyd.id), (cyd.id, ben.id)}


async def test_a_personal_token_can_read_free_busy_but_not_share_it(ada: Person, ben: Person) -> None:
    draft = {"name": "script", "scopes": ["events:read", "events:write"]}
    secret = ok(await ada.post("/auth/tokens", json=draft), 201)["token"]
    script = Person(ada.api, ada.id, ada.email, secret)
    assert await busy(script) == []
    for response in (await script.put(f"/freebusy/shares/{ben.id}"), await script.get("/freebusy/shares")):
        assert response.status_code == 403

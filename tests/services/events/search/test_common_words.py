"""Words that so many public events have that only some of these are ranked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.clients import Person, ok

pytestmark = pytest.mark.real_server("the mock has no regular expressions in aggregations")
TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.events.event_search.MAX_CANDIDATES", 3)
    monkeypatch.setattr("models.events.event_search.MAX_SEARCHED_CANDIDATES", 5)


@pytest.fixture
async def concerts(ben: Person) -> list[str]:
    """The titles of five public concerts on the days before today, and of five from today on."""
    titles = [f"Concert {number}" for number in range(10)]
    for number, title in enumerate(titles):
        start = TODAY + timedelta(days=number - 5)
        await ben.event(title=title, start=start.isoformat(), visibility="public", tags=[f"t{number}"])
    return titles


async def search(person: Person, **query: Any) -> tuple[list[str], bool | None]:
    """Return the titles on all pages of a search, in order, and `truncated`."""
    titles: list[str] = []
    while True:
        body = ok(await person.get("/events", params=query))
        titles += [event["title"] for event in body["items"]]
        if body["next"] is None:
            return titles, body.get("truncated")
        query["cursor"] = body["next"]


@pytest.mark.parametrize("scope", ["public", "all"])
async def test_only_so_many_events_are_ranked_and_the_answer_says_so(
    ada: Person, concerts: list[str], scope: str
) -> None:
    found, truncated = await search(ada, q="concert", scope=scope, limit=2)
    assert truncated is True
    assert set(concerts[5:8]) <= set(found) < set(concerts)
    assert len(found) == len(set(found)) <= 2 * 4


async def test_an_answer_with_everything_does_not_say_that_it_is_truncated(ada: Person, concerts: list[str]) -> None:
    for number in range(3):
        found, truncated = await search(ada, q="concert", scope="all", tag=f"t{number}")
        assert (found, truncated) == ([concerts[number]], None)
    window = {"from": (TODAY - timedelta(days=1, hours=1)).isoformat(), "to": TODAY.isoformat()}
    assert await search(ada, q="concert", scope="public", **window) == ([concerts[4]], None)


async def test_ones_own_events_are_all_ranked_however_many(ben: Person, concerts: list[str]) -> None:
    for scope in ("mine", "all"):
        found, truncated = await search(ben, q="concert", scope=scope)
        assert (sorted(found), truncated) == (concerts, None)


async def test_a_phrase_is_searched_in_more_events_than_are_ranked(ada: Person, concerts: list[str]) -> None:
    found, truncated = await search(ada, q='"concert 9"', scope="public")
    assert (found, truncated) == ([concerts[9]], None)


async def test_events_that_began_long_before_the_window_and_last_are_found(ada: Person, ben: Person) -> None:
    day = timedelta(days=1)
    for title, start, end, rule in (
        ("Fair, short", TODAY, TODAY + day / 4, None),
        ("Fair, a week", TODAY - 5 * day, TODAY + 2 * day, None),
        ("Fair, years", TODAY - 900 * day, TODAY + 2 * day, None),
        ("Fair, weekly", TODAY - 300 * day, TODAY - 300 * day + day / 4, "FREQ=WEEKLY"),
        ("Fair, over", TODAY - 5 * day, TODAY - 4 * day, None),
    ):
        times = {"start": start.isoformat(), "end": end.isoformat()}
        recurrence = {"rrule": rule} if rule else None
        await ben.event(title=title, visibility="public", recurrence=recurrence, **times)
    window = {"from": TODAY.isoformat(), "to": (TODAY + day).isoformat()}
    for scope in ("public", "all"):
        found, _ = await search(ada, q="fair", scope=scope, **window)
        assert sorted(found) == ["Fair, a week", "Fair, short", "Fair, weekly", "Fair, years"]

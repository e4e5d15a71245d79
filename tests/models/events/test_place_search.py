"""The events in a circle are those that a look at each event would give, and few others are read for a page."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from database.connection import Database
from database.queries import Id, new_id
from models.events.event import Event
from models.events.event_queries import EventSelection, near_filter
from models.events.event_schema import Scope
from models.events.event_search import search_place
from models.events.public_event_index import copy_public_event
from planner.domain.geo import MAX_RADIUS_KM, Circle
from tests.models.events.generated_events import DAYS, FIRST, LENGTHS
from tests.support.documents import build_event_document

pytestmark = pytest.mark.real_server("the mock knows no circles")
SCOPES: tuple[Scope, ...] = ("mine", "public", "all")
TAGS = ("books", "music", "sport")
CITY = (52.52, 13.405)
MIDDLES = [CITY, (90.0, 0.0), (-90.0, 77.0), (0.0, 180.0), (0.0, -180.0), (35.3, 45.0), (45.0, 0.0), (-33.9, 151.2)]
DISTANCES = (0.000001, 0.001, 0.5, 2, 30, 400, 5_000, 15_000, 20_000, MAX_RADIUS_KM)
RULES = ("FREQ=WEEKLY", "FREQ=DAILY;COUNT=4", "FREQ=MONTHLY;COUNT=30")


def place_near(dice: random.Random) -> dict[str, float]:
    """A point at, near or far from one of the middles."""
    lat, lon = dice.choice(MIDDLES)
    reach = dice.choice((0, 0.001, 0.1, 5, 90))
    lat = max(-90.0, min(90.0, lat + dice.uniform(-reach, reach)))
    return {"lat": lat, "lon": (lon + dice.uniform(-reach, reach) + 180) % 360 - 180}


def generate(dice: random.Random, people: list[Id], number: int) -> list[Event]:
    """Events of every kind, most of them with a place."""
    events = []
    for _ in range(number):
        fields: dict[str, Any] = {"tags": dice.sample(TAGS, dice.randrange(3))}
        fields["visibility"] = dice.choice(("private", "unlisted", "public", "public"))
        if dice.random() < 0.9:
            fields["geo"] = place_near(dice)
        if dice.random() < 0.95:
            start = FIRST + timedelta(hours=dice.randrange(DAYS * 24))
            length = timedelta(hours=1 + dice.randrange(dice.choice(LENGTHS)[0]))
            fields |= {"start": start.isoformat(), "end": (start + length).isoformat()}
            if dice.random() < 0.3:
                fields["end"] = (start + timedelta(hours=1)).isoformat()
                fields["recurrence"] = {"rrule": dice.choice(RULES)}
        events.append(build_event_document(dice.choice(people), **fields))
    return events


async def store(database: Database, events: list[Event]) -> None:
    await database.handle["events"].insert_many([event.to_stored() for event in events])
    copies = [copy.to_stored() for event in events if (copy := copy_public_event(event))]
    await database.handle["public_event_index"].insert_many(copies)


async def list_pages(selection: EventSelection, limit: int) -> list[str]:
    """The ids of a whole list, read page by page."""
    ids: list[str] = []
    after = None
    while True:
        views, has_more = await search_place(selection, after, limit)
        assert len(views) == limit or not has_more
        ids += [view.id for view in views]
        if not has_more:
            return ids
        after = views[-1].key


def matches(event: Event, selection: EventSelection) -> bool:
    """Whether an event is of the scope, and has the tag and a part of the window."""
    (since, until), is_mine, is_public = (
        selection.window,
        event.creator == selection.caller,
        event.visibility == "public",
    )
    if not {"mine": is_mine, "public": is_public, "all": is_mine or is_public}[selection.scope]:
        return False
    if selection.tag is not None and selection.tag not in event.tag_keys:
        return False
    if event.ends is None:
        return since is None and until is None
    return (until is None or event.begins < until) and (since is None or event.ends > since)


async def test_a_list_of_a_circle_equals_a_comparison_with_every_event(database: Database) -> None:
    dice, people = random.Random(7), [new_id() for _ in range(3)]
    events = generate(dice, people, 500)
    await store(database, events)
    events.sort(key=lambda event: event.key)
    for _ in range(200):
        middle = dice.choice((*MIDDLES, (dice.uniform(-90, 90), dice.uniform(-180, 180))))
        circle = Circle(*middle, dice.choice(DISTANCES))
        bounds = sorted(FIRST + timedelta(hours=dice.randrange(DAYS * 24)) for _ in range(2))
        window: tuple[datetime | None, datetime | None] = (
            dice.choice((bounds[0], None)),
            dice.choice((bounds[1] + timedelta(hours=1), None)),
        )
        tag = dice.choice((None, None, *TAGS))
        selection = EventSelection(dice.choice(SCOPES), dice.choice(people), window, tag, circle)
        # The database itself says what is in a circle, without the cells.
        inside = await database.handle["events"].find(near_filter(circle), {"_id": 1}).to_list(None)
        ids = {stored["_id"] for stored in inside}
        expected = [str(event.id) for event in events if event.id in ids and matches(event, selection)]
        assert await list_pages(selection, dice.choice((3, 50))) == expected, selection


async def test_an_event_that_changed_while_a_circle_was_searched_is_left_out_and_the_next_page_follows(
    database: Database,
) -> None:
    ada = new_id()
    fields: dict[str, Any] = {"geo": {"lat": CITY[0], "lon": CITY[1]}, "visibility": "public"}
    events = [build_event_document(ada, start=f"2026-12-{day:02}", **fields) for day in range(1, 8)]
    await store(database, events)
    stored = database.handle["events"]
    # As it looks to a search that read the copies before, and the events after the change: one after the other is
    # private, deleted, at another time, and two more are private, so that nothing is left of a page.
    await stored.update_one({"_id": events[1].id}, {"$set": {"visibility": "private"}})
    await stored.delete_one({"_id": events[2].id})
    await stored.update_one({"_id": events[3].id}, {"$set": {"key": "3"}})
    await stored.update_many({"_id": {"$in": [events[4].id, events[5].id]}}, {"$set": {"visibility": "private"}})
    selection, after, seen = EventSelection("public", new_id(), near=Circle(*CITY, 2)), None, []
    while True:
        views, has_more = await search_place(selection, after, 2)
        seen += [view.id for view in views]
        if not has_more:
            break
        after = views[-1].key
    assert seen == [str(events[0].id), str(events[6].id)]

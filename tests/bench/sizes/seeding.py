"""Many events of many people, written directly into a database.

Every event is public, and has one of 100 tags. Of a thousand, ten recur weekly without an end and twenty on four
days. A tenth have the words of `COMMON` in their titles, and as many are in one city.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from pymongo import MongoClient

from database.queries import Id
from models.events.event import Event
from models.events.public_event_index import copy_public_event
from planner.domain.recurrence.documents import ENDLESS_INSTANT, series_from_event
from planner.domain.recurrence.hours import list_hours
from planner.domain.times import build_order_key
from tests.support.documents import build_event_document

PEOPLE = 1_000
TAGS = 100
COMMON = "choir rehearsal"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 730
CITY = (52.52, 13.405)
_BATCH = 2_000
_RULES = {None: 970, "FREQ=DAILY;COUNT=4": 20, "FREQ=WEEKLY": 10}
_SUBJECTS = (
    *("book club", "harbour walk", "chess evening", "bicycle repair", "garden day", "film night", "first aid"),
    *("pottery course", "board meeting"),
)
_DESCRIPTION = (
    "We meet at the boathouse, walk along the quays to the lighthouse and are back before dark. Bring something warm."
)


class _Template(NamedTuple):
    """A stored event that begins at `FIRST`, and its searchable copy."""

    event: dict[str, Any]
    copy: dict[str, Any]


def _build_template(rule: str | None, number: int, dice: random.Random) -> _Template:
    subject = COMMON if number % 10 == number // TAGS % 10 else dice.choice(_SUBJECTS)
    fields: dict[str, Any] = {"recurrence": {"rrule": rule}} if rule else {}
    if dice.random() < 0.2:
        lat, lon = CITY if dice.random() < 0.5 else (48.0, 9.0)
        fields["geo"] = {"lat": lat + dice.uniform(-0.2, 0.2), "lon": lon + dice.uniform(-0.3, 0.3)}
    event = build_event_document(
        Id(),
        title=f"{subject.capitalize()} {number}",
        description=_DESCRIPTION,
        tags=[f"Tag{number % TAGS}"],
        visibility="public",
        start=FIRST.isoformat(),
        end=(FIRST + timedelta(hours=1)).isoformat(),
        **fields,
    )
    copy = copy_public_event(event)
    assert copy is not None
    return _Template(event.to_stored(), copy.to_stored())


def generate_events(number: int, creators: list[Id], seed: int = 1) -> Iterator[_Template]:
    """Yield so many stored events of these people, spread over `DAYS` days, and their searchable copies."""
    dice = random.Random(seed)
    templates = {rule: [_build_template(rule, n, dice) for n in range(TAGS * 10)] for rule in _RULES}
    kinds = dice.choices(list(_RULES), list(_RULES.values()), k=number)
    for n, rule in enumerate(kinds):
        template = templates[rule][dice.randrange(TAGS * 10)]
        yield _move(template, creators[n % len(creators)], timedelta(minutes=15 * dice.randrange(DAYS * 96)))


def _move(template: _Template, creator: Id, by: timedelta) -> _Template:
    """Return the event of another person at a later time; its time zone is UTC, which makes that an addition."""
    stored, id = template.event, Id()
    begins, ends = stored["begins"] + by, stored["ends"]
    ends = ends if ends == ENDLESS_INSTANT else ends + by
    key = build_order_key(begins, str(id))
    times = {
        "start": begins.replace(tzinfo=None).isoformat(),
        "end": (begins + timedelta(hours=1)).replace(tzinfo=None).isoformat(),
        "begins": begins,
    }
    common = {"_id": id, "creator": creator, "ends": ends, "key": key}
    event = stored | times | common
    if event.get("repeats"):
        event["hours"] = list_hours(series_from_event(Event.from_stored(event)))
    return _Template(event, template.copy | common)


def seed_events(url: str, database: str, number: int, *, change_number: int = 1) -> None:
    """Write so many events of `PEOPLE` people; they count as numbered changes unless `change_number` is 0."""
    creators = [Id() for _ in range(PEOPLE)]
    with MongoClient[dict[str, Any]](url) as client:
        target = client[database]
        generated = generate_events(number, creators)
        while batch := list(islice(generated, _BATCH)):
            events = [template.event for template in batch]
            target[Event.Settings.name].insert_many(events, ordered=False)
            target["public_event_index"].insert_many([template.copy for template in batch], ordered=False)
            target["event_changes"].insert_many(
                [
                    {"_id": event["_id"], "creator": event["creator"], "public": True, "revision": 1}
                    | {"change_number": change_number}
                    for event in events
                ],
                ordered=False,
            )
        if change_number:
            target["change_sequences"].replace_one({"_id": "changes"}, {"value": change_number}, upsert=True)

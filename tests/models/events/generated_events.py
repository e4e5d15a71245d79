"""Generated events of many people, of every kind, and the same for the same seed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from database.queries import Id
from tests.support.documents import build_event

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 730
TAGS = ("books", "music", "sport", "food", "art", "talks", "film", "games")
# How long events last, in hours at most, and how many of a hundred do.
LENGTHS = ((24, 84), (8 * 24, 9), (64 * 24, 4), (512 * 24, 2), (4000 * 24, 1))


def _fields(dice: random.Random) -> dict[str, Any]:
    """Return the fields of an event as somebody might send them."""
    fields: dict[str, Any] = {
        "title": f"Event {dice.randrange(10**6)}",
        "tags": dice.sample(TAGS, dice.randrange(4)),
        "visibility": dice.choice(("private", "unlisted", "public", "public")),
    }
    if dice.random() < 0.05:
        return fields
    # Round hours, so that some begin at the same instant.
    start = FIRST + timedelta(hours=dice.randrange(DAYS * 24))
    (most,) = dice.choices([hours for hours, _ in LENGTHS], [share for _, share in LENGTHS])
    length = timedelta(hours=1 + dice.randrange(most))
    if dice.random() < 0.2:
        fields["start"] = f"{start:%Y-%m-%d}"
        if length >= timedelta(days=1):
            fields["end"] = f"{start + length:%Y-%m-%d}"
    else:
        fields |= {"start": start.isoformat(), "time_zone": dice.choice(("Europe/Berlin", "Asia/Tokyo", "UTC"))}
        if dice.random() < 0.9:
            fields["end"] = (start + length).isoformat()
    return fields


def generate_events(people: list[Id], number: int, seed: int) -> list[dict[str, Any]]:
    """Return so many events of these people; the first has as many as all the others together."""
    dice = random.Random(seed)
    return [build_event(dice.choice([people[0], *dice.choices(people[1:])]), **_fields(dice)) for _ in range(number)]

"""What other programs make of an export is, imported again, what it was before."""

from collections.abc import Callable
from typing import Any, Final

import icalendar
import pytest
from khal.icalendar import split_ics

from tests.services.files.round_trips.cases import CASES
from tests.services.files.test_importer import events, exported, imported
from tests.support.clients import Person, ok

# A window in which the unending series of the cases have less than a page of occurrences.
WINDOW = {"from": "2020-01-01", "to": "2028-01-01", "limit": 200}
OWN = {"id", "creator", "created_at", "updated_at", "revision"}


def through_icalendar(text: str) -> list[str]:
    """Return the file as the library writes it after reading it."""
    return [icalendar.Calendar.from_ical(text).to_ical().decode()]


def through_khal(text: str) -> list[str]:
    """Return the files that khal stores of it, one for each UID."""
    return list(split_ics(text))


READERS: Final[dict[str, Callable[[str], list[str]]]] = {"icalendar": through_icalendar, "khal": through_khal}


async def shown(person: Person) -> list[Any]:
    """Return all occurrences of a person without what the server decides, in their order."""
    items = ok(await person.get("/events/occurrences", params=WINDOW))["items"]
    found = [{name: value for name, value in item.items() if name not in OWN} for item in items]
    # Dates have no time zone in a file (RFC 5545 §3.3.4): the days are those of whoever imports it.
    found = [item | {"time_zone": None if item["all_day"] else item["time_zone"]} for item in found]
    return sorted(found, key=lambda item: (item["start"], item["uid"]))


@pytest.mark.parametrize("name", CASES)
async def test_the_import_of_one_s_own_export_is_unchanged(ada: Person, name: str) -> None:
    created = (await imported(ada, CASES[name]))[0]
    assert created
    before = await events(ada)
    assert await imported(ada, await exported(ada)) == [0, 0, created]
    assert await events(ada) == before


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", CASES)
async def test_an_export_says_the_same_after_another_program_has_stored_it(
    ada: Person, ben: Person, name: str, reader: str
) -> None:
    created = (await imported(ada, CASES[name]))[0]
    files = READERS[reader](await exported(ada))
    assert [sum(counts) for counts in zip(*[await imported(ben, text) for text in files], strict=True)] == [
        created,
        0,
        0,
    ]
    before = await shown(ada)
    assert before
    after = await shown(ben)
    if reader == "khal":
        # It gives an end to what has none: an hour, or a day.
        after = [new | {"end": old["end"] and new["end"]} for old, new in zip(before, after, strict=True)]
    assert after == before

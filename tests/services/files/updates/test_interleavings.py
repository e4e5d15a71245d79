"""The organizer's messages and the user's changes in any order give what a simple model of both says."""

from random import Random
from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import exported, imported, only
from tests.support.clients import Person, ok

DAYS = (1, 8, 15, 22)
# The key of the series itself, beside those of its occurrences.
SERIES = 0
TEXTS = ("title", "description", "location")
PROPERTIES = {"title": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION"}
Values = dict[str, Any]


class Model:
    """What the organizer has said, and what is stored, for the series and for each occurrence by its day.

    Both have only those fields of an occurrence in which it differs from its series.
    """

    def __init__(self) -> None:
        self.versions: dict[int, tuple[int, int]] = {}
        # All that the newest message about the series or an occurrence says.
        self.messages: dict[int, Values] = {}
        self.written: dict[int, Values] = {day: {} for day in (SERIES, *DAYS)}
        self.stored: dict[int, Values] = {day: {} for day in (SERIES, *DAYS)}
        self.deleted: set[int] = set()

    def receive(self, day: int, version: tuple[int, int], message: Values) -> None:
        """Take a message, unless a newer one was there before."""
        if self.versions.get(day, (-1, -1)) >= version:
            return
        self.versions[day], self.messages[day] = version, message
        for key, said in self.messages.items():
            series = {} if key == SERIES else self.messages[SERIES]
            differing = {name: value for name, value in said.items() if key == SERIES or value != series.get(name)}
            self.stored[key] = merge(self.written[key], self.stored[key], differing)
            self.written[key] = differing

    def change(self, day: int, changes: Values) -> None:
        """Take a change by the user."""
        self.stored[day] = self.stored[day] | changes

    def occurrences(self) -> list[Values]:
        """Return the fields of each occurrence, in order of time."""
        found = []
        for day in DAYS:
            if day not in self.deleted:
                values = self.stored[SERIES] | self.stored[day]
                found.append({name: values[name] for name in (*TEXTS, "tags")} | {"hour": values.get("hour", 18)})
        return found


def merge(old: Values, own: Values, new: Values) -> Values:
    """Merge the fields of three sides, of which each may lack some."""
    merged: Values = {}
    for name in {*old, *own, *new}:
        before, mine, theirs = (side.get(name, "absent") for side in (old, own, new))
        if name == "tags" and "absent" not in (before, mine, theirs):
            value: Any = [tag for tag in theirs if tag in mine or tag not in before]
            value += [tag for tag in mine if tag not in before and tag not in value]
        elif mine == before or (theirs != before and name == "location"):
            value = theirs
        else:
            value = mine
        if value != "absent":
            merged[name] = value
    return merged


def render(day: int, version: tuple[int, int], message: Values) -> str:
    """Return the file of a message of the organizer."""
    sequence, stamp = version
    lines = [f"SEQUENCE:{sequence}", f"DTSTAMP:2026010{stamp}T000000Z", "DURATION:PT1H"]
    lines += [f"{PROPERTIES[name]}:{message[name]}" for name in TEXTS if message[name]]
    lines += [f"CATEGORIES:{','.join(message['tags'])}"] if message["tags"] else []
    if day == SERIES:
        return file(event("RRULE:FREQ=WEEKLY;COUNT=4", *lines))
    start = f"DTSTART:202605{day:02}T{message['hour']}0000Z"
    return file(event(f"RECURRENCE-ID:202605{day:02}T180000Z", *lines, start=start))


def make_message(random: Random, day: int) -> Values:
    message: Values = {name: random.choice(["one", "two", "three"]) for name in TEXTS}
    message["description"] = random.choice([None, "one", "two"])
    message["tags"] = random.choice([[], ["a"], ["a", "b"], ["b", "c"]])
    return message if day == SERIES else message | {"hour": random.choice([18, 19, 20])}


def make_changes(random: Random, day: int, tags: list[str]) -> Values:
    name = random.choice([*TEXTS, "tags"] if day == SERIES else TEXTS)
    if name == "tags":
        return {name: random.choice([[*tags, "own"] if "own" not in tags else tags, tags[1:], []])}
    return {name: random.choice(["mine", "two"])}


async def find_occurrences(person: Person) -> list[Values]:
    found = ok(await person.get("/events/occurrences?from=2026-05-01&to=2026-06-01"))["items"]
    return [{name: item[name] for name in (*TEXTS, "tags")} | {"hour": int(item["start"][11:13])} for item in found]


@pytest.mark.parametrize("seed", range(20))
async def test_messages_and_changes_in_any_order_give_what_the_model_says(ada: Person, seed: int) -> None:
    random, model = Random(seed), Model()
    keys = [random.choice((SERIES, SERIES, *DAYS)) for _ in range(12)]
    versions = [(random.randrange(4), random.randrange(1, 10)) for _ in keys]
    # A version is that of one message only.
    messages = {(key, version): make_message(random, key) for key, version in zip(keys, versions, strict=True)}
    sent = [*messages.items(), *random.sample(list(messages.items()), len(messages) // 3)]
    random.shuffle(sent)
    # The series comes first.
    oldest = (SERIES, (0, 1))
    sent.insert(0, (oldest, messages.get(oldest) or make_message(random, SERIES)))
    exports: list[str] = []
    for (key, version), message in sent:
        await imported(ada, render(key, version, message))
        model.receive(key, version, message)
        id = (await only(ada))["id"]
        action = random.randrange(5)
        day = random.choice([SERIES, *(day for day in DAYS[1:] if day not in model.deleted)])
        if action == 0 and day != SERIES and len(model.deleted) < 2:
            ok(await ada.delete(f"/events/{id}/occurrences/2026-05-{day:02}T18:00:00"), 204)
            model.deleted.add(day)
        elif action < 3:
            changes = make_changes(random, day, model.stored[SERIES]["tags"])
            path = f"/events/{id}" if day == SERIES else f"/events/{id}/occurrences/2026-05-{day:02}T18:00:00"
            ok(await ada.patch(path, json=changes))
            model.change(day, changes)
        elif action == 3:
            exports.append(await exported(ada))
            assert await imported(ada, random.choice(exports)) == [0, 0, 1]
        assert await find_occurrences(ada) == model.occurrences()

"""After a change, no exported line still says the old thing to programs that prefer it to the field."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import exported, imported, only
from tests.support.clients import Person, ok

# By the field, lines that repeat it as it is in the files of these tests.
TWINS = {
    "title": ["X-PLANNER-SUMMARY:Old title"],
    "description": ["X-ALT-DESC;FMTTYPE=text/html:<p>Old text</p>"],
    "location": ['X-APPLE-STRUCTURED-LOCATION;X-TITLE="Old: Room":geo:52.5,13.4', "X-MICROSOFT-LOCATIONS:Old"],
    "times": ["X-MICROSOFT-CDO-ALLDAYEVENT:FALSE"],
    "transparency": ["X-MICROSOFT-CDO-BUSYSTATUS:BUSY"],
}
OTHERS = ["X-A:1", "ATTENDEE:mailto:a@example.org", "X-GOOGLE-CONFERENCE:https://meet.google.com/abc"]
FIELDS = ["SUMMARY:Old title", "DESCRIPTION:Old text", "LOCATION:Old Room"]
EVERYTHING = [*FIELDS, *OTHERS, *(line for lines in TWINS.values() for line in lines)]
DAILY = ["DTEND:20260501T190000Z", "RRULE:FREQ=DAILY;COUNT=4"]
CHANGES: dict[str, Any] = {
    "title": {"title": "New title"},
    "description": {"description": "New text"},
    "location": {"location": "New Room"},
    "times": {"start": "2026-05-01T17:00:00Z", "end": "2026-05-01T18:30:00Z"},
    "transparency": {"transparency": "transparent"},
}
EVERY_CHANGE = pytest.mark.parametrize("what", CHANGES)


def vevents(text: str) -> list[list[str]]:
    """Return the lines of each VEVENT of a file."""
    parts = text.replace("\r\n ", "").split("BEGIN:VEVENT\r\n")[1:]
    return [part.split("\r\n") for part in parts]


def twins_in(lines: list[str]) -> set[str]:
    """Return which fields are repeated in the lines of a VEVENT, which must have all other lines."""
    assert set(OTHERS) <= set(lines)
    return {name for name, twins in TWINS.items() if set(twins) & set(lines)}


@EVERY_CHANGE
async def test_a_patch_takes_the_twins_of_what_it_changes_with_it(ada: Person, what: str) -> None:
    await imported(ada, file(event(*EVERYTHING, "DTEND:20260501T190000Z")))
    path = f"/events/{(await only(ada))['id']}"
    (before,) = vevents(await exported(ada))
    assert twins_in(before) == set(TWINS)
    ok(await ada.patch(path, json=CHANGES[what]))
    text = await exported(ada)
    assert twins_in(vevents(text)[0]) == set(TWINS) - {what}
    assert await imported(ada, text) == [0, 0, 1]
    # What is restored is restored with its twins.
    ok(await ada.post(f"{path}/restore"))
    assert twins_in(vevents(await exported(ada))[0]) == set(TWINS)


async def test_a_replaced_event_has_no_old_twins(ada: Person) -> None:
    await imported(ada, file(event(*EVERYTHING, "DTEND:20260501T190000Z")))
    path, times = f"/events/{(await only(ada))['id']}", {"start": "2026-05-01T18:00:00Z", "end": "2026-05-01T19:00:00Z"}
    ok(await ada.put(path, json={"title": "Old title", "description": "New text", **times}))
    assert twins_in(vevents(await exported(ada))[0]) == {"title", "times", "transparency"}


@EVERY_CHANGE
async def test_one_changed_occurrence_has_no_twins_of_what_the_series_says(ada: Person, what: str) -> None:
    await imported(ada, file(event(*EVERYTHING, *DAILY)))
    path = f"/events/{(await only(ada))['id']}/occurrences/2026-05-02T18:00:00"
    changes = {name: str(value).replace("05-01T", "05-02T") for name, value in CHANGES[what].items()}
    ok(await ada.patch(path, json=changes))
    text = await exported(ada)
    series, one = vevents(text)
    assert (twins_in(series), twins_in(one)) == (set(TWINS), set(TWINS) - {what})
    assert await imported(ada, text) == [0, 0, 1]


@EVERY_CHANGE
async def test_an_occurrence_with_an_entry_of_its_own_loses_the_twins_of_what_it_has_from_its_series(
    ada: Person, what: str
) -> None:
    # Its title and what repeats it are its own.
    own = [line for line in EVERYTHING if "title" not in line]
    one = event(
        *("SUMMARY:Own title", "X-PLANNER-SUMMARY:Own title", "X-B:2", *own),
        *("RECURRENCE-ID:20260502T180000Z", "DTEND:20260502T190000Z"),
        start="DTSTART:20260502T180000Z",
    )
    await imported(ada, file(event(*EVERYTHING, *DAILY), one))
    ok(await ada.patch(f"/events/{(await only(ada))['id']}", json=CHANGES[what]))
    text = await exported(ada)
    series, changed = vevents(text)
    assert (twins_in(series), twins_in(changed)) == (set(TWINS) - {what}, set(TWINS) - {what, "title"})
    assert {"SUMMARY:Own title", "X-PLANNER-SUMMARY:Own title", "X-B:2"} <= set(changed)
    assert await imported(ada, text) == [0, 0, 1]


async def test_following_occurrences_have_no_twins_of_what_was_changed_for_them(ada: Person) -> None:
    await imported(ada, file(event(*EVERYTHING, *DAILY)))
    path = f"/events/{(await only(ada))['id']}/occurrences/2026-05-03T18:00:00?scope=following"
    ok(await ada.patch(path, json={"description": "New text", "location": "New Room"}))
    first, second = vevents(await exported(ada))
    assert {"description", "location"} <= twins_in(first)
    assert twins_in(second) & {"title", "description", "location"} == {"title"}


async def test_an_alarm_displays_the_new_title(ada: Person) -> None:
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Old title", "X-SOUND:bell", "TRIGGER:-PT5M", "END:VALARM"]
    await imported(ada, file(event("SUMMARY:Old title", *alarm)))
    ok(await ada.patch(f"/events/{(await only(ada))['id']}", json={"title": "New title"}))
    text = await exported(ada)
    assert "Old title" not in text
    assert "DESCRIPTION:New title\r\nX-SOUND:bell" in text


async def test_alarms_of_one_occurrence_can_be_removed(ada: Person) -> None:
    alarm = ["BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;RELATED=END:-PT5M", "END:VALARM"]
    await imported(ada, file(event(*DAILY, *alarm)))
    path = f"/events/{(await only(ada))['id']}/occurrences"
    assert ok(await ada.patch(f"{path}/2026-05-02T18:00:00", json={"alarms": []}))["alarms"] == []
    assert [part.count("BEGIN:VALARM") for part in vevents(await exported(ada))] == [1, 0]
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    following = ok(await ada.patch(f"{path}/2026-05-03T18:00:00?scope=following", json={"alarms": []}))
    assert following["alarms"] == []
    another = [{"action": "audio", "trigger": "-PT6M", "related": "end"}]
    response = await ada.patch(f"{path}/2026-05-01T18:00:00", json={"alarms": another})
    assert ok(response, 422)["errors"][0]["pointer"] == "/alarms"


async def test_an_update_of_the_organizer_brings_no_twins_of_what_one_has_changed_oneself(ada: Person) -> None:
    await imported(ada, file(event(*EVERYTHING, *DAILY, "SEQUENCE:1")))
    path = f"/events/{(await only(ada))['id']}"
    ok(await ada.patch(path, json={"description": "My text"}))
    ok(await ada.patch(f"{path}/occurrences/2026-05-02T18:00:00", json={"title": "My title"}))
    update = [line for line in EVERYTHING if not line.startswith("LOCATION")]
    assert await imported(ada, file(event(*update, "LOCATION:Another", "X-C:3", *DAILY, "SEQUENCE:2"))) == [0, 1, 0]
    series, one = vevents(await exported(ada))
    assert {"DESCRIPTION:My text", "LOCATION:Another", "X-C:3"} <= set(series)
    assert twins_in(series) == set(TWINS) - {"description"}
    assert twins_in(one) == set(TWINS) - {"description", "title"}

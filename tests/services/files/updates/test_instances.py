"""Instances of an imported series: each has versions of its own, and what the user has changed in it stays."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import exported, imported, only
from tests.services.files.updates.test_updates import warnings
from tests.support.clients import Person, ok

DAYS = "from=2026-05-01&to=2026-06-05"
RULE = "RRULE:FREQ=WEEKLY;COUNT=4"


def series(sequence: int, *lines: str, hour: int = 18, stamp: int = 1) -> str:
    """Return the VEVENT of four weekly occurrences from 1 May 2026, each of an hour."""
    own = [] if any(line.startswith("SUMMARY") for line in lines) else ["SUMMARY:Choir"]
    head = [f"SEQUENCE:{sequence}", f"DTSTAMP:202601{stamp:02}T000000Z", "DURATION:PT1H", RULE, *own, *lines]
    return event(*head, start=f"DTSTART:20260501T{hour:02}0000Z")


def instance(sequence: int, *lines: str, day: int = 8, to: int = 20, of: str = "", stamp: int = 1) -> str:
    """Return the VEVENT of one occurrence, which is moved to another hour."""
    recurrence_id = of or f"RECURRENCE-ID:202605{day:02}T180000Z"
    own = [] if any(line.startswith("SUMMARY") for line in lines) else ["SUMMARY:Moved"]
    head = [f"SEQUENCE:{sequence}", f"DTSTAMP:202601{stamp:02}T000000Z", "DURATION:PT1H", recurrence_id, *own, *lines]
    return event(*head, start=f"DTSTART:202605{day:02}T{to}0000Z")


async def occurrences(person: Person) -> list[Any]:
    found: list[Any] = ok(await person.get(f"/events/occurrences?{DAYS}"))["items"]
    return found


async def starts(person: Person) -> list[str]:
    """Return the day and the hour of each occurrence, with the first letter of its title."""
    return [f"{item['start'][8:10]}-{item['start'][11:13]} {item['title'][0]}" for item in await occurrences(person)]


async def patch(person: Person, recurrence_id: str, **changes: Any) -> None:
    id = (await only(person))["id"]
    ok(await person.patch(f"/events/{id}/occurrences/{recurrence_id}", json=changes))


BOTH = ["01-18 C", "08-20 M", "15-18 C", "22-18 C"]
PLAIN = ["01-18 C", "08-18 C", "15-18 C", "22-18 C"]


@pytest.mark.parametrize("parts", [(instance(78), series(70)), (series(5), instance(2)), (instance(2), series(5))])
async def test_a_series_and_its_instance_are_both_there_in_any_order(ada: Person, ben: Person, parts: Any) -> None:
    for part in parts:
        await imported(ada, file(part))
    assert await starts(ada) == BOTH
    await imported(ben, file(*parts))
    assert await starts(ben) == BOTH


async def test_the_same_series_without_the_instance_leaves_the_instance_alone(ada: Person) -> None:
    await imported(ada, file(series(5)))
    await imported(ada, file(instance(2)))
    assert await imported(ada, file(series(5))) == [0, 0, 1]
    assert await imported(ada, file(series(5, "DESCRIPTION:x", stamp=2))) == [0, 1, 0]
    assert await imported(ada, file(series(6, "DESCRIPTION:y"))) == [0, 1, 0]
    assert await starts(ada) == BOTH


async def test_a_newer_series_takes_back_an_instance_that_its_file_had_before(ada: Person) -> None:
    await imported(ada, file(series(5), instance(5)))
    assert await imported(ada, file(series(5))) == [0, 0, 1]
    assert await starts(ada) == BOTH
    assert await imported(ada, file(series(6))) == [0, 1, 0]
    assert await starts(ada) == PLAIN


async def test_an_instance_with_a_higher_sequence_survives_newer_series(ada: Person) -> None:
    await imported(ada, file(series(1), instance(9)))
    await imported(ada, file(series(2, "SUMMARY:Band", "LOCATION:Hall")))
    assert await starts(ada) == ["01-18 B", "08-20 M", "15-18 B", "22-18 B"]
    assert [item["location"] for item in await occurrences(ada)] == ["Hall", None, "Hall", "Hall"]


async def test_an_outdated_instance_is_ignored_and_a_newer_one_in_an_outdated_series_is_not(ada: Person) -> None:
    await imported(ada, file(series(5), instance(5)))
    assert await imported(ada, file(instance(4, to=21))) == [0, 0, 1]
    assert await imported(ada, file(series(4, "SUMMARY:Old"), instance(4, to=21))) == [0, 0, 1]
    assert await imported(ada, file(series(4, "SUMMARY:Old"), instance(6, to=22))) == [0, 1, 0]
    assert await starts(ada) == ["01-18 C", "08-22 M", "15-18 C", "22-18 C"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_two_spellings_of_an_instance_the_newer_one_is_imported(ada: Person, is_first: bool) -> None:
    berlin = "RECURRENCE-ID;TZID=Europe/Berlin:20260508T200000"
    parts = [instance(1, of=berlin, to=21), instance(2, to=22)]
    await imported(ada, file(series(0), *(parts if is_first else reversed(parts))))
    assert await starts(ada) == ["01-18 C", "08-22 M", "15-18 C", "22-18 C"]
    for part, hour in ((instance(1, of=berlin, to=21), 22), (instance(3, of=berlin, to=23), 23)):
        await imported(ada, file(part))
        assert (await starts(ada))[1] == f"08-{hour} M"


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_an_equal_sequence_of_an_instance_the_later_dtstamp_wins(ada: Person, is_first: bool) -> None:
    parts = [instance(1, to=21, stamp=2), instance(1, to=22, stamp=3)]
    await imported(ada, file(series(0, stamp=9), *(parts if is_first else reversed(parts))))
    assert (await starts(ada))[1] == "08-22 M"
    for part in parts:
        await imported(ada, file(part))
    assert (await starts(ada))[1] == "08-22 M"


async def test_two_instances_of_which_none_is_newer_are_named(ada: Person) -> None:
    (reason,) = await warnings(ada, file(series(0), instance(1, "SUMMARY:One"), instance(1, "SUMMARY:Two", to=21)))
    assert '"One" at 2026-05-08T20:00:00' in reason


def cancel(*lines: str) -> str:
    return file(event(*lines, start=None), head="METHOD:CANCEL\r\n")


@pytest.mark.parametrize(
    "recurrence_id",
    ["RECURRENCE-ID:20260508T180000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20260508T200000"],
)
async def test_a_cancellation_needs_only_a_recurrence_id_and_a_sequence(ada: Person, recurrence_id: str) -> None:
    await imported(ada, file(series(1), instance(1, "LOCATION:Hall")))
    before = await occurrences(ada)
    assert await imported(ada, cancel(recurrence_id, "SEQUENCE:2")) == [0, 1, 0]
    after = await occurrences(ada)
    assert [item["status"] for item in after] == ["confirmed", "cancelled", "confirmed", "confirmed"]
    for name in ("title", "start", "end", "location"):
        assert [item[name] for item in after] == [item[name] for item in before]
    assert await imported(ada, cancel(recurrence_id, "SEQUENCE:2")) == [0, 0, 1]
    assert await imported(ada, file(instance(1, "LOCATION:Hall"))) == [0, 0, 1]
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    assert await imported(ada, file(instance(3))) == [0, 1, 0]
    assert await starts(ada) == BOTH


async def test_an_occurrence_of_an_all_day_series_is_cancelled_by_its_date(ada: Person) -> None:
    await imported(ada, file(event(RULE, start="DTSTART;VALUE=DATE:20260501")))
    assert await imported(ada, cancel("RECURRENCE-ID;VALUE=DATE:20260508", "SEQUENCE:1")) == [0, 1, 0]
    assert [item["status"] for item in await occurrences(ada)][1] == "cancelled"


async def test_what_does_not_take_place_cannot_be_cancelled(ada: Person) -> None:
    await imported(ada, file(series(1)))
    result = await imported(ada, cancel("RECURRENCE-ID:20260509T180000Z", "SEQUENCE:2"))
    assert "2026-05-09T18:00:00" in result[3][0]["reason"]
    assert await starts(ada) == PLAIN


async def test_a_series_is_cancelled_with_its_instances_and_keeps_their_titles(ada: Person) -> None:
    await imported(ada, file(series(1), instance(1, "STATUS:TENTATIVE")))
    assert await imported(ada, cancel("SEQUENCE:2")) == [0, 1, 0]
    assert {item["status"] for item in await occurrences(ada)} == {"cancelled"}
    assert await starts(ada) == BOTH


async def test_notes_and_deleted_occurrences_move_along_with_the_series(ada: Person) -> None:
    await imported(ada, file(series(0)))
    await patch(ada, "2026-05-08T18:00:00", description="Bring cake", tags=["mine"])
    id = (await only(ada))["id"]
    ok(await ada.delete(f"/events/{id}/occurrences/2026-05-15T18:00:00"), 204)
    assert await imported(ada, file(series(1, "LOCATION:Hall", hour=14))) == [0, 1, 0]
    assert await starts(ada) == ["01-14 C", "08-14 C", "22-14 C"]
    found = (await occurrences(ada))[1]
    assert (found["description"], found["tags"], found["location"]) == ("Bring cake", ["mine"], "Hall")
    assert await imported(ada, file(series(1, "LOCATION:Hall", hour=14))) == [0, 0, 1]
    assert await imported(ada, await exported(ada)) == [0, 0, 1]


async def test_an_update_of_an_instance_leaves_the_users_notes_and_replaces_their_times(ada: Person) -> None:
    await imported(ada, file(series(0)))
    await patch(ada, "2026-05-08T18:00:00", description="Bring cake", start="2026-05-08T08:00:00Z", title="Cake")
    found = await warnings(ada, file(instance(1, "SUMMARY:Choir", "LOCATION:Hall", to=21)))
    assert len(found) == 1 and "2026-05-08T18:00:00" in found[0] and "times" in found[0]
    moved = (await occurrences(ada))[1]
    assert (moved["start"], moved["title"], moved["description"], moved["location"]) == (
        *("2026-05-08T21:00:00Z", "Cake", "Bring cake", "Hall"),
    )


async def test_what_the_user_has_changed_in_the_series_also_holds_for_an_updated_instance(ada: Person) -> None:
    await imported(ada, file(series(0)))
    id = (await only(ada))["id"]
    ok(await ada.patch(f"/events/{id}", json={"tags": ["mine"], "reminders": [5], "description": "Note"}))
    await imported(ada, file(instance(1)))
    moved = (await occurrences(ada))[1]
    assert (moved["title"], moved["tags"], moved["description"]) == ("Moved", ["mine"], "Note")


async def test_a_series_that_the_user_has_moved_keeps_its_times_and_takes_the_organizers_other_changes(
    ada: Person,
) -> None:
    await imported(ada, file(series(0)))
    id = (await only(ada))["id"]
    ok(await ada.patch(f"/events/{id}", json={"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}))
    await imported(ada, file(series(1, "LOCATION:Hall")))
    assert await starts(ada) == ["01-10 C", "08-10 C", "15-10 C", "22-10 C"]
    await imported(ada, file(instance(2)))
    assert await starts(ada) == ["01-10 C", "08-20 M", "15-10 C", "22-10 C"]


async def test_dates_that_the_user_or_the_organizer_adds_and_deletes_are_combined(ada: Person) -> None:
    await imported(ada, file(series(0, "RDATE:20260502T180000Z")))
    found = await only(ada)
    rdates = [*found["recurrence"]["rdates"], "2026-05-03T18:00:00Z"]
    ok(await ada.patch(f"/events/{found['id']}", json={"recurrence": found["recurrence"] | {"rdates": rdates}}))
    ok(await ada.delete(f"/events/{found['id']}/occurrences/2026-05-22T18:00:00"), 204)
    await imported(ada, file(series(1, "RDATE:20260504T180000Z", "EXDATE:20260515T180000Z")))
    assert await starts(ada) == ["01-18 C", "03-18 C", "04-18 C", "08-18 C"]


async def test_what_the_user_has_cut_off_does_not_come_back_when_the_organizer_moves_the_series(ada: Person) -> None:
    await imported(ada, file(series(0)))
    id = (await only(ada))["id"]
    ok(await ada.delete(f"/events/{id}/occurrences/2026-05-15T18:00:00?scope=following"), 204)
    await imported(ada, file(series(1, "LOCATION:Hall", hour=14)))
    assert await starts(ada) == ["01-14 C", "08-14 C"]
    await imported(ada, file(series(2, hour=15)))
    assert await starts(ada) == ["01-15 C", "08-15 C"]
    assert await imported(ada, file(series(2, hour=15))) == [0, 0, 1]
    # A new rule is one for all.
    await imported(ada, file(series(3, hour=15).replace("COUNT=4", "COUNT=3")))
    assert await starts(ada) == ["01-15 C", "08-15 C", "15-15 C"]

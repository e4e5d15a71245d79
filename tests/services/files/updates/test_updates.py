"""Updates by the organizer of an imported event: whose revision counts, and what of the user's own stays."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import exported, imported, only, send
from tests.support.clients import Person, ok


def entry(*lines: str, sequence: int = 0, start: str = "20260601T100000Z", end: str = "20260601T110000Z") -> str:
    """Return a file with one entry, in the form in which an organizer sends it."""
    own = () if any(line.startswith("SUMMARY") for line in lines) else ("SUMMARY:s",)
    stamp = "DTSTAMP:20260101T000000Z"
    return file(event(stamp, f"SEQUENCE:{sequence}", f"DTEND:{end}", *own, *lines, start=f"DTSTART:{start}"))


LATER = {"start": "20260601T140000Z", "end": "20260601T150000Z"}


async def patch(person: Person, **changes: Any) -> Any:
    found = await only(person)
    return ok(await person.patch(f"/events/{found['id']}", json=changes))


async def warnings(person: Person, text: str) -> list[str]:
    return [warning["reason"] for warning in ok(await send(person, text))["warnings"]]


async def test_an_update_is_applied_however_often_the_user_has_changed_the_event(ada: Person) -> None:
    await imported(ada, entry())
    await patch(ada, reminders=[10])
    await patch(ada, tags=["mine"])
    await patch(ada, tags=["mine", "too"])
    assert await imported(ada, entry(sequence=1, **LATER)) == [0, 1, 0]
    found = await only(ada)
    assert (found["start"], found["end"]) == ("2026-06-01T14:00:00Z", "2026-06-01T15:00:00Z")
    assert (found["reminders"], found["tags"]) == ([10], ["mine", "too"])


async def test_a_cancellation_is_applied_however_often_the_user_has_changed_the_event(ada: Person) -> None:
    await imported(ada, entry())
    for tags in (["a"], ["b"], ["c"], ["d"]):
        await patch(ada, tags=tags)
    cancel = file(event("SEQUENCE:2", start=None), head="METHOD:CANCEL\r\n")
    assert await imported(ada, cancel) == [0, 1, 0]
    found = await only(ada)
    assert (found["status"], found["title"], found["end"]) == ("cancelled", "s", "2026-06-01T11:00:00Z")
    assert await imported(ada, cancel) == [0, 0, 1]
    assert await imported(ada, entry(sequence=1)) == [0, 0, 1]
    assert await imported(ada, entry(sequence=3)) == [0, 1, 0]
    assert (await only(ada))["status"] == "confirmed"


async def test_what_only_the_user_has_changed_stays_and_the_rest_follows_the_organizer(ada: Person) -> None:
    await imported(ada, entry("DESCRIPTION:old", "CATEGORIES:a,b", "LOCATION:Here"))
    await patch(ada, visibility="public", color="teal", tags=["b", "mine"], reminders=[5], priority=3)
    update = entry("SUMMARY:new", "DESCRIPTION:new", "CATEGORIES:a,b,c", "LOCATION:There", sequence=1, **LATER)
    assert await imported(ada, update) == [0, 1, 0]
    found = await only(ada)
    assert (found["title"], found["description"], found["location"]) == ("new", "new", "There")
    assert (found["visibility"], found["color"], found["reminders"], found["priority"]) == ("public", "teal", [5], 3)
    assert found["tags"] == ["b", "c", "mine"]
    assert await imported(ada, update) == [0, 0, 1]


async def test_times_place_and_status_of_the_organizer_replace_those_of_the_user(ada: Person) -> None:
    await imported(ada, entry("LOCATION:Here", "GEO:1;2"))
    own = {"start": "2026-06-02T08:00:00Z", "end": "2026-06-02T09:00:00Z", "location": "Mine", "status": "tentative"}
    await patch(ada, **own)
    found = await warnings(ada, entry("LOCATION:There", "STATUS:CANCELLED", sequence=1, **LATER))
    assert any("times" in reason and "earlier revision" in reason for reason in found)
    now = await only(ada)
    assert (now["start"], now["location"], now["geo"], now["status"]) == (
        *("2026-06-01T14:00:00Z", "There", None, "cancelled"),
    )
    items = ok(await ada.get(f"/events/{now['id']}/revisions"))["items"]
    assert [item["revision"] for item in items] == [3, 2, 1]


async def test_a_text_that_both_have_changed_stays_the_users_and_a_warning_says_so(ada: Person) -> None:
    await imported(ada, entry("SUMMARY:Lunch"))
    await patch(ada, title="Lunch with Ann")
    (reason,) = await warnings(ada, entry("SUMMARY:Luncheon", sequence=1))
    assert "title" in reason and "yours is kept" in reason
    assert (await only(ada))["title"] == "Lunch with Ann"
    # What both have now is not in conflict any more, and the organizer's next change is one again.
    await patch(ada, title="Luncheon")
    assert await imported(ada, entry("SUMMARY:Supper", sequence=2)) == [0, 1, 0]
    assert (await only(ada))["title"] == "Supper"


async def test_what_the_user_has_moved_stays_there_if_the_organizer_changes_something_else(ada: Person) -> None:
    await imported(ada, entry())
    await patch(ada, start="2026-06-01T10:15:00Z", end="2026-06-01T11:00:00Z")
    await imported(ada, entry("SUMMARY:new", sequence=1))
    found = await only(ada)
    assert (found["title"], found["start"]) == ("new", "2026-06-01T10:15:00Z")


async def test_own_changes_survive_one_update_after_the_other(ada: Person) -> None:
    await imported(ada, entry("CATEGORIES:a"))
    await patch(ada, tags=["mine"], reminders=[1])
    for sequence in (1, 2, 3):
        await imported(ada, entry(f"DESCRIPTION:{sequence}", "CATEGORIES:a", sequence=sequence))
        found = await only(ada)
        assert (found["description"], found["tags"], found["reminders"]) == (str(sequence), ["mine"], [1])
    await patch(ada, color="teal")
    await imported(ada, entry("DESCRIPTION:4", "CATEGORIES:a,b", sequence=4))
    found = await only(ada)
    assert (found["tags"], found["color"], found["description"]) == (["b", "mine"], "teal", "4")


async def test_the_same_version_again_changes_nothing_that_the_user_has_changed(ada: Person) -> None:
    text = entry("CATEGORIES:a")
    await imported(ada, text)
    edited = await patch(ada, title="Mine", tags=[], start="2026-06-02T10:00:00Z", end="2026-06-02T11:00:00Z")
    assert await imported(ada, text) == [0, 0, 1]
    assert await only(ada) == edited


async def test_ones_own_export_changes_nothing_before_and_after_changes(ada: Person) -> None:
    await imported(ada, entry("CATEGORIES:a", "X-A:1", sequence=3))
    for changes in ({"tags": ["b"]}, {"title": "Mine"}, {"start": "2026-06-02T10:00:00Z", "end": None}):
        await patch(ada, **changes)
        before = await only(ada)
        assert await imported(ada, await exported(ada)) == [0, 0, 1]
        assert await only(ada) == before


async def test_an_old_export_does_not_undo_newer_changes(ada: Person) -> None:
    await imported(ada, entry("CATEGORIES:a"))
    exports = [await exported(ada)]
    for tags in (["b"], ["c"], []):
        await patch(ada, tags=tags, title=f"t{len(tags)}{tags}")
        exports.append(await exported(ada))
    before = await only(ada)
    for text in exports:
        assert await imported(ada, text) == [0, 0, 1]
    assert await only(ada) == before
    # Nor does it count as a version of the organizer.
    assert await imported(ada, entry("CATEGORIES:a", "DESCRIPTION:new", sequence=1)) == [0, 1, 0]
    assert ((await only(ada))["description"], (await only(ada))["tags"]) == ("new", [])


async def test_what_is_changed_in_ones_own_export_counts_as_ones_own_change(ada: Person) -> None:
    await imported(ada, entry("SUMMARY:Lunch"))
    await patch(ada, tags=["mine"])
    text = (await exported(ada)).replace("SUMMARY:Lunch", "SUMMARY:Mine")
    assert await imported(ada, text) == [0, 1, 0]
    assert await imported(ada, entry("SUMMARY:Lunch", "DESCRIPTION:x", sequence=1)) == [0, 1, 0]
    found = await only(ada)
    assert (found["title"], found["tags"], found["description"]) == ("Mine", ["mine"], "x")


async def test_an_export_has_the_sequence_of_the_organizer(ada: Person) -> None:
    await imported(ada, entry(sequence=7))
    await patch(ada, title="Mine")
    assert "SEQUENCE:7\r\n" in await exported(ada)


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_an_equal_sequence_the_later_dtstamp_wins_in_any_order(ada: Person, is_first: bool) -> None:
    old = event("SUMMARY:old", "DTSTAMP:20260101T000000Z")
    new = event("SUMMARY:new", "DTSTAMP:20260102T000000Z")
    one, other = (new, old) if is_first else (old, new)
    await imported(ada, file(one, other))
    assert (await only(ada))["title"] == "new"
    for text in (one, other):
        await imported(ada, file(text))
        assert (await only(ada))["title"] == "new"
    same = event("SUMMARY:new", "DTSTAMP:20260109T000000Z")
    assert await imported(ada, file(same)) == [0, 0, 1]
    await imported(ada, file(event("SUMMARY:between", "DTSTAMP:20260105T000000Z")))
    assert (await only(ada))["title"] == "new"


async def test_two_entries_of_which_none_is_newer_are_named(ada: Person) -> None:
    stamp = "DTSTAMP:20260101T000000Z"
    text = file(event("SUMMARY:one", stamp), event("SUMMARY:two", stamp, start="DTSTART:20260502T180000Z"))
    (reason,) = await warnings(ada, text)
    assert '"one" at 2026-05-01T18:00:00' in reason
    assert (await only(ada))["title"] == "two"
    assert await warnings(ada, file(event("SUMMARY:two", stamp), event("SUMMARY:two", stamp))) == []


async def test_an_invitation_that_one_has_declined_takes_no_time(ada: Person) -> None:
    def invitation(status: str, sequence: int) -> str:
        attendee = f"ATTENDEE;CN=Ada;PARTSTAT={status}:MAILTO:{ada.email.upper()}"
        other = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:x@example.org"
        lines = (f"SEQUENCE:{sequence}", other, attendee, "DTEND:20260601T110000Z")
        return file(event(*lines, start="DTSTART:20260601T100000Z"), head="METHOD:REQUEST\r\n")

    async def busy() -> int:
        return len(ok(await ada.get("/freebusy?from=2026-06-01&to=2026-06-02"))["busy"])

    await imported(ada, invitation("NEEDS-ACTION", 0))
    assert await busy() == 1
    await imported(ada, invitation("DECLINED", 0))
    assert await busy() == 0
    await patch(ada, tags=["a"])
    assert await busy() == 0
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    assert await imported(ada, invitation("DECLINED", 0)) == [0, 0, 1]
    await imported(ada, invitation("ACCEPTED", 1))
    assert await busy() == 1


async def test_an_update_does_not_bring_back_lines_that_repeat_what_the_user_has_replaced(ada: Person) -> None:
    lines = ("DESCRIPTION:old", "X-ALT-DESC;FMTTYPE=text/html:<b>old</b>", "X-KEPT:1")
    await imported(ada, entry(*lines))
    await patch(ada, description="mine")
    assert "X-ALT-DESC" not in await exported(ada)
    await imported(ada, entry("SUMMARY:new", *lines, sequence=1))
    text = await exported(ada)
    assert ("X-ALT-DESC" in text, "X-KEPT:1" in text, "SUMMARY:new" in text) == (False, True, True)
    await patch(ada, description="old")
    await imported(ada, entry("DESCRIPTION:new", "X-ALT-DESC:<b>new</b>", sequence=2))
    text = await exported(ada)
    assert ("X-ALT-DESC:<b>new</b>" in text, "DESCRIPTION:new" in text) == (True, True)


async def test_guests_of_an_occurrence_that_the_user_has_changed_follow_the_organizer(ada: Person) -> None:
    def series(sequence: int, guest: str) -> str:
        return entry(
            "RRULE:FREQ=DAILY;COUNT=3", "X-ALT-DESC:x", f"ATTENDEE:mailto:{guest}@example.org", sequence=sequence
        )

    await imported(ada, series(0, "ann"))
    id = (await only(ada))["id"]
    ok(await ada.patch(f"/events/{id}/occurrences/2026-06-02T10:00:00", json={"description": "mine"}))
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    await imported(ada, series(1, "ben"))
    text = await exported(ada)
    assert (text.count("ann@example.org"), text.count("ben@example.org"), text.count("X-ALT-DESC")) == (0, 2, 1)
    assert await imported(ada, series(1, "ben")) == [0, 0, 1]

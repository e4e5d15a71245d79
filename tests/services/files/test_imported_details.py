"""What an imported event says besides its fields: sent to its owner, kept, removed, and not made public by mistake."""

from typing import Any

import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import exported, imported, only, send
from tests.support.clients import Person, ok

END_ALARM = ["BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;RELATED=END:-PT5M", "END:VALARM"]
FIXED_ALARM = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Go", "TRIGGER;VALUE=DATE-TIME:20260501T090000Z"]
FIXED_ALARM += ["END:VALARM"]
DAILY = ["DTEND:20260501T190000Z", "RRULE:FREQ=DAILY;COUNT=3"]
INSTANCE = ["RECURRENCE-ID:20260502T180000Z", "DTEND:20260502T190000Z"]
WINDOW = "from=2026-05-01&to=2026-05-10"


async def occurrences(person: Person) -> list[Any]:
    found: list[Any] = ok(await person.get(f"/events/occurrences?{WINDOW}"))["items"]
    return found


async def test_organizer_attendees_conference_and_alarms_are_sent_to_the_owner(ada: Person) -> None:
    lines = ["ORGANIZER;CN=Ann:mailto:ann@example.org", "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org"]
    await imported(ada, file(event(*lines, "CONFERENCE:https://meet.example.org/1", *END_ALARM)))
    found = await only(ada)
    assert found["organizer"] == {"name": "Ann", "email": "ann@example.org"}
    assert found["attendees"] == [
        {"name": "Bob", "email": "bob@example.org", "status": "accepted", "role": "req-participant"}
    ]
    assert found["conference"] == "https://meet.example.org/1"
    assert found["alarms"] == [{"action": "audio", "trigger": "-PT5M", "related": "end", "description": None}]
    assert ok(await ada.get(f"/events/{found['id']}")) == found


async def test_an_event_that_says_nothing_besides_does_not_have_these_fields(ada: Person) -> None:
    assert not {"organizer", "attendees", "conference", "alarms"} & set(await ada.event())


@pytest.mark.parametrize("name", ["organizer", "attendees", "conference"])
async def test_people_and_conferences_cannot_be_written(ada: Person, name: str) -> None:
    await imported(ada, file(event("ORGANIZER:mailto:ann@example.org")))
    response = await ada.patch(f"/events/{(await only(ada))['id']}", json={name: None})
    assert ok(response, 422)["errors"][0]["pointer"] == f"/{name}"


async def test_an_occurrence_has_the_people_of_its_own_entry(ada: Person) -> None:
    ann, bob = "ATTENDEE:mailto:ann@example.org", "ATTENDEE:mailto:bob@example.org"
    one = event(*INSTANCE, bob, start="DTSTART:20260502T180000Z")
    await imported(ada, file(event(*DAILY, ann, *END_ALARM), one))
    found = await occurrences(ada)
    assert [[attendee["email"] for attendee in each["attendees"]] for each in found] == [
        ["ann@example.org"],
        ["bob@example.org"],
        ["ann@example.org"],
    ]
    assert [len(each["alarms"]) for each in found] == [1, 0, 1]


async def test_an_occurrence_whose_entry_says_nothing_besides_has_nobody_of_the_series(ada: Person) -> None:
    one = event(*INSTANCE, start="DTSTART:20260502T180000Z")
    await imported(ada, file(event(*DAILY, "ATTENDEE:mailto:ann@example.org"), one))
    assert [len(each["attendees"]) for each in await occurrences(ada)] == [1, 0, 1]


async def test_alarms_that_are_not_sent_back_are_removed(ada: Person) -> None:
    await imported(ada, file(event("X-A:1", *END_ALARM, *FIXED_ALARM, "BEGIN:VALARM", "TRIGGER:-PT7M", "END:VALARM")))
    found = await only(ada)
    path = f"/events/{found['id']}"
    fixed = {"action": "display", "trigger": "2026-05-01T09:00:00Z", "related": None, "description": "Go"}
    assert found["alarms"][1] == fixed
    # Another change leaves them alone.
    assert ok(await ada.patch(path, json={"priority": 1}))["alarms"] == found["alarms"]
    assert ok(await ada.patch(path, json={"alarms": [fixed]}))["alarms"] == [fixed]
    text = await exported(ada)
    assert ("RELATED=END" in text, "20260501T090000Z" in text, "-PT7M" in text, "X-A:1" in text) == (
        *(False, True, True, True),
    )
    assert ok(await ada.patch(path, json={"alarms": None}))["alarms"] == []
    assert (await exported(ada)).count("BEGIN:VALARM") == 1
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    assert ok(await ada.post(f"{path}/restore"))["alarms"] == [fixed]


@pytest.mark.parametrize(
    "alarms",
    [
        [{"action": "audio", "trigger": "-PT6M", "related": "end"}],
        [{"action": "audio", "trigger": "-PT5M", "related": "end"}] * 2,
        [{"action": "audio", "trigger": "-PT5M"}],
    ],
)
async def test_alarms_cannot_be_added_or_changed(ada: Person, alarms: list[Any]) -> None:
    await imported(ada, file(event(*END_ALARM)))
    path = f"/events/{(await only(ada))['id']}"
    for response in (
        await ada.patch(path, json={"alarms": alarms}),
        await ada.put(path, json={"title": "s", "start": "2026-05-01T18:00:00Z", "alarms": alarms}),
        await ada.post("/events", json={"title": "s", "alarms": alarms}),
    ):
        assert ok(response, 422)["errors"][0]["pointer"] == "/alarms"


async def test_an_event_that_is_replaced_keeps_the_alarms_that_are_sent(ada: Person) -> None:
    await imported(ada, file(event(*END_ALARM, *FIXED_ALARM)))
    found = await only(ada)
    body = {"title": "s", "start": "2026-05-01T18:00:00Z"}
    path = f"/events/{found['id']}"
    assert ok(await ada.put(path, json=body | {"alarms": found["alarms"][:1]}))["alarms"] == found["alarms"][:1]
    assert ok(await ada.put(path, json=body))["alarms"] == []


@pytest.mark.parametrize("line", ["CLASS:PRIVATE", "class;X-A=b:confidential", "CLASS:X-FAMILY"])
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_a_confidential_entry_is_shown_to_others_only_when_it_is_said_twice(
    ada: Person, ben: Person, line: str, visibility: str
) -> None:
    await imported(ada, file(event("SUMMARY:Doctor", line)))
    found = await only(ada)
    path, body = f"/events/{found['id']}", {"title": "Doctor", "start": "2026-05-01T18:00:00Z"}
    other = "public" if visibility == "unlisted" else "unlisted"
    for query in ("", f"?confirm_visibility={other}"):
        refused = ok(await ada.patch(path + query, json={"visibility": visibility}), 409)
        assert f"confirm_visibility={visibility}" in refused["detail"]
        ok(await ada.put(path + query, json=body | {"visibility": visibility}), 409)
    ok(await ben.get(path), 404)
    confirmed = f"?confirm_visibility={visibility}"
    assert ok(await ada.patch(path + confirmed, json={"visibility": visibility}))["visibility"] == visibility
    assert ok(await ben.get(path))["title"] == "Doctor"
    # What others see already need not be confirmed again.
    ok(await ada.patch(path, json={"title": "Dentist"}))
    ok(await ada.patch(path, json={"visibility": "private"}))
    ok(await ada.put(path, json=body | {"visibility": visibility}), 409)
    ok(await ada.put(path + confirmed, json=body | {"visibility": visibility}))


async def test_an_event_with_a_confidential_occurrence_is_confidential(ada: Person) -> None:
    await imported(ada, file(event(*DAILY), event(*INSTANCE, "CLASS:PRIVATE", start="DTSTART:20260502T180000Z")))
    path = f"/events/{(await only(ada))['id']}"
    ok(await ada.patch(path, json={"visibility": "public"}), 409)
    ok(await ada.patch(f"{path}?confirm_visibility=public", json={"visibility": "public"}))


async def test_an_earlier_revision_that_others_saw_is_restored_only_when_it_is_said_twice(ada: Person) -> None:
    await imported(ada, file(event("CLASS:PRIVATE")))
    path = f"/events/{(await only(ada))['id']}"
    ok(await ada.patch(f"{path}?confirm_visibility=public", json={"visibility": "public"}))
    ok(await ada.patch(path, json={"visibility": "private"}))
    ok(await ada.post(f"{path}/restore"), 409)
    assert ok(await ada.post(f"{path}/restore?confirm_visibility=public"))["visibility"] == "public"


@pytest.mark.parametrize("line", ["CLASS:PUBLIC", "X-CLASS:PRIVATE", "X-A:1"])
async def test_other_entries_become_public_at_once(ada: Person, line: str) -> None:
    await imported(ada, file(event(line)))
    ok(await ada.patch(f"/events/{(await only(ada))['id']}", json={"visibility": "public"}))


async def test_reminders_after_the_start_come_from_a_file_and_go_into_one(ada: Person, ben: Person) -> None:
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:s", "TRIGGER:PT9H", "END:VALARM"]
    await imported(ada, file(event("SUMMARY:s", *alarm, start="DTSTART;VALUE=DATE:20260501")))
    assert (await only(ada))["reminders"] == [-540]
    text = await exported(ada)
    assert [line for line in text.splitlines() if "TRIGGER" in line] == ["TRIGGER:PT9H"]
    await imported(ben, text)
    assert (await only(ben))["reminders"] == [-540]
    ok(await ada.patch(f"/events/{(await only(ada))['id']}", json={"reminders": []}))
    assert "VALARM" not in await exported(ada)


async def test_of_very_many_reminders_those_nearest_to_the_start_are_kept_with_a_warning(ada: Person) -> None:
    alarms = [
        line for n in range(-3, 9) for line in ("BEGIN:VALARM", f"TRIGGER:{'-' * (n > 0)}PT{abs(n)}H", "END:VALARM")
    ]
    answer = ok(await send(ada, file(event(*alarms))))
    assert answer["warnings"] == [{"uid": "a", "reason": "it has 12 reminders; the 10 nearest to the start were kept"}]
    assert (await only(ada))["reminders"] == [n * 60 for n in range(-3, 7)]


async def test_an_update_that_makes_a_public_event_confidential_has_a_warning(ada: Person) -> None:
    await imported(ada, file(event("SUMMARY:Party")))
    path = f"/events/{(await only(ada))['id']}"
    ok(await ada.patch(path, json={"visibility": "public"}))
    text = file(event("SUMMARY:Party", "CLASS:PRIVATE", "SEQUENCE:1"))
    reason = "its CLASS is not PUBLIC, but others can see your event; this was not changed"
    assert ok(await send(ada, text))["warnings"] == [{"uid": "a", "reason": reason}]
    assert ok(await ada.get(path))["visibility"] == "public"
    assert ok(await send(ada, file(event("SUMMARY:Later", "CLASS:PRIVATE", "SEQUENCE:2"))))["warnings"] == []


async def test_what_does_not_fit_is_named_in_a_warning(ada: Person) -> None:
    alarm = ["BEGIN:VALARM", "TRIGGER;RELATED=END:PT0S", f"X-SOUND:{'y' * 70_000}", "END:VALARM"]
    lines = ["X-A:1", f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{'x' * 70_000}", f"X-B:{'z' * 65_000}", "X-C:2"]
    answer = ok(await send(ada, file(event(*lines, *alarm))))
    reason = "what has no field here is longer than 64 KiB; some of it was left out: ATTACH, VALARM"
    assert answer["warnings"] == [{"uid": "a", "reason": reason}]
    text = await exported(ada)
    assert ("X-A:1" in text, "X-C:2" in text, "ATTACH" in text) == (True, True, False)

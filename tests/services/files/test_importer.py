"""Importing files: what is created, updated and left unchanged, and what is reported about the rest."""

from typing import Any

import httpx
import pytest

from tests.domain.ics.samples import APPLE, EXCHANGE, GOOGLE, THUNDERBIRD, event, file
from tests.support.clients import Person, ok

KIND = {"content-type": "text/calendar"}


async def send(person: Person, text: str | bytes, query: str = "", **headers: str) -> httpx.Response:
    content = text.encode() if isinstance(text, str) else text
    return await person.post(f"/events/import{query}", content=content, headers=KIND | headers)


async def imported(person: Person, text: str, query: str = "") -> list[Any]:
    """Import a file; return the numbers of created, updated and unchanged events, and the failures if there are any."""
    body = ok(await send(person, text, query))
    assert set(body) == {"created", "updated", "unchanged", "failed", "warnings"}
    return [body["created"], body["updated"], body["unchanged"], *([body["failed"]] if body["failed"] else [])]


async def events(person: Person) -> list[Any]:
    found: list[Any] = ok(await person.get("/events?limit=200"))["items"]
    return found


async def only(person: Person) -> Any:
    (found,) = await events(person)
    return found


async def exported(person: Person) -> str:
    """Return the export of all events of a person."""
    response = await person.get("/events.ics")
    assert response.status_code == 200
    return response.text


async def test_an_entry_becomes_a_private_event_of_the_caller(ada: Person) -> None:
    assert await imported(ada, APPLE) == [1, 0, 0]
    found = await only(ada)
    assert found["uid"] == "5A1B2C3D-0000-4000-8000-00000000ABCD"
    assert found["title"] == "Dinner"
    assert found["start"] == "2026-06-20T17:00:00-07:00"
    assert found["geo"] == {"lat": 37.7955, "lon": -122.3937}
    assert found["reminders"] == [60]
    assert (found["visibility"], found["revision"], found["creator"]) == ("private", 1, ada.id)
    assert (await ada.me())["events"] == [found["id"]]
    assert "ics" not in found


@pytest.mark.parametrize("text", [GOOGLE, EXCHANGE, APPLE, THUNDERBIRD], ids=["google", "exchange", "apple", "mozilla"])
async def test_the_same_file_again_changes_nothing(ada: Person, text: str) -> None:
    created, _, _ = await imported(ada, text)
    before = await events(ada)
    assert await imported(ada, text) == [0, 0, created]
    assert await events(ada) == before


@pytest.mark.parametrize("text", [GOOGLE, EXCHANGE, APPLE, THUNDERBIRD], ids=["google", "exchange", "apple", "mozilla"])
async def test_the_export_of_an_import_changes_nothing_when_it_is_imported(ada: Person, text: str) -> None:
    created, _, _ = await imported(ada, text)
    before = await events(ada)
    assert await imported(ada, await exported(ada)) == [0, 0, created]
    assert await events(ada) == before


@pytest.mark.parametrize("text", [GOOGLE, EXCHANGE, APPLE, THUNDERBIRD], ids=["google", "exchange", "apple", "mozilla"])
async def test_the_export_of_an_imported_export_is_the_same(ada: Person, ben: Person, text: str) -> None:
    await imported(ada, text)
    first = await exported(ada)
    await imported(ben, first)
    stamps = ("DTSTAMP:", "CREATED:", "LAST-MODIFIED:")
    assert [line for line in (await exported(ben)).splitlines() if not line.startswith(stamps)] == [
        line for line in first.splitlines() if not line.startswith(stamps)
    ]


async def test_lines_without_a_field_are_exported_as_they_were_imported(ada: Person) -> None:
    lines = ["X-A;X-B=1:one\\, two", "X-C:3", "CLASS:PRIVATE"]
    await imported(ada, file(event(*lines)))
    text = await exported(ada)
    assert [line for line in text.splitlines() if line in lines] == lines


async def test_a_changed_entry_changes_its_event_and_nothing_else(ada: Person) -> None:
    await imported(ada, file(event("SUMMARY:Tea", "X-A:1", "SEQUENCE:4")))
    first = await only(ada)
    ok(await ada.patch(f"/events/{first['id']}", json={"visibility": "public"}))
    assert await imported(ada, file(event("SUMMARY:Cake", "SEQUENCE:5"))) == [0, 1, 0]
    found = await only(ada)
    assert (found["title"], found["id"], found["revision"], found["visibility"]) == ("Cake", first["id"], 3, "public")
    text = await exported(ada)
    assert "SEQUENCE:5" in text
    assert "X-A" not in text


async def test_an_entry_with_a_lower_sequence_than_the_event_is_ignored(ada: Person) -> None:
    await imported(ada, file(event("SUMMARY:Tea", "SEQUENCE:4")))
    assert await imported(ada, file(event("SUMMARY:Old", "SEQUENCE:3"))) == [0, 0, 1]
    found = await only(ada)
    ok(await ada.patch(f"/events/{found['id']}", json={"title": "Mine"}))
    assert await imported(ada, file(event("SUMMARY:Tea", "SEQUENCE:4"))) == [0, 0, 1]
    assert (await only(ada))["title"] == "Mine"


async def test_a_higher_sequence_is_stored_even_if_nothing_else_has_changed(ada: Person) -> None:
    await imported(ada, file(event("SEQUENCE:1")))
    assert await imported(ada, file(event("SEQUENCE:7"))) == [0, 1, 0]
    assert await imported(ada, file(event("SEQUENCE:7"))) == [0, 0, 1]
    assert "SEQUENCE:7" in await exported(ada)


async def test_the_times_of_creation_and_change_in_a_file_are_ignored(ada: Person) -> None:
    await imported(ada, file(event("CREATED:19990101T000000Z", "DTSTAMP:19990101T000000Z")))
    assert (await only(ada))["created_at"] > "2020"
    assert await imported(ada, file(event("CREATED:20010101T000000Z", "LAST-MODIFIED:20020101T000000Z"))) == [0, 0, 1]


async def test_an_entry_with_a_generated_uid_belongs_to_the_event_with_that_id(ada: Person, ben: Person) -> None:
    own = await ada.event(title="Tea", start="2026-05-01T18:00:00Z")
    entry = event("SUMMARY:Cake", "SEQUENCE:1", uid=own["uid"])
    assert await imported(ada, file(entry)) == [0, 1, 0]
    assert (await only(ada))["title"] == "Cake"
    assert await imported(ben, file(entry)) == [1, 0, 0]
    assert (await only(ben))["uid"] == own["uid"]
    assert await imported(ben, file(entry)) == [0, 0, 1]


async def test_a_dry_run_reports_what_would_change_and_changes_nothing(ada: Person) -> None:
    await imported(ada, file(event(uid="a"), event(uid="b")))
    before = await events(ada)
    bad = event("DTSTART : 2026", uid="d")
    again = file(event(uid="a"), event("SUMMARY:New", uid="b"), event(uid="c"), bad)
    result = await imported(ada, again, "?dry_run=true")
    assert result[:3] == [1, 1, 1]
    assert [failure["uid"] for failure in result[3]] == ["d"]
    assert await events(ada) == before
    assert await imported(ada, again) == result


async def test_an_invalid_entry_is_reported_and_the_others_are_imported(ada: Person) -> None:
    invalid = {
        "count": event("RRULE:FREQ=DAILY;COUNT=1000000000", uid="count"),
        "interval": event("RRULE:FREQ=DAILY;INTERVAL=0", uid="interval"),
        "secondly": event("RRULE:FREQ=SECONDLY", uid="secondly"),
        "never": event("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", uid="never"),
        "dates": event("RDATE:" + ",".join(["20260601T180000Z"] * 5_001), uid="dates"),
        "u" * 255: event(uid="u" * 256),
        "far": event("DURATION:P9000000D", uid="far"),
    }
    result = await imported(ada, file(*invalid.values(), event(uid="good")))
    reasons = {failure["uid"]: failure["reason"] for failure in result[3]} if len(result) > 3 else {}
    assert "from 1 to 10000" in reasons["count"]
    assert "INTERVAL" in reasons["interval"]
    assert "longer period than FREQ=SECONDLY" in reasons["secondly"]
    assert "match at least one day" in reasons["never"]
    assert "5000 dates" in reasons["dates"]
    assert "uid" in reasons["u" * 255]
    assert "years 1 to 9999" in reasons["far"]
    assert {found["uid"] for found in await events(ada)} == {"good"}


async def test_occurrences_with_an_entry_of_their_own_become_overrides(ada: Person) -> None:
    await imported(ada, GOOGLE)
    found = ok(await ada.get("/events/occurrences?scope=mine&from=2026-03-02&to=2026-03-12"))["items"]
    assert [(item["title"], item["start"]) for item in found] == [
        ("Stand-up", "2026-03-02T09:30:00+01:00"),
        ("Stand-up", "2026-03-04T09:30:00+01:00"),
        ("Stand-up, later", "2026-03-11T11:00:00+01:00"),
    ]
    assert found[2]["recurrence_id"] == "2026-03-11T09:30:00"
    assert not {"ics", "reminders_", "sequence"} & set(found[2])
    # The entry of an occurrence is complete (RFC 5545 §3.8.4.4): this one has no alarm.
    assert found[2]["reminders"] == []


WEEKLY = event("RRULE:FREQ=WEEKLY;COUNT=4", "SUMMARY:Choir", "DURATION:PT1H")
MOVED = event("RECURRENCE-ID:20260508T180000Z", "SUMMARY:Moved", "DURATION:PT1H", start="DTSTART:20260508T200000Z")


async def starts(person: Person) -> list[tuple[str, str]]:
    found = ok(await person.get("/events/occurrences?scope=mine&from=2026-05-01&to=2026-06-01"))["items"]
    return [(item["start"], item["title"]) for item in found]


async def test_an_occurrence_without_its_series_becomes_an_override_of_the_stored_series(ada: Person) -> None:
    await imported(ada, file(WEEKLY))
    assert await imported(ada, file(MOVED)) == [0, 1, 0]
    assert ("2026-05-08T20:00:00Z", "Moved") in await starts(ada)
    assert len(await starts(ada)) == 4
    assert await imported(ada, file(MOVED.replace("SUMMARY", "SEQUENCE:1\r\nSUMMARY"))) == [0, 0, 1]


async def test_an_occurrence_of_an_unknown_series_is_an_event_until_the_series_is_imported(ada: Person) -> None:
    assert await imported(ada, file(MOVED)) == [1, 0, 0]
    assert await starts(ada) == [("2026-05-08T20:00:00Z", "Moved")]
    assert await imported(ada, file(MOVED)) == [0, 0, 1]
    assert await imported(ada, await exported(ada)) == [0, 0, 1]
    assert await imported(ada, file(WEEKLY, MOVED)) == [0, 1, 0]
    assert len(await starts(ada)) == 4


async def test_a_cancellation_sets_the_status_of_the_stored_event(ada: Person) -> None:
    await imported(ada, file(WEEKLY))
    one = event("RECURRENCE-ID:20260515T180000Z", "SUMMARY:Choir", "SEQUENCE:2", start="DTSTART:20260515T180000Z")
    assert await imported(ada, file(one, head="METHOD:CANCEL\r\n")) == [0, 1, 0]
    found = ok(await ada.get("/events/occurrences?scope=mine&from=2026-05-01&to=2026-06-01"))["items"]
    assert [item["status"] for item in found] == ["confirmed", "confirmed", "cancelled", "confirmed"]
    whole = event("SUMMARY:Choir", "SEQUENCE:3")
    assert await imported(ada, file(whole, head="METHOD:CANCEL\r\n")) == [0, 1, 0]
    cancelled = await only(ada)
    assert (cancelled["status"], cancelled["recurrence"]["rrule"]) == ("cancelled", "FREQ=WEEKLY;COUNT=4")
    assert await imported(ada, file(whole, head="METHOD:CANCEL\r\n")) == [0, 0, 1]
    result = await imported(ada, file(event(uid="b"), head="METHOD:CANCEL\r\n"))
    assert result[3] == [{"uid": "b", "reason": "it cancels an event that you do not have"}]


async def test_lines_and_parameters_in_another_order_change_nothing(ada: Person) -> None:
    await imported(ada, file(event('ATTENDEE;CN="Ann";ROLE=CHAIR:mailto:a@example.org', "X-A:a\\, b", "X-B:1")))
    again = file(event("X-B:1", "x-a:a\\, b", "ATTENDEE;ROLE=CHAIR;CN=Ann:mailto:a@example.org"))
    assert await imported(ada, again) == [0, 0, 1]


async def test_a_change_by_import_is_a_revision_like_any_other(ada: Person) -> None:
    await imported(ada, file(event("SUMMARY:Tea")))
    await imported(ada, file(event("SUMMARY:Cake")))
    id = (await only(ada))["id"]
    found = ok(await ada.get(f"/events/{id}/revisions"))["items"]
    assert [item["revision"] for item in found] == [2, 1]


@pytest.mark.parametrize(
    ("content", "status", "part"),
    [
        (b"", 422, "BEGIN:VCALENDAR"),
        (b"hello", 422, "BEGIN:VCALENDAR"),
        (b"BEGIN:VCALENDAR\xff\xfe", 422, "BEGIN:VCALENDAR"),
        (b"a" * (1024 * 1024 + 1), 413, "line"),
        (b"BEGIN:X\r\n" * 500_001, 413, "lines"),
        (b"BEGIN:VEVENT\r\n" * 20_001, 413, "entries"),
    ],
)
async def test_a_file_that_cannot_be_imported_at_all_is_refused(
    ada: Person, content: bytes, status: int, part: str
) -> None:
    response = await send(ada, content)
    assert response.status_code == status
    body = response.json()
    assert part in body["detail"] + "".join(error["message"] for error in body.get("errors", ()))


async def test_a_compressed_file_is_refused_unread(ada: Person) -> None:
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, identity"):
        assert (await send(ada, b"\x1f\x8b", **{"content-encoding": coding})).status_code == 415
    assert (await send(ada, file(event()), **{"content-encoding": "identity"})).status_code == 200


async def test_a_file_in_another_charset_is_read_if_it_is_declared(ada: Person) -> None:
    content = file(event("SUMMARY:Frühstück")).encode("latin-1")
    (warning, *_) = ok(await send(ada, content))["warnings"]
    assert warning["uid"] == "a" and "octets" in warning["reason"]
    assert (await only(ada))["title"] == "Fr\ufffdhst\ufffdck"
    for charset, octets in (("ISO-8859-1", content), ("utf-16", content.decode("latin-1").encode("utf-16"))):
        ok(await send(ada, octets, **{"content-type": f"text/calendar; charset={charset}"}))
        assert (await only(ada))["title"] == "Frühstück"
    assert (await send(ada, content, **{"content-type": "text/calendar; charset=klingon"})).status_code == 415


async def test_a_repeated_request_gets_the_first_result(ada: Person) -> None:
    key = {"idempotency-key": "one"}
    first = ok(await send(ada, file(event()), **key))
    assert first["created"] == 1
    assert ok(await send(ada, file(event()), **key)) == first
    assert (await send(ada, file(event(uid="b")), **key)).status_code == 422
    assert (await send(ada, file(event()), "?dry_run=true", **key)).status_code == 422


async def test_a_large_file_is_read_by_a_process_of_its_own_and_imported_as_a_whole(ada: Person) -> None:
    many = [event(f"SUMMARY:Event {n}", f"DESCRIPTION:{'x' * 50}", uid=f"{n}") for n in range(300)]
    text = file(*many, event("DTSTART : 2026", uid="bad"))
    assert len(text) > 16 * 1024
    result = await imported(ada, text)
    assert result[:3] == [300, 0, 0]
    assert [failure["uid"] for failure in result[3]] == ["bad"]
    assert len((await ada.me())["events"]) == 300
    assert (await imported(ada, text))[:3] == [0, 0, 300]


async def test_an_import_cannot_change_events_of_others(ada: Person, ben: Person) -> None:
    theirs = await ben.event(uid="a", title="Ben's", visibility="public")
    assert await imported(ada, file(event("SUMMARY:Ada's"))) == [1, 0, 0]
    assert await imported(ada, file(event(uid=f"{theirs['id']}@planner"))) == [1, 0, 0]
    assert ok(await ben.get(f"/events/{theirs['id']}"))["title"] == "Ben's"


async def test_occurrences_that_would_make_an_event_too_large_fail(ada: Person) -> None:
    await imported(ada, file(event("RRULE:FREQ=DAILY")))

    def overrides_in(month: int) -> str:
        days = (f"2026{month:02}{day:02}T180000Z" for day in range(1, 29))
        long = f"DESCRIPTION:{'x' * 19_000}"
        return file(*(event(f"RECURRENCE-ID:{day}", long, start=f"DTSTART:{day}") for day in days))

    # Each file makes the event half a mebibyte larger.
    for month in (6, 7, 8):
        assert await imported(ada, overrides_in(month)) == [0, 1, 0]
    before = await only(ada)
    result = await imported(ada, overrides_in(9))
    assert result[:3] == [0, 0, 0]
    assert "larger than 2 MiB" in result[3][0]["reason"]
    assert await only(ada) == before

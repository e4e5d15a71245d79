"""A broken file is refused, or its entries are reported as failed; nothing else happens."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from database.bson_values import decode, encode
from models.events.event import Event
from planner.domain.ics.reading.components import NotACalendar
from planner.domain.ics.reading.entry_times import FloatingZone
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.ics.writing.vevent import render_vevents
from planner.errors import Invalid
from planner.services.files.import_drafts import build_draft
from planner.services.files.import_messages import decode_message, encode_message
from planner.services.files.import_worker import read_batches
from tests.domain.ics.samples import APPLE, EXCHANGE, GOOGLE, THUNDERBIRD, always, event, file, zone

SAMPLES = [GOOGLE, EXCHANGE, APPLE, THUNDERBIRD]
FRAGMENTS = [
    *("BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "END:VCALENDAR", "BEGIN:VTIMEZONE", "END:STANDARD"),
    *("", " ", "\t folded", ":", ";", "=", '"', "\x00", "\ufeff", "\u2028", "é" * 80, "UID:", "UID", "DTSTART"),
    *("DTSTART;VALUE=DATE:00010101", "DTSTART:99991231T235959Z", "DTSTART;TZID=:20260101T000000", "DTEND:00010101"),
    *("DTSTART;TZID=Asia/Tokyo:00010101T000000", "DTEND;TZID=America/New_York:99991231T235959", "DURATION:P9999999W"),
    *("RRULE:FREQ=DAILY;UNTIL=00010101", "RRULE:", "RRULE:FREQ=YEARLY;BYDAY=53MO", "EXDATE:", "EXDATE:,,,", "RDATE:"),
    *("RECURRENCE-ID:20260311T093000", "RECURRENCE-ID;VALUE=DATE:00010101", "SEQUENCE:-1", "SEQUENCE:99999999999"),
    *("GEO:nan;nan", "GEO:1e999;0", "URL:http://[", "IMAGE:https://[::1", "CATEGORIES:,,\\,", "STATUS:", "SUMMARY:"),
    *("TRIGGER:-P", "TRIGGER;RELATED=START:-PT99999999999M", "TZOFFSETTO:+2359", "TZOFFSETFROM:-0000", "METHOD:CANCEL"),
    *(
        "RDATE;VALUE=PERIOD:x/y",
        'X-A;B="c',
        "X-A;B=c;B=d:e",
        "ATTENDEE;CN=\\:x",
        "DTSTART;VALUE=PERIOD:1/2",
        "X:" + "\\" * 99,
    ),
]


def read(text: str) -> None:
    """Read a file to its end, as an import does, and export each event of it."""
    try:
        groups = parse_groups(text)
    except NotACalendar:
        return
    stamps: dict[str, Any] = {
        "revision": 1,
        **dict.fromkeys(("created_at", "updated_at"), datetime(2026, 1, 1, tzinfo=UTC)),
    }
    for group in groups:
        draft, failures, *_ = build_draft(group)
        assert draft is not None or failures
        for failure in failures:
            assert failure.reason and "Error" not in failure.reason
        if draft is not None:
            stored = Event.from_stored(decode(encode(draft.content)) | stamps)
            assert render_vevents(stored, draft.uid) is not None


@given(st.randoms(use_true_random=False), st.sampled_from(SAMPLES), st.integers(1, 6))
def test_a_file_whose_lines_were_changed_moved_and_inserted_is_read_to_its_end(
    chance: random.Random, sample: str, changes: int
) -> None:
    lines = sample.split("\r\n")
    for _ in range(changes):
        at = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[at : at + 1]
            case 1:
                lines.insert(at, chance.choice(FRAGMENTS))
            case 2:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case 3:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 4:
                name = lines[at].partition(":")[0]
                lines[at] = f"{name}:{chance.choice(FRAGMENTS).partition(':')[2]}"
            case _:
                letter = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:letter] + chance.choice('\x00\\;,:"=\t é9-TZ') + lines[at][letter:]
        lines = lines or [""]
    read("\r\n".join(lines))


@given(st.text(max_size=300))
@example("BEGIN:VCALENDAR\nBEGIN:VEVENT\n")
def test_any_text_is_read_to_its_end(text: str) -> None:
    read(text)
    read(f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260101T000000Z\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "latin-1", "cp1252", "utf-16", "utf-16-be"]))
def test_any_bytes_are_read_to_their_end(content: bytes, charset: str) -> None:
    try:
        batches = list(read_batches(content, charset, FloatingZone()))
    except Invalid:
        return
    assert [decode_message(encode_message(batch)) for batch in batches] == batches


@pytest.mark.parametrize(
    "start",
    [
        *(
            "DTSTART;VALUE=DATE:00010101",
            "DTSTART;VALUE=DATE:99991231",
            "DTSTART:00010101T000000Z",
            "DTSTART:99991231T235959Z",
        ),
        *("DTSTART;TZID=Asia/Tokyo:00010101T000000", "DTSTART;TZID=America/New_York:99991231T235959"),
        *("DTSTART;TZID=Mine:00010101T000000", "DTSTART;TZID=Other:99991231T235959"),
    ],
)
@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["RRULE:FREQ=DAILY"],
        ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:00010102T000000Z", "RDATE:99991230T000000Z"],
        ["DURATION:P1D"],
        ["DURATION:PT1H"],
        ["DTEND;TZID=Asia/Tokyo:99991231T235959"],
        ["DTEND;VALUE=DATE:99991231"],
        ["RECURRENCE-ID;TZID=Asia/Tokyo:00010101T000000"],
    ],
)
def test_an_entry_at_the_first_or_last_possible_time_is_read_to_its_end(start: str, lines: list[str]) -> None:
    whole = event(*lines, start=start)
    other = event(f"RECURRENCE-ID{start[7:]}", start="DTSTART:20260101T000000Z")
    read(file(zone("Mine", "+0200", "+0100"), always("Other", "-0300"), whole, other))

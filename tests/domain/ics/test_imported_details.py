"""People, conferences and alarms of imported entries, read from their lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.ics.content import format_parameter, split_line
from planner.domain.ics.imported_details import is_confidential, read_details


def details(*lines: str, alarms: list[list[str]] | None = None) -> Any:
    return read_details({"lines": list(lines), "alarms": alarms or []})


@pytest.mark.parametrize(
    ("line", "name", "email"),
    [
        ("ORGANIZER;CN=Ann:mailto:ann@example.org", "Ann", "ann@example.org"),
        ('organizer;cn="Ann: the; one":MAILTO:ann@example.org', "Ann: the; one", "ann@example.org"),
        ("ORGANIZER;CN=Ann ^'Bee^' ^^:mailto:ann@example.org", 'Ann "Bee" ^', "ann@example.org"),
        ("ORGANIZER:mailto:ann%2Bbooks@example.org", None, "ann+books@example.org"),
        ("ORGANIZER;CN= :ann@example.org", None, "ann@example.org"),
        ("ORGANIZER;CN=Ann;EMAIL=ann@example.org:urn:uuid:1", "Ann", "ann@example.org"),
        ("ORGANIZER;CN=Ann:/principals/ann/", "Ann", None),
        ("ORGANIZER;CN=Ann:invalid:nomail", "Ann", None),
        ('ORGANIZER;SENT-BY="mailto:bob@example.org";CN=Ann:mailto:ann@example.org', "Ann", "ann@example.org"),
    ],
)
def test_an_organizer_has_a_name_and_an_address(line: str, name: str | None, email: str | None) -> None:
    assert details(line)["organizer"] == {"name": name, "email": email}


@pytest.mark.parametrize(
    ("parameters", "status", "role"),
    [
        ("", "needs-action", "req-participant"),
        (";PARTSTAT=ACCEPTED;ROLE=CHAIR", "accepted", "chair"),
        (";partstat=declined;role=opt-participant", "declined", "opt-participant"),
        (";PARTSTAT=X-LATER;ROLE=X-GUEST", "needs-action", "req-participant"),
        (';PARTSTAT="TENTATIVE";ROLE="NON-PARTICIPANT"', "tentative", "non-participant"),
    ],
)
def test_an_attendee_has_a_status_and_a_role_and_unknown_words_mean_the_default(
    parameters: str, status: str, role: str
) -> None:
    (found,) = details(f"ATTENDEE;CN=Bob{parameters}:mailto:bob@example.org")["attendees"]
    assert found == {"name": "Bob", "email": "bob@example.org", "status": status, "role": role}


def test_attendees_are_in_the_order_of_the_file() -> None:
    found = details(*(f"ATTENDEE:mailto:{n}@example.org" for n in (3, 1, 2)), "X-ATTENDEE:mailto:4@example.org")
    assert [attendee["email"][0] for attendee in found["attendees"]] == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("lines", "conference"),
    [
        (["CONFERENCE;VALUE=URI;FEATURE=AUDIO:https://meet.example.org/a?b=1:2"], "https://meet.example.org/a?b=1:2"),
        (["CONFERENCE;VALUE=URI:tel:+1-412-555-0123"], "tel:+1-412-555-0123"),
        (["CONFERENCE:tel:+1-2", 'CONFERENCE;LABEL="a:b":https://meet.example.org'], "https://meet.example.org"),
        (["X-GOOGLE-CONFERENCE:https://meet.google.com/abc"], "https://meet.google.com/abc"),
        (["X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.example.org/1"], "https://teams.example.org/1"),
        (["X-GOOGLE-CONFERENCE:https://a.example", "CONFERENCE:https://b.example"], "https://b.example"),
        (["CONFERENCE:javascript:alert(1)"], None),
        (["X-CONFERENCE-NOTE:https://a.example"], None),
        ([], None),
    ],
)
def test_a_conference_is_an_address_of_the_web_or_a_number_to_call(lines: list[str], conference: str | None) -> None:
    assert details(*lines)["conference"] == conference


def alarm(*lines: str) -> list[str]:
    return ["BEGIN:VALARM", *lines, "END:VALARM"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ACTION:AUDIO", "TRIGGER;RELATED=END:-PT5M"], ("audio", "-PT5M", "end", None)),
        (
            ["ACTION:DISPLAY", "DESCRIPTION:Go\\, now", "TRIGGER;VALUE=DATE-TIME:20260601T093000Z"],
            ("display", "2026-06-01T09:30:00Z", None, "Go, now"),
        ),
        (["ACTION:EMAIL", 'TRIGGER;X-A="b:c";RELATED=END:PT0S'], ("email", "PT0S", "end", None)),
        (["ACTION:AUDIO", "TRIGGER:-PT30S"], ("audio", "-PT30S", "start", None)),
        (["ACTION:AUDIO", "TRIGGER:-P5W"], ("audio", "-P5W", "start", None)),
    ],
)
def test_an_alarm_that_no_reminder_can_express_is_described(lines: list[str], expected: tuple[Any, ...]) -> None:
    (found,) = details(alarms=[alarm(*lines), alarm("TRIGGER:-PT5M"), ["BEGIN:PARTICIPANT", "END:PARTICIPANT"]])[
        "alarms"
    ]
    assert tuple(found.values()) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CLASS:PRIVATE", True),
        ("class:confidential", True),
        ('CLASS;X-A="b:PUBLIC":PRIVATE', True),
        ("CLASS:X-FAMILY", True),
        ("CLASS:PUBLIC", False),
        ('CLASS;X-A="b:PRIVATE": public ', False),
        ("CLASS:", False),
        ("X-CLASS:PRIVATE", False),
        ("CLASSIFICATION:PRIVATE", False),
    ],
)
def test_every_class_but_public_is_confidential(line: str, expected: bool) -> None:
    assert is_confidential({"lines": ["X-A:1", line], "alarms": []}) is expected


def test_an_entry_without_a_class_is_not_confidential() -> None:
    assert not is_confidential(None)
    assert not is_confidential({"lines": [], "alarms": []})


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))), st.text(st.characters(codec="utf-8")))
def test_a_line_is_split_into_what_it_was_made_of(parameter: str, value: str) -> None:
    line = split_line(f"X-A{format_parameter('x-b', parameter)}:{value}")
    assert line == ("X-A", {"X-B": parameter}, value)


@given(st.lists(st.sampled_from([*'ATENDE;:="^', "CN", "mailto:", "X", ",", "\\", " "])).map("".join))
def test_no_line_prevents_the_others_from_being_read(junk: str) -> None:
    found = details(f"ATTENDEE{junk}", "ATTENDEE:mailto:bob@example.org")
    assert found["attendees"][-1]["email"] == "bob@example.org"

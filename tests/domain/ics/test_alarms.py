"""Reminders, and the alarms of imported events."""

from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.ics.alarms import MAX_REMINDER_MINUTES, format_valarms, parse_reminder_minutes
from planner.domain.ics.content import encode_lines


def alarm(trigger: str, *more: str) -> list[str]:
    return ["BEGIN:VALARM", "ACTION:AUDIO", trigger, *more, "END:VALARM"]


@pytest.mark.parametrize(
    ("trigger", "minutes"),
    [
        ("TRIGGER:-PT10M", 10),
        ("TRIGGER:-PT1H30M", 90),
        ("TRIGGER:-P1D", 1440),
        ("TRIGGER:-P1DT1M", 1441),
        ("TRIGGER:-P4W", MAX_REMINDER_MINUTES),
        ("TRIGGER:-PT600S", 10),
        ("TRIGGER:PT0S", 0),
        ("TRIGGER:-PT0M", 0),
        ("TRIGGER;RELATED=START:-PT5M", 5),
        ("trigger;value=duration:-pt5m", 5),
        ("TRIGGER:-PT30S", None),
        ("TRIGGER:PT10M", -10),
        ("TRIGGER:+PT10M", -10),
        ("TRIGGER:PT9H", -540),
        ("TRIGGER:P4W", -MAX_REMINDER_MINUTES),
        ("TRIGGER:P5W", None),
        ("TRIGGER:-P5W", None),
        ("TRIGGER;RELATED=END:-PT10M", None),
        ("TRIGGER;VALUE=DATE-TIME:20260501T100000Z", None),
        ("TRIGGER:20260501T100000Z", None),
        ("TRIGGER:P", None),
        ("TRIGGER:soon", None),
        ("X-TRIGGER:-PT10M", None),
    ],
)
def test_an_alarm_at_whole_minutes_before_or_after_the_start_is_a_reminder(trigger: str, minutes: int | None) -> None:
    assert parse_reminder_minutes(alarm(trigger)) == minutes


def test_an_alarm_with_two_triggers_is_no_reminder() -> None:
    assert parse_reminder_minutes(alarm("TRIGGER:-PT10M", "TRIGGER:-PT5M")) is None


@given(st.lists(st.integers(-MAX_REMINDER_MINUTES, MAX_REMINDER_MINUTES), unique=True))
def test_each_reminder_becomes_an_alarm_at_its_minutes_before_or_after_the_start(reminders: list[int]) -> None:
    content = encode_lines(["BEGIN:VEVENT", *format_valarms("A, b", reminders, []), "END:VEVENT"])
    found: list[Any] = icalendar.Event.from_ical(content).walk("VALARM")
    assert [-part["TRIGGER"].dt.total_seconds() / 60 for part in found] == reminders
    assert {str(part["DESCRIPTION"]) for part in found} == ({"A, b"} if reminders else set())


def test_an_imported_alarm_is_written_for_the_reminder_that_it_became() -> None:
    own = alarm("TRIGGER:-PT600S", "X-SOUND:bell")
    assert format_valarms("A", [5, 10], [own])[:5] == own
    assert [line for line in format_valarms("A", [5, 10], [own]) if "TRIGGER" in line] == [
        "TRIGGER:-PT600S",
        "TRIGGER:-PT5M",
    ]


def test_an_imported_alarm_is_left_out_when_its_reminder_was_removed() -> None:
    assert format_valarms("A", [], [alarm("TRIGGER:-PT10M")]) == []


def test_an_imported_alarm_that_no_reminder_can_express_is_written() -> None:
    own = alarm("TRIGGER;RELATED=END:PT10M")
    assert format_valarms("A", [], [own]) == own


def test_two_imported_alarms_may_have_the_same_time() -> None:
    both = [alarm("TRIGGER:-PT10M"), alarm("TRIGGER:-PT10M", "X-B:1")]
    assert format_valarms("A", [10], both) == both[0] + both[1]

"""A file whose octets, line breaks or lines are not those of the standard loses no more than what cannot be read."""

import pytest

from planner.domain.ics.reading.decoding import decode_file
from planner.domain.ics.reading.groups import ParsedEntry, parse_group, parse_groups
from tests.domain.ics.samples import event, file


def read(content: bytes | str, charset: str = "utf-8") -> tuple[ParsedEntry, list[str]]:
    """Return the one entry of a file, and its warnings."""
    text = decode_file(content, charset) if isinstance(content, bytes) else content
    (group,) = parse_groups(text)
    entry, failures, warnings = parse_group(group)
    assert entry is not None, failures
    assert not failures
    assert {warning.uid for warning in warnings} <= {"a"}
    return entry, [warning.reason for warning in warnings]


@pytest.mark.parametrize("fold", [b"\r\n ", b"\n ", b"\r\n\t", b"\r\r\n "])
@pytest.mark.parametrize("word", ["Frühstück", "会議", "🎂 party"])
def test_a_fold_may_be_between_any_two_octets(fold: bytes, word: str) -> None:
    octets = word.encode()
    for at in range(1, len(octets)):
        content = file(event("SUMMARY:@")).encode().replace(b"@", octets[:at] + fold + octets[at:])
        entry, warnings = read(content)
        assert (entry.fields["title"], warnings) == (word, [])


def test_an_octet_that_is_no_character_becomes_a_replacement_character_with_a_warning() -> None:
    content = file(event("SUMMARY:Caf@ in Köln", "X-A:@@")).encode().replace(b"@", b"\xe9")
    entry, (warning,) = read(content)
    assert entry.fields["title"] == "Caf\ufffd in Köln"
    assert entry.fields["ics"]["lines"] == ["X-A:\ufffd\ufffd"]
    assert "3 octets" in warning


def test_only_the_entry_with_such_an_octet_has_a_warning() -> None:
    groups = parse_groups(decode_file(file(event("SUMMARY:\xe9", uid="b"), event()).encode("latin-1"), "utf-8"))
    assert [[note.uid for note in parse_group(group).warnings] for group in groups] == [["b"], []]


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_read_whatever_was_declared(encoding: str, charset: str) -> None:
    content = ("\ufeff" + file(event("SUMMARY:Früh\r\n stück 会議 🎂"))).encode(encoding)
    for octets in (content, content + b"\n"):
        entry, warnings = read(octets, charset)
        assert (entry.fields["title"], warnings) == ("Frühstück 会議 🎂", [])


def test_a_byte_order_mark_of_utf_8_is_more_than_a_declared_charset() -> None:
    entry, _ = read("\ufeff".encode() + file(event("SUMMARY:Frühstück")).encode(), "latin-1")
    assert entry.fields["title"] == "Frühstück"


def test_files_with_byte_order_marks_may_follow_each_other() -> None:
    groups = parse_groups("".join("\ufeff" + file(event(uid=uid)) for uid in "ab"))
    assert [group.uid for group in groups] == ["a", "b"]


def test_a_carriage_return_ends_a_line_if_nothing_else_does() -> None:
    entry, _ = read(file(event("SUMMARY:Rea\r\n ding")).replace("\r\n", "\r"))
    assert entry.fields["title"] == "Reading"


@pytest.mark.parametrize(
    "line", ["second line", "X-FOO : bar", "no property at all", "https", "", "Größe: 3", ":x", "DURATION of it"]
)
def test_a_line_that_is_no_property_costs_only_that_line(line: str) -> None:
    entry, warnings = read(file(event("DESCRIPTION:first line", line, "LOCATION:Town")))
    assert (entry.fields["description"], entry.fields["location"]) == ("first line", "Town")
    assert [repr(line) in warning for warning in warnings] == ([True] if line else [])


def test_such_a_line_in_an_alarm_costs_neither_the_alarm_nor_the_event() -> None:
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:one", "two", "TRIGGER:-PT10M", "END:VALARM"]
    entry, (warning,) = read(file(event(*alarm)))
    assert entry.fields["reminders"] == [10]
    assert "'two'" in warning


def test_many_such_lines_have_one_short_warning() -> None:
    _, (warning,) = read(file(event(*["x " * 500] * 1000)))
    assert "1000 lines" in warning
    assert len(warning) < 200


@pytest.mark.parametrize("line", ["DTSTART : 20260501", "rrule :FREQ=DAILY", "RECURRENCE-ID ;VALUE=DATE:20260501"])
def test_an_entry_with_such_a_line_in_place_of_its_times_is_not_imported(line: str) -> None:
    (group,) = parse_groups(file(event(line)))
    entry, (failure,), _ = parse_group(group)
    assert entry is None
    assert line in failure.reason


@pytest.mark.parametrize(
    "name", ["SEQUENCE", "PRIORITY", "GEO", "URL", "STATUS", "COLOR", "DTEND", "DURATION", "EXDATE"]
)
@pytest.mark.parametrize("value", ["", " ", ";", "many", "1;2;3", "http://[", "9" * 30])
def test_a_property_that_is_empty_or_cannot_be_read_is_lost_without_its_event(name: str, value: str) -> None:
    entry, warnings = read(file(event("SUMMARY:Tea", f"{name}:{value}")))
    assert entry.fields["title"] == "Tea"
    assert entry.version.sequence == 0
    assert name.lower() not in entry.fields
    if name in ("SEQUENCE", "DTEND", "DURATION", "EXDATE") and value.strip():
        assert name in warnings[0]


@pytest.mark.parametrize("line", ["LOCATION;LANGUAGE:Town", 'CATEGORIES;X="a:Town', "EXDATE;=:20260501"])
def test_a_property_whose_parameters_cannot_be_read_is_lost_with_a_warning(line: str) -> None:
    entry, (warning,) = read(file(event("SUMMARY:Tea", line)))
    assert entry.fields["title"] == "Tea"
    assert line[:6] in warning


@pytest.mark.parametrize(
    ("value", "number"), [("7", 7), ("1718888888", 1718888888), (" 3 ", 3), ("-2", 0), ("99999999999", 2**31 - 1)]
)
def test_a_sequence_is_an_integer(value: str, number: int) -> None:
    entry, warnings = read(file(event(f"SEQUENCE:{value}")))
    assert (entry.version.sequence, warnings) == (number, [])

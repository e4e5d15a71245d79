"""Formatting of content lines, and reading them by another program."""

import icalendar
from hypothesis import example, given
from hypothesis import strategies as st

from planner.domain.ics.content import (
    MAX_LINE_OCTETS,
    encode_lines,
    escape_text,
    fold_line,
    format_parameter,
    sanitize_line,
)

# A TEXT value may have any character except control characters, which RFC 5545 cannot represent.
printable = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from('\t\n\\;,:"^ é漢🎉\u2028\x85')
)


def unfolded(octets: bytes) -> str:
    return octets.replace(b"\r\n ", b"").decode()


@given(printable.map(lambda value: value.replace("\n", "")))
@example("é" * 200)
@example("a" + "漢" * 100)
@example("x" * 75)
@example("x" * 76)
def test_no_line_has_more_than_75_octets_or_ends_inside_a_character(line: str) -> None:
    lines = fold_line(line).split(b"\r\n")
    assert all(len(part) <= MAX_LINE_OCTETS for part in lines)
    assert all(part.startswith(b" ") for part in lines[1:])
    assert all(part.decode() for part in lines[1:])
    assert unfolded(fold_line(line)) == line


def test_folded_lines_are_as_long_as_possible() -> None:
    assert [len(part) for part in fold_line("x" * 200).split(b"\r\n")] == [75, 75, 52]


def test_every_line_ends_with_cr_lf() -> None:
    assert encode_lines(["BEGIN:VEVENT", "END:VEVENT"]) == b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"


@given(printable)
@example("a\\nb")
@example("\\;,\n")
def test_another_program_reads_the_same_text(value: str) -> None:
    content = encode_lines(["BEGIN:VEVENT", f"SUMMARY:{escape_text(value)}", "END:VEVENT"])
    assert str(icalendar.Event.from_ical(content)["SUMMARY"]) == value


def test_a_text_has_no_control_characters_but_tabs() -> None:
    assert escape_text("a\x00b\x0bc\x1bd\x7fe\tf") == "abcde\tf"


def test_every_kind_of_line_break_is_escaped() -> None:
    assert escape_text("a\r\nb\rc\nd") == "a\\nb\\nc\\nd"


# The other program reads a backslash as an escape, but a parameter has no such escapes (RFC 5545 §3.2).
@given(printable.filter(lambda value: "\\" not in value))
def test_another_program_reads_the_same_parameter(value: str) -> None:
    content = encode_lines(["BEGIN:VEVENT", f"X-NAMED{format_parameter('X-NAME', value)}:1", "END:VEVENT"])
    assert icalendar.Event.from_ical(content)["X-NAMED"].params.get("X-NAME", "") == value


def test_a_parameter_is_quoted_only_if_necessary() -> None:
    assert format_parameter("TZID", "Europe/Berlin") == ";TZID=Europe/Berlin"
    assert format_parameter("CN", "Doe, Jane") == ';CN="Doe, Jane"'


def test_quotes_carets_and_line_breaks_in_a_parameter_are_escaped_with_carets() -> None:
    assert format_parameter("CN", 'a"b^c\nd') == ';CN="a^\'b^^c^nd"'


def test_a_line_of_another_program_stays_one_line() -> None:
    assert sanitize_line("X-A:1\r\nBEGIN:VEVENT\x00") == "X-A:1BEGIN:VEVENT"

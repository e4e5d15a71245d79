"""Colours by their CSS names, and in files."""

import pytest

from planner.domain.colors import CSS_COLORS, name_nearest_color, parse_color
from planner.domain.ics.field_properties import ColorProperty, ReadField
from planner.domain.ics.reading.properties import Property, parse_property


@pytest.mark.parametrize(
    ("text", "color"),
    [("red", "red"), (" RebeccaPurple ", None), ("DarkSlateGrey", "darkslategrey"), ("#FF8800", "#ff8800")],
)
def test_a_colour_is_a_css3_name_or_six_digits_in_any_letter_case(text: str, color: str | None) -> None:
    assert parse_color(text) == color


@pytest.mark.parametrize("text", ["", "#fff", "#ggg000", "ff0000", "#ff00001", "rgb(1,2,3)", "#١٢٣٤٥٦", "red\n#ff0000"])
def test_anything_else_is_no_colour(text: str) -> None:
    assert parse_color(text) is None


def test_there_are_147_names() -> None:
    assert len(CSS_COLORS) == 147
    assert all(len(digits) == 6 and int(digits, 16) >= 0 for digits in CSS_COLORS.values())


@pytest.mark.parametrize(
    ("color", "name"), [("#ff0000", "red"), ("#fe0101", "red"), ("teal", "teal"), ("#000001", "black")]
)
def test_a_colour_without_a_name_has_a_nearest_one(color: str, name: str) -> None:
    assert name_nearest_color(color) == name


def read(*lines: str) -> ReadField:
    properties: dict[str, list[Property]] = {}
    for line in lines:
        found = parse_property(line)
        properties.setdefault(found.name, []).append(found)
    return ColorProperty().read(properties)


@pytest.mark.parametrize("color", ["red", "#ff0000", "#123456", "darkslategrey"])
def test_a_colour_is_read_from_a_file_as_it_was_written(color: str) -> None:
    assert read(*ColorProperty().write(color)) == ReadField(color)


def test_a_colour_that_another_program_has_set_replaces_the_exact_one() -> None:
    assert read("COLOR:blue", "X-PLANNER-COLOR:#ff0001").value == "blue"


def test_a_colour_that_css_does_not_know_is_kept_as_a_line() -> None:
    assert read("COLOR:rebeccapurple") == ReadField(None, ["COLOR:rebeccapurple"])

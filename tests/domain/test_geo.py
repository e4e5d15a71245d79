"""Parsing of circles on the earth's surface."""

from math import pi

import pytest

from planner.domain.geo import MAX_RADIUS_KM, Circle, parse_circle
from planner.errors import Invalid


@pytest.mark.parametrize(
    ("text", "circle"),
    [
        ("52.52,13.405,5", Circle(52.52, 13.405, 5)),
        ("-90,-180,0.001", Circle(-90, -180, 0.001)),
        ("+90,+180,20037", Circle(90, 180, 20037)),
        (" 90, 180, 20037", Circle(90, 180, 20037)),
        ("52.520008123456789,0,1", Circle(52.520008123456789, 0, 1)),
        ("-0,007,0000.5", Circle(0, 7, 0.5)),
    ],
)
def test_a_circle_is_a_point_and_a_distance(text: str, circle: Circle) -> None:
    assert parse_circle(text) == circle


def test_no_circle_is_none() -> None:
    assert parse_circle(None) is None


@pytest.mark.parametrize(
    "text",
    ["", ",,", "1,2", "1,2,3,4", "91,0,1", "0,181,1", "0,0,0", "0,0,-0", "0,0,20038", "nan,0,1", "1.,0,1", ".5,0,1"],
)
def test_any_other_text_is_refused_at_near(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_circle(text)
    assert [error.pointer for error in caught.value.errors] == ["/near"]


def test_the_largest_circle_is_the_whole_earth() -> None:
    assert Circle(0, 0, MAX_RADIUS_KM).radians == pi
    assert Circle(0, 0, MAX_RADIUS_KM - 1).radians < pi

"""The cells of a point and of a circle: whatever is in a circle is in one of the cells that cover it."""

from math import asin, atan2, cos, degrees, pi, radians, sin, sqrt

from hypothesis import given
from hypothesis import strategies as st

from planner.domain.geo import EARTH_RADIUS_KM, MAX_RADIUS_KM, Circle
from planner.domain.search.cells import LEVELS, list_cells, list_cells_of_circle, list_tag_cells

# The poles, the date line, the edges and the corners of the faces, and a city.
LATITUDES = [-90.0, -89.999, -45.0, 0.0, degrees(asin(sqrt(1 / 3))), 45.0, 52.52, 89.9, 90.0]
LONGITUDES = [-180.0, -179.9999, -135.0, -45.0, 0.0, 13.405, 45.0, 90.0, 135.0, 180.0]
latitudes = st.sampled_from(LATITUDES) | st.floats(-90, 90)
longitudes = st.sampled_from(LONGITUDES) | st.floats(-180, 180)
distances = st.sampled_from([1e-15, 0.001, 2.0, 20_000.0, MAX_RADIUS_KM]) | st.floats(-3, 4.3).map(lambda n: 10**n)
circles = st.builds(Circle, latitudes, longitudes, distances)


def go(circle: Circle, bearing: float, part: float) -> tuple[float, float]:
    """The point that is reached from the middle of a circle in a direction, after a part of the radius."""
    latitude, angle = radians(circle.lat), part * min(circle.radians, pi)
    height = sin(latitude) * cos(angle) + cos(latitude) * sin(angle) * cos(bearing)
    reached = asin(max(-1.0, min(1.0, height)))
    turn = atan2(sin(bearing) * sin(angle) * cos(latitude), cos(angle) - sin(latitude) * height)
    return degrees(reached), (circle.lon + degrees(turn) + 180) % 360 - 180


def measure_km(lat: float, lon: float, circle: Circle) -> float:
    """The distance of a point from the middle of a circle, by the formula of haversines."""
    up, across = radians(lat - circle.lat), radians(lon - circle.lon)
    half = sin(up / 2) ** 2 + cos(radians(lat)) * cos(radians(circle.lat)) * sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half)))


@given(circles, st.floats(0, 2 * pi), st.floats(0, 1))
def test_a_point_of_a_circle_is_in_one_of_its_cells(circle: Circle, bearing: float, part: float) -> None:
    assert set(list_cells(*go(circle, bearing, part))) & set(list_cells_of_circle(circle))


@given(circles, latitudes, longitudes)
def test_a_point_that_is_in_no_cell_of_a_circle_is_farther_away(circle: Circle, lat: float, lon: float) -> None:
    if not set(list_cells(lat, lon)) & set(list_cells_of_circle(circle)):
        assert measure_km(lat, lon, circle) > circle.km


@given(circles, latitudes, longitudes)
def test_a_point_in_a_cell_of_a_circle_is_not_far_from_it(circle: Circle, lat: float, lon: float) -> None:
    if set(list_cells(lat, lon)) & set(list_cells_of_circle(circle)):
        # The smallest cells have a diagonal of 60 m.
        assert measure_km(lat, lon, circle) <= 20 * circle.km + 0.1


@given(circles)
def test_a_circle_has_few_cells_and_each_once(circle: Circle) -> None:
    cells = list_cells_of_circle(circle)
    assert 1 <= len(cells) == len(set(cells)) <= 60


@given(latitudes, longitudes)
def test_a_point_is_in_one_cell_of_each_level(lat: float, lon: float) -> None:
    cells = list_cells(lat, lon)
    assert len(set(cells)) == len(LEVELS)
    assert all(0 <= cell < 2**53 for cell in cells)


def test_the_whole_earth_is_six_cells() -> None:
    assert len(list_cells_of_circle(Circle(0, 0, MAX_RADIUS_KM))) == 6


def test_the_cells_of_a_tag_are_those_of_no_other_tag() -> None:
    cells = list_cells(52.52, 13.405)
    books, music = (set(list_tag_cells(cells, [tag])) for tag in ("books", "music"))
    assert len(books) == len(music) == len(cells) and not books & music and not books & set(cells)
    assert set(list_tag_cells(cells, ["books", "music"])) == books | music

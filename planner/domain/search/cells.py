"""A grid of cells on the earth's surface, so that an index finds what is near a point.

The earth is projected from its centre onto the six faces of a cube. Each face is divided into squares of equal angles,
four times as many on each level. So there are no poles and no date line, and all cells of a level have about the same
size: on level 0 a side has 10,000 km, on the last one 38 m.

An index of cells and tags would have to begin with two lists, which no index can. So the cells of a tag have numbers of
their own, which are hashes. Two of them can be equal, so what they find must be compared with the tag.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from math import atan, cos, pi, radians, sin, sqrt, tan
from typing import NamedTuple

from planner.domain.geo import Circle

# A point is in one cell of each of these levels.
LEVELS = range(0, 19, 2)
# A circle is covered by the smallest cells that have no shorter side than this part of its radius: some forty at most.
SIDE_PER_RADIUS = 0.4
_QUARTER = pi / 4
# Half of the longest diagonal of a cell is at most so many times the side of one in the middle of a face.
_HALF_DIAGONAL = sqrt(2 / 3)
# Cells this far outside a circle belong to its cover: some metres, for the errors of all computations.
_MARGIN = 1e-6


class _Square(NamedTuple):
    """A cell: a face of the cube, and the column and the row on it."""

    face: int
    column: int
    row: int


def list_cells(lat: float, lon: float) -> list[int]:
    """Return the numbers of the cells that a point is in, one for each level; the point is in degrees."""
    point = _locate(lat, lon)
    axis = max(range(3), key=lambda each: abs(point[each]))
    face = 2 * axis + (point[axis] < 0)
    column, row = (_count_columns(point[(axis + step) % 3] / abs(point[axis])) for step in (1, 2))
    return [
        _number(level, _Square(face, column >> (LEVELS[-1] - level), row >> (LEVELS[-1] - level))) for level in LEVELS
    ]


@lru_cache(maxsize=1024)
def list_cells_of_circle(circle: Circle) -> list[int]:
    """Return the numbers of cells of one level that cover a circle."""
    side = SIDE_PER_RADIUS * circle.radians
    last = max((level for level in LEVELS if _measure_side(level) >= side), default=0)
    centre, found = _locate(circle.lat, circle.lon), [_Square(face, 0, 0) for face in range(6)]
    for level in range(last + 1):
        reach = min(circle.radians + _measure_side(level) * _HALF_DIAGONAL + _MARGIN, pi)
        squares = found if level == 0 else [quarter for square in found for quarter in _divide(square)]
        found = [square for square in squares if _is_within(level, square, centre, cos(reach))]
    return [_number(last, square) for square in found]


def list_tag_cells(cells: Iterable[int], tags: Iterable[str]) -> list[int]:
    """Return the numbers that these cells have for events with one of the tags (folded)."""
    cells = list(cells)
    return [_hash(f"{cell} {tag}") for tag in tags for cell in cells]


def _hash(text: str) -> int:
    """Return a number of 64 bits, as the database can store it."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _locate(lat: float, lon: float) -> tuple[float, float, float]:
    """Return the point on a sphere with a radius of 1."""
    latitude, longitude = radians(lat), radians(lon)
    return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)


def _count_columns(tangent: float) -> int:
    """Return how many columns of the last level are before an angle from the middle of a face."""
    number = 1 << LEVELS[-1]
    return min(int((atan(tangent) / _QUARTER + 1) / 2 * number), number - 1)


def _number(level: int, square: _Square) -> int:
    return (6 * level + square.face) << 2 * LEVELS[-1] | square.column << LEVELS[-1] | square.row


def _measure_side(level: int) -> float:
    """Return the side of a cell in the middle of a face, as an angle; at the corners, cells are smaller."""
    return pi / 2 / (1 << level)


def _divide(square: _Square) -> Iterator[_Square]:
    for column in (2 * square.column, 2 * square.column + 1):
        for row in (2 * square.row, 2 * square.row + 1):
            yield _Square(square.face, column, row)


def _is_within(level: int, square: _Square, centre: tuple[float, float, float], cosine: float) -> bool:
    """Return whether the middle of a cell is within an angle of a point; the angle is given by its cosine."""
    axis, is_negative = divmod(square.face, 2)
    across = tan(((2 * square.column + 1) / (1 << level) - 1) * _QUARTER)
    along = tan(((2 * square.row + 1) / (1 << level) - 1) * _QUARTER)
    product = (-1 if is_negative else 1) * centre[axis]
    product += across * centre[(axis + 1) % 3] + along * centre[(axis + 2) % 3]
    return product >= cosine * sqrt(1 + across * across + along * along)

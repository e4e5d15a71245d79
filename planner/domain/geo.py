"""Circles on the earth's surface, for finding what is near a point."""

import re
from math import pi
from typing import NamedTuple

from planner.errors import Invalid

# The earth's mean equatorial radius, by which MongoDB converts distances into angles.
EARTH_RADIUS_KM = 6378.1
# Half of the earth's circumference, without its last 400 m: a circle with this radius is the whole surface.
MAX_RADIUS_KM = 20_037

_NUMBER = r"[+-]?\d{1,6}(?:\.\d{1,15})?"
# A plus sign that was not percent-encoded arrives as a space.
_CIRCLE = re.compile(rf"({_NUMBER}),[ ]?({_NUMBER}),[ ]?({_NUMBER})", re.ASCII)


class Circle(NamedTuple):
    """All points within `km` kilometres of a point, which is in degrees (WGS 84)."""

    lat: float
    lon: float
    km: float

    @property
    def radians(self) -> float:
        """The radius as an angle at the centre of the earth."""
        return pi if self.km >= MAX_RADIUS_KM else self.km / EARTH_RADIUS_KM


def parse_circle(text: str | None) -> Circle | None:
    """Parse a circle in the form `lat,lon,km`; None stays None. Raises `Invalid` at `/near`."""
    if text is None:
        return None
    found = _CIRCLE.fullmatch(text.strip(" "))
    if not found:
        raise Invalid.field("/near", "must be lat,lon,km in decimal degrees and kilometres, such as 52.52,13.405,5")
    lat, lon, km = (float(number) for number in found.groups())
    if not -90 <= lat <= 90:
        raise Invalid.field("/near", "must have a latitude from -90 to 90")
    if not -180 <= lon <= 180:
        raise Invalid.field("/near", "must have a longitude from -180 to 180")
    if not 0 < km <= MAX_RADIUS_KM:
        raise Invalid.field("/near", f"must have a distance of more than 0 and at most {MAX_RADIUS_KM} km")
    return Circle(lat, lon, km)

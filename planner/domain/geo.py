"""Circles on the earth: what is near a point."""

import re
from typing import NamedTuple

from planner.errors import Invalid

# The earth's mean equatorial radius, by which the database turns lengths into angles.
EARTH_KM = 6378.1
# Half of the way around the earth: what lies further off lies nearer the other way.
MOST_KM = 20_037

_NUMBER = r"[+-]?\d{1,6}(?:\.\d{1,15})?"
# A plus sign that was not percent-encoded arrives as a blank.
_CIRCLE = re.compile(rf"({_NUMBER}),[ ]?({_NUMBER}),[ ]?({_NUMBER})", re.ASCII)
_SAYS = "must be lat,lon,km in decimal degrees and kilometres, such as 52.52,13.405,5"


class Circle(NamedTuple):
    """What lies within `km` kilometres of a point, in degrees (WGS 84), along the earth's surface."""

    lat: float
    lon: float
    km: float

    @property
    def radians(self) -> float:
        """The radius as an angle at the centre of the earth."""
        return self.km / EARTH_KM


def parse_circle(text: str | None) -> Circle | None:
    """The circle written as `lat,lon,km`; None stays None. Raises `Invalid` at `near`."""
    if text is None:
        return None
    found = _CIRCLE.fullmatch(text.strip(" "))
    if not found:
        raise Invalid.field("/near", _SAYS)
    lat, lon, km = (float(number) for number in found.groups())
    if not -90 <= lat <= 90:
        raise Invalid.field("/near", "has a latitude that is not between -90 and 90")
    if not -180 <= lon <= 180:
        raise Invalid.field("/near", "has a longitude that is not between -180 and 180")
    if not 0 < km <= MOST_KM:
        raise Invalid.field("/near", f"has a distance that is not more than 0 and at most {MOST_KM} km")
    return Circle(lat, lon, km)

"""The requests that are measured: each with a path for every day of a month, so that none is sent twice in a row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.bench.sizes.seeding import CITY, COMMON, DAYS, FIRST, TAGS

MIDDLE = FIRST + timedelta(days=DAYS // 2)
_WORD = COMMON.split(" ", maxsplit=1)[0]


def _path(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"


def _window(day: int, days: int) -> dict[str, str]:
    since = MIDDLE + timedelta(days=day)
    return {"from": f"{since:%Y-%m-%dT%H:%M:%SZ}", "to": f"{since + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"}


def _near(km: float) -> str:
    return f"{CITY[0]},{CITY[1]},{km:g}"


def set_limit(path: str, limit: int) -> str:
    """Return the path of the same request with another limit."""
    route, _, query = path.partition("?")
    return _path(route, **(dict(parse_qsl(query)) | {"limit": str(limit)}))


def count_items(body: dict[str, Any]) -> int:
    """Return how many items a response has: it has one list of them, under whatever name."""
    return next(len(value) for value in body.values() if isinstance(value, list))


# By name, the path for a day.
REQUESTS: dict[str, Callable[[int], str]] = {
    "own events": lambda day: _path("/events", **_window(day, 31)),
    "own month of occurrences": lambda day: _path("/events/occurrences", **_window(day, 31)),
    "free/busy of a month": lambda day: _path("/freebusy", **_window(day, 31)),
    "public events of a day": lambda day: _path("/events", scope="public", **_window(day, 1)),
    "public events with a tag": lambda day: _path("/events", scope="public", tag=f"tag{day % TAGS}"),
    "public events with a tag, a week": lambda day: _path(
        "/events", scope="public", tag=f"tag{day % TAGS}", **_window(day, 7)
    ),
    "all occurrences of a month": lambda day: _path("/events/occurrences", scope="all", **_window(day, 31)),
    "public occurrences of a day": lambda day: _path("/events/occurrences", scope="public", **_window(day, 1)),
    "public occurrences with a tag": lambda day: _path(
        "/events/occurrences", scope="public", tag=f"tag{day % TAGS}", **_window(day, 31)
    ),
    "a rare word": lambda day: _path("/events", scope="public", q=str(700 + day)),
    "a common word": lambda day: _path("/events", scope="all", q=_WORD, limit=str(50 + day % 2)),
    "a common phrase": lambda day: _path("/events", scope="all", q=f'"{COMMON}"', limit=str(50 + day % 2)),
    "a common word, a day": lambda day: _path("/events", scope="all", q=_WORD, **_window(day, 1)),
    "near, 2 km": lambda day: _path("/events", scope="public", near=_near(2 + day / 100)),
    "near, 2 km, a week": lambda day: _path("/events", scope="public", near=_near(2), **_window(day, 7)),
    "near, 20 km, with a tag": lambda day: _path("/events", scope="public", near=_near(20), tag=f"tag{day % TAGS}"),
    "near, 2 km, a common word": lambda day: _path("/events", scope="public", near=_near(2 + day / 100), q=_WORD),
    "near, the whole earth": lambda day: _path("/events", scope="public", near=_near(20_000 + day)),
    "changes of all": lambda day: _path("/events/changes", scope="all", limit=str(50 + day % 2)),
}

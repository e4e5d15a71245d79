"""JSON as the API sends it."""

from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """Return a value as JSON, with instants as RFC 3339 in UTC."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def embed_json(json: bytes) -> Any:
    """Return JSON that is rendered already as a value that can be part of one given to `to_json`."""
    return orjson.Fragment(json)

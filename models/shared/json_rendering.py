"""JSON as the API sends it."""

from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """Return a value as JSON, with instants as RFC 3339 in UTC."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def to_cacheable_json(value: Any) -> bytes:
    """Return a value as JSON, as `to_json` does, in no more memory than it needs: for what is cached."""
    # What orjson returns holds the buffer that it was written into, of 8 KiB or more.
    return bytes(memoryview(to_json(value)))


def embed_json(json: bytes) -> Any:
    """Return JSON that is rendered already as a value that can be part of one given to `to_json`."""
    return orjson.Fragment(json)

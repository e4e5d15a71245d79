"""Values as BSON, where they are exchanged between processes or measured."""

from typing import Any

import bson
from bson.codec_options import CodecOptions

_AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)


def decode(raw: bytes) -> dict[str, Any]:
    """Return the value in these bytes, with aware datetimes."""
    return bson.decode(raw, codec_options=_AWARE)


def encode(value: dict[str, Any]) -> bytes:
    """Return the bytes of a value."""
    return bson.encode(value)

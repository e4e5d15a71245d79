"""JSON objects that are sent while they are read, because they are too large to be held at once."""

from collections.abc import AsyncIterator, Iterable

from models.shared.json_rendering import to_json

# Smaller parts are collected, because sending each one costs time.
PART_BYTES = 64 * 1024


async def stream_json_object(members: Iterable[tuple[str, bytes | AsyncIterator[bytes]]]) -> AsyncIterator[bytes]:
    """Yield the parts of a JSON object.

    The value of a member is JSON, or an iterator over the items of an array, each of which is JSON.
    """
    part = b"{"
    for number, (name, value) in enumerate(members):
        part += (b"," if number else b"") + to_json(name) + b":"
        if isinstance(value, bytes):
            part += value
            continue
        part += b"["
        is_first = True
        async for item in value:
            part += item if is_first else b"," + item
            is_first = False
            if len(part) >= PART_BYTES:
                yield part
                part = b""
        part += b"]"
    yield part + b"}"

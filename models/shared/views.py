"""A stored thing as it is answered: its JSON, ready to send, and what decides about it."""

from typing import Any, NamedTuple

import orjson


class View(NamedTuple):
    """One thing as the API answers it. The `ETag` comes from `revision`."""

    json: bytes
    id: str
    revision: int


class Page(NamedTuple):
    """A page of a list: the JSON of each thing, and the cursor of the next page or None."""

    items: list[bytes]
    next: str | None

    def json(self) -> bytes:
        """The body of the answer: `{"items": […], "next": …}`."""
        return b'{"items":[' + b",".join(self.items) + b'],"next":' + to_json(self.next) + b"}"


class ChangePage(NamedTuple):
    """A page of changes: the JSON of each item, the ids of deleted ones, the next token, and whether there is more."""

    items: list[bytes]
    deleted: list[str]
    next: str
    has_more: bool

    def json(self) -> bytes:
        """The body of the answer: `{"items": […], "deleted": […], "next": …}`."""
        rest = b'],"deleted":' + to_json(self.deleted) + b',"next":' + to_json(self.next) + b"}"
        return b'{"items":[' + b",".join(self.items) + rest


def to_json(value: Any) -> bytes:
    """JSON with instants as RFC 3339 in UTC."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def embedded(json: bytes) -> Any:
    """Finished JSON, to stand inside a value that is given to `to_json`."""
    return orjson.Fragment(json)

"""Rendered results: JSON that is ready to send, and what the route needs beside it."""

from typing import NamedTuple

from models.shared.json_rendering import embed_json, to_json


class View(NamedTuple):
    """A rendered resource: its JSON, its id, and the revision that its ETag is made of."""

    json: bytes
    id: str
    revision: int

    @property
    def tag(self) -> str:
        """What its ETag is made from."""
        return str(self.revision)


class Page(NamedTuple):
    """A page of a list: the JSON of each item, and the cursor of the next page, or None for the last one.

    `is_truncated` says that the list does not contain everything that there is.
    """

    items: list[bytes]
    next: str | None
    is_truncated: bool = False

    def json(self) -> bytes:
        """Return the body of the response: `{"items": […], "next": …}`, and `"truncated": true` if it is."""
        truncated = {"truncated": True} if self.is_truncated else {}
        return to_json({"items": list(map(embed_json, self.items)), "next": self.next} | truncated)


class ChangePage(NamedTuple):
    """A page of changes: the JSON of each item, the ids of deleted ones, the next token, and whether there is more."""

    items: list[bytes]
    deleted: list[str]
    next: str
    has_more: bool

    def json(self) -> bytes:
        """Return the body of the response: `{"items": […], "deleted": […], "next": …}`."""
        return to_json({"items": list(map(embed_json, self.items)), "deleted": self.deleted, "next": self.next})

"""Revisions as they are answered, and what is sent to restore one."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import ConfigDict, Field

from database.queries import Stored
from database.reads import encode
from models.events.event_schema import ANSWER, EventRead
from models.events.event_view import render
from models.shared.schema import Reply, Request
from models.shared.views import embedded, to_json

# They differ between any two revisions.
_ALWAYS = frozenset({"revision", "updated_at"})
# Whoever does this does it for the house: who it was is in the audit.
_OF_HOUSE = frozenset({"taken-down", "takedown-lifted"})


class RevisionView(NamedTuple):
    """A revision of an event: the event as it was answered then, or None for a removal.

    `occurrences` is what it said about single ones, only to be compared.
    """

    revision: int
    about: dict[str, Any]
    event: bytes | None
    occurrences: bytes

    def json(self, before: "RevisionView | None") -> bytes:
        """The revision as it is answered, with what differs from the one `before`."""
        event = None if self.event is None else embedded(self.event)
        return to_json(self.about | {"fields": self._differing(before), "event": event})

    def _differing(self, before: "RevisionView | None") -> list[str] | None:
        if before is None or before.event is None or self.event is None:
            return None
        now, then = orjson.loads(self.event), orjson.loads(before.event)
        differing = [name for name in now | then if name not in _ALWAYS and now.get(name) != then.get(name)]
        return [*differing, "occurrences"] if self.occurrences != before.occurrences else differing


def revision_view(kept: Stored) -> RevisionView:
    """The view of a revision; the only place that says what of it is answered."""
    revision, act, state = kept["revision"], kept.get("act"), kept.get("state")
    by = kept.get("by", kept["creator"])
    about = {
        "revision": revision,
        "at": kept["at"],
        "by": None if by is None or act in _OF_HOUSE else str(by),
        "act": act or ("created" if revision == 1 else "changed"),
    }
    if state is None:
        return RevisionView(revision, about, None, b"")
    return RevisionView(revision, about, render(state).json, encode({"": state.get("overrides", [])}))


def exported(kept: Stored) -> bytes:
    """A revision for its creator to take along: it says whose event's, and when it vanishes."""
    view = revision_view(kept)
    body = {"id": str(kept["event"])} | view.about | {"event": None if view.event is None else embedded(view.event)}
    return to_json(body | ({"restorable_until": kept["expires_at"]} if "expires_at" in kept else {}))


class RestoreRequest(Request):
    """The revision to which an event is restored."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 1}]})

    revision: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**53,
            description="Default: the previous revision; for a deleted event, the last one before it was deleted.",
        ),
    ] = None


class RevisionRead(Reply):
    """A revision of an event."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "revision": 2,
                    "at": "2026-11-21T09:05:00Z",
                    "by": "692000000000000000000000",
                    "act": "changed",
                    "fields": ["title"],
                    "event": ANSWER
                    | {"title": "Book launch, moved", "revision": 2, "updated_at": "2026-11-21T09:05:00Z"},
                },
                {
                    "revision": 3,
                    "at": "2026-11-21T09:10:00Z",
                    "by": "692000000000000000000000",
                    "act": "deleted",
                    "fields": None,
                    "event": None,
                },
            ]
        }
    )

    revision: Annotated[int, Field(description="The number of the revision.")]
    at: Annotated[datetime, Field(description="When the change was made.")]
    by: Annotated[
        str | None,
        Field(description="The id of the account that made the change; null for a moderator or a deleted account."),
    ]
    act: Literal["created", "changed", "deleted", "restored", "taken-down", "takedown-lifted"]
    fields: Annotated[
        list[str] | None,
        Field(
            description="The fields that differ from the previous revision; `occurrences` stands for changes of single "
            "occurrences. Null if there is no previous revision to compare with."
        ),
    ]
    event: Annotated[EventRead | None, Field(description="The event as it was at this revision; null for a deletion.")]


class RevisionPage(Reply):
    """A page of the revisions of an event, the newest first."""

    items: list[RevisionRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]

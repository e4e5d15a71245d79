"""Revisions as they are sent, and the body of a request that restores one."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field

from models.events.event_schema import RESPONSE_EXAMPLE, EventRead
from models.events.event_view import build_body
from models.events.revision import Revision
from models.shared.json_rendering import to_json
from models.shared.schema import Reply, Request
from planner.domain.stored_event import StoredOverride

# These fields differ between any two revisions.
_ALWAYS_DIFFERENT = frozenset({"revision", "updated_at"})
# Who did this acted as a moderator: their account is named in the audit log only.
_ACTS_OF_MODERATORS = frozenset({"taken-down", "takedown-lifted"})


class RevisionView(NamedTuple):
    """A revision of an event; `event` has the fields of the event as they were sent then, or is None for a deletion.

    `overrides` are those of the event; they are only compared.
    """

    revision: int
    about: dict[str, Any]
    event: dict[str, Any] | None
    overrides: list[StoredOverride]

    def render(self, before: "RevisionView | None") -> bytes:
        """Return the revision as it is sent, with the names of the fields that differ from the one `before`."""
        return to_json(self.about | {"fields": self._find_differences(before), "event": self.event})

    def _find_differences(self, before: "RevisionView | None") -> list[str] | None:
        if before is None or before.event is None or self.event is None:
            return None
        now, then = self.event, before.event
        names = [name for name in now | then if name not in _ALWAYS_DIFFERENT and now.get(name) != then.get(name)]
        return [*names, "occurrences"] if self.overrides != before.overrides else names


def view_revision(revision: Revision) -> RevisionView:
    """Return the view of a revision; no other function decides what of it is sent."""
    number, event = revision.revision, revision.event_then
    made_by = None if revision.act in _ACTS_OF_MODERATORS else revision.made_by
    about = {
        "revision": number,
        "at": revision.at,
        "by": None if made_by is None else str(made_by),
        "act": revision.act or ("created" if number == 1 else "changed"),
    }
    if event is None:
        return RevisionView(number, about, None, [])
    return RevisionView(number, about, build_body(event), event.overrides)


def export_revision(revision: Revision) -> bytes:
    """Return a revision as it is in the export of its creator's account: also of which event, and until when."""
    view = view_revision(revision)
    body = {"id": str(revision.event)} | view.about | {"event": view.event}
    return to_json(body | ({} if revision.expires_at is None else {"restorable_until": revision.expires_at}))


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
                    "event": RESPONSE_EXAMPLE
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

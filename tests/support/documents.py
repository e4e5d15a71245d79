"""The documents of accounts and events, built and read without the services."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from database.connection import Database
from database.queries import Id, new_id
from models.accounts.user import User
from models.events.change_numbers import UNNUMBERED, EventChange
from models.events.event import Event
from models.events.event_draft import build_content, build_requested_series
from models.events.event_schema import EventCreate
from models.events.public_event_index import copy_public_event
from planner.domain.times import resolve_times

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def build_user(name: str = "ada", **fields: Any) -> dict[str, Any]:
    """Return the document of an account as `Accounts.sign_up` stores it."""
    stored = {
        "_id": new_id(),
        "email": f"{name}@example.com",
        "email_key": f"{name}@example.com",
        "full_name": None,
        "password": "!",
        "role": "user",
        "email_verified": False,
        "disabled": False,
        "events": {},
        "revision": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return stored | fields


def build_event_document(creator: Id, **fields: Any) -> Event:
    """Return an event as `Events.create` stores it, from the fields of a draft."""
    draft = EventCreate.model_validate({"title": "Book launch"} | fields)
    times = resolve_times(draft.start, draft.end, draft.all_day, draft.time_zone, draft.end_time_zone)
    content = build_content(draft, times, build_requested_series(draft, times))
    return Event.new(creator, content, now=NOW, uid=draft.uid)


def build_event(creator: Id, **fields: Any) -> dict[str, Any]:
    """Return the stored document of such an event."""
    return build_event_document(creator, **fields).to_stored()


def insert_events(database: Any, events: Sequence[Event], change_number: int = UNNUMBERED) -> None:
    """Store events through the blocking driver as `Events.create` does, but for their ids in the account."""
    changes = [EventChange.insert_write(event).document.to_stored() for event in events]
    copies = [copy.to_stored() for event in events if (copy := copy_public_event(event)) is not None]
    database["events"].insert_many([event.to_stored() for event in events])
    database["event_changes"].insert_many([change | {"change_number": change_number} for change in changes])
    if copies:
        database["public_event_index"].insert_many(copies)


async def insert_user(database: Database, **fields: Any) -> Id:
    """Store an account, and return its id."""
    document = build_user(**fields)
    await database.handle["users"].insert_one(document)
    id: Id = document["_id"]
    return id


async def list_ids(database: Database, name: str) -> set[Any]:
    """Return the ids of all documents of a collection."""
    return {stored["_id"] async for stored in database.handle[name].find({}, {"_id": 1})}


async def get_stored(database: Database, name: str, id: Any) -> dict[str, Any]:
    """Return the document with this id, which must exist."""
    found: dict[str, Any] | None = await database.handle[name].find_one({"_id": id})
    assert found is not None
    return found


async def list_embedded_ids(database: Database, user: Id) -> list[Id]:
    """Return the ids of events that are embedded in an account."""
    return User.from_stored(await get_stored(database, "users", user)).event_ids

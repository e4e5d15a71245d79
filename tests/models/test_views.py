"""What is answered is what the schemas of the API describe, field by field."""

from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import orjson
import pytest
from pydantic import BaseModel

from database.bson_values import decode
from database.queries import Id, new_id
from models.accounts.user import OwnUserRead, User, UserRead
from models.events.event import Event
from models.events.event_schema import EventPage, EventRead
from models.events.event_view import EventView, render_event, render_raw
from planner.services.shared.views import Page
from tests.models.events.generated_events import generate_events
from tests.support.documents import NOW, build_event, build_user

ADA = new_id()
EVENTS: dict[str, dict[str, Any]] = {
    "the least there is": {},
    "everything": {
        "uid": "20261201T180000Z-1@example.com",
        "title": "Book launch 🦉",
        "description": 'Readings\nand "questions" </script> \u2028',
        "image": "https://example.com/a.png",
        "tags": ["books", "launch"],
        "location": "Town library",
        "geo": {"lat": -90.0, "lon": 180},
        "url": "http://example.com/launch",
        "start": "2026-12-01T18:00:00",
        "end": "2026-12-01T20:00:00",
        "time_zone": "Europe/Berlin",
        "status": "tentative",
        "visibility": "public",
    },
    "all day": {"start": "2026-12-01", "end": "2026-12-03", "time_zone": "Asia/Tokyo", "all_day": True},
    "the second of two equal times": {"start": "2024-10-27T02:30:00+01:00", "time_zone": "Europe/Berlin"},
    "undated in a zone": {"time_zone": "Europe/Berlin", "status": "cancelled", "visibility": "unlisted"},
    "the first day": {"start": "0001-01-01", "end": "9999-12-31"},
    "the last second": {"start": "9999-12-31T23:59:59"},
    "the longest": {"title": "x" * 200, "description": "🦉" * 20_000, "location": "x" * 300, "tags": ["y" * 32]},
}


def view_of(stored: dict[str, Any]) -> EventView:
    """Return the view of a stored event."""
    return render_event(Event.from_stored(stored))


def described(model: type[BaseModel], json: bytes, *, besides: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The body, which must have each field of the model and no other."""
    model.model_validate_json(json)
    body: dict[str, Any] = orjson.loads(json)
    assert set(body) | besides == set(model.model_fields)
    return body


# Only there where a moderator has been, or what was imported says so.
SOMETIMES = frozenset({"takedown", "organizer", "attendees", "conference", "alarms"})


@pytest.mark.parametrize("which", EVENTS)
def test_a_rendered_event_matches_its_schema(which: str) -> None:
    stored = build_event(ADA, **EVENTS[which])
    body = described(EventRead, view_of(stored).editors_json, besides=SOMETIMES)
    for name, value in EVENTS[which].items():
        if name not in ("start", "end"):
            assert body[name] == value
    assert (body["id"], body["creator"]) == (str(stored["_id"]), str(ADA))


@pytest.mark.parametrize("which", EVENTS)
def test_an_event_is_rendered_the_same_before_and_after_it_was_stored(which: str) -> None:
    stored = build_event(ADA, **EVENTS[which])
    raw = bson.encode(stored)
    assert render_raw(raw) == render_raw(raw) == view_of(decode(raw)) == view_of(stored)


def test_each_of_many_generated_events_is_rendered_as_its_schema_says() -> None:
    people = [Id(), Id()]
    views = [view_of(stored) for stored in generate_events(people, 500, seed=5)]
    for view in views:
        described(EventRead, view.editors_json, besides=SOMETIMES)
    page = EventPage.model_validate_json(Page([view.editors_json for view in views], "next").json())
    assert [item.id for item in page.items] == [view.id for view in views]


def test_an_event_that_was_taken_down_shows_the_takedown() -> None:
    stored = build_event(ADA) | {"takedown": {"reason": "Not an event.", "at": NOW}}
    view = view_of(stored)
    body = described(EventRead, view.editors_json, besides=SOMETIMES - {"takedown"})
    assert view.is_taken_down
    assert body["takedown"] == {"reason": "Not an event.", "at": "2026-05-01T12:00:00Z"}


def test_a_changed_event_is_not_rendered_from_the_cache() -> None:
    stored = build_event(ADA)
    before = render_raw(bson.encode(stored))
    after = render_raw(bson.encode(stored | {"title": "Another", "revision": 2}))
    titles = [orjson.loads(view.editors_json)["title"] for view in (before, after)]
    assert titles == ["Book launch", "Another"]
    assert (before.revision, after.revision) == (1, 2)


def test_an_event_without_a_uid_gets_one_made_of_its_id() -> None:
    stored = build_event(ADA)
    assert orjson.loads(view_of(stored).editors_json)["uid"] == f"{stored['_id']}@planner"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"username": "Ada", "username_key": "ada", "full_name": "Ada \u202e Lovelace", "role": "admin"},
        {"email_verified": True, "disabled": True, "role": "moderator", "revision": 7},
        {"events": {"0a": [new_id(), new_id()], "ff": [new_id()]}},
        {"identities": [{"issuer": "https://issuer.example", "subject": "1"}], "password": None},
    ],
)
def test_a_rendered_account_matches_its_schema_and_has_no_password(fields: dict[str, Any]) -> None:
    stored = build_user(password="$2b$12$secret") | fields
    account = User.from_stored(stored)
    json = UserRead.from_document(account).to_json()
    body = described(UserRead, json)
    assert b"secret" not in json
    assert body["username"] == fields.get("username")


def test_an_account_lists_its_events_in_the_order_of_their_creation() -> None:
    ids = [new_id() for _ in range(300)]
    lists: dict[str, list[Id]] = {}
    for id in reversed(ids):
        lists.setdefault(str(id)[-2:], []).append(id)
    assert OwnUserRead.from_document(User.from_stored(build_user(events=lists))).events == [str(id) for id in ids]


def test_instants_are_rendered_as_rfc_3339_in_utc() -> None:
    made = datetime(2026, 5, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    for at in (made, made.astimezone(tz=None), made + timedelta(0)):
        body = orjson.loads(view_of(build_event(ADA) | {"created_at": at}).editors_json)
        assert datetime.fromisoformat(body["created_at"]) == made
    assert (
        orjson.loads(view_of(build_event(ADA) | {"created_at": made}).editors_json)["created_at"]
        == "2026-05-01T12:00:00.123000Z"
    )

"""What is searched, and the keys of tags, of events that were stored before these fields existed."""

from typing import Any

from bson import ObjectId

from database.connection import Database, bind
from database.migrate import migrate, names
from models import DOCUMENTS
from models.events.event import Event
from models.events.public_event_index import copy_public_event
from planner.domain.search.searchable_text import build_searchable_text
from tests.database.test_migrate import database, pytestmark
from tests.support.documents import build_event_document, insert_user

__all__ = ["database", "pytestmark"]
BEFORE = 5
TITLES = [
    "Lunch & learn: 18:00",
    "Straße İstanbul Diyarbakır ΟΔΟΣ",
    "第３回 定例会議（ｵﾝﾗｲﾝ）が か",
    "การประชุมประจำเดือน 정기회의 हिन्दी",
    "Łódź Søren Tiếng Việt מִלָּה ﷺ ❤️",
    "soft\u00adhyphen " + "x" * 60,
    "…",
]
TAGS = ["Straße", "İstanbul", "ı", "ΟΔΟΣ"]
OVERRIDES: list[dict[str, Any]] = [
    {"id": "2026-05-01", "fields": {"title": "Gala", "location": "Opéra"}},
    {"id": "2026-05-02", "excluded": True, "fields": {"title": "Cancelled"}},
    {"id": "2026-05-03", "seconds": 60},
]


async def everything(database: Database) -> list[list[dict[str, Any]]]:
    """All events and all copies of public ones."""
    collections = (database.handle[name] for name in ("events", "public_event_index"))
    return [await collection.find({}).sort("_id", 1).to_list(None) for collection in collections]


async def test_events_stored_before_get_what_new_ones_have(database: Database) -> None:
    ada = await insert_user(database)
    events = [build_event_document(ada, title=title, tags=TAGS, visibility="public") for title in TITLES]
    events.append(build_event_document(ada, description="word " * 1000 + " ".join(map(str, range(3000)))))
    events += [build_event_document(ada, title=f"Event {number}") for number in range(120)]
    stored = [event.to_stored() for event in events]
    stored[0]["overrides"] = OVERRIDES
    stored[0]["search"] = build_searchable_text(stored[0])
    events[0] = Event.from_stored(stored[0])
    await database.handle["events"].insert_many(stored)
    copies = [copy.to_stored() for event in events if (copy := copy_public_event(event))]
    await database.handle["public_event_index"].insert_many(copies)
    expected = await everything(database)

    await migrate(database)
    assert await everything(database) == expected
    await migrate(database, back=len(names()) - BEFORE)
    then, public = await everything(database)
    assert not any({"search", "tag_keys"} & document.keys() for document in then + public)
    assert [document["title"] for document in public] == TITLES
    await migrate(database)
    # The tags were folded on the way back.
    for document in expected[0][: len(TITLES)]:
        document["tags"] = [tag.casefold() for tag in TAGS]
    assert await everything(database) == expected


async def test_the_tags_of_feeds_are_folded_on_the_way_back(database: Database) -> None:
    await insert_user(database)
    feeds = database.handle["feeds"]
    await feeds.insert_many([{"_id": ObjectId(), "tag": tag, "digest": tag} for tag in ("Straße", None)])
    await migrate(database)
    await migrate(database, back=len(names()) - BEFORE)
    assert [feed["tag"] for feed in await feeds.find({}).sort("_id", 1).to_list(None)] == ["strasse", None]


async def test_the_indexes_with_other_keys_are_made_anew(database: Database) -> None:
    await insert_user(database)
    await migrate(database)
    await migrate(database, back=len(names()) - BEFORE)
    events, public = database.handle["events"], database.handle["public_event_index"]
    await events.create_index([("creator", 1), ("tags", 1), ("key", 1)], name="creator_tags_key")
    await events.create_index([("creator", 1), ("title", 1)], name="creator_words")
    await public.create_index([("title", 1)], name="words")
    await migrate(database)
    await bind(database, DOCUMENTS)
    indexes = await events.index_information()
    assert [field for field, _ in indexes["creator_words"]["key"]] == ["creator", "search.words"]
    assert [field for field, _ in indexes["creator_tags_key"]["key"]] == ["creator", "tag_keys", "key"]
    assert "words" not in await public.index_information()

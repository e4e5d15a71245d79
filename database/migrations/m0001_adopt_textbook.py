"""Adopt the data of the planner that the books build: plain e-mails, creators by e-mail.

That planner keeps `users` as {email, password, events: [id]} and `events` as {creator:
e-mail, title, image, description, tags, location}. Here each gets the fields it lacks;
a creator becomes an id, and the flat list of event ids becomes the lists of
`models/accounts/user.py`. Passwords stay as they are: bcrypt hashes are accepted and improved at
the next sign-in. An event whose creator is not there is nobody's: it is set aside in a
collection of its own. Doing it twice changes nothing.
"""

import logging
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from beanie import Document, free_fall_migration
from bson import ObjectId
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

log = logging.getLogger("planner.database")
UNDATED = "9999-12-31T23:59:59Z"
SET_ASIDE = "events_set_aside"
# What the books' planner writes of an event and may have changed; the rest is ours, and is
# there already when this migration was undone in the meantime.
THEIRS = {"creator", "title", "image", "tags"}


class Users(Document):
    """The accounts, of either kind."""

    class Settings:
        """Where they are."""

        name = "users"


class Events(Document):
    """The events, of either kind."""

    class Settings:
        """Where they are."""

        name = "events"


def lists_of(events: Iterable[ObjectId]) -> dict[str, list[ObjectId]]:
    """Return the ids in lists by their last two digits."""
    lists: dict[str, list[ObjectId]] = {}
    for event in events:
        lists.setdefault(str(event)[-2:], []).append(event)
    return lists


def folded(tags: Iterable[Any]) -> list[str]:
    """Return the tags case-folded, each once."""
    return list(dict.fromkeys(str(tag).strip().casefold()[:32] for tag in tags if str(tag).strip()))[:20]


def folded_address(address: Any) -> str:
    """Return an e-mail address in the form in which addresses are compared."""
    name, at, domain = unicodedata.normalize("NFC", str(address).strip()).lower().rpartition("@")
    return name + at + ".".join(map(_in_unicode, domain.split(".")))


def _in_unicode(label: str) -> str:
    """Return a label of a domain without its punycode (RFC 5891 §4.4)."""
    try:
        return label.removeprefix("xn--").encode().decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def adopted_event(event: dict[str, Any], creator: ObjectId) -> dict[str, Any]:
    """Return the fields that an event of the old kind lacks, and those that change."""
    made: datetime = event["_id"].generation_time
    image = event.get("image")
    return {
        "uid": f"{event['_id']}@planner",
        "creator": creator,
        "title": str(event.get("title") or "Untitled")[:200],
        # An image has to be an https address; anything else would be refused today.
        "image": image if isinstance(image, str) and image.startswith("https://") else None,
        "tags": folded(event.get("tags") or []),
        "all_day": False,
        "status": "confirmed",
        # Whoever was signed in could read every event of the old planner.
        "visibility": "public",
        "begins": datetime.fromisoformat(UNDATED),
        "ends": None,
        "span": 0,
        "key": f"{UNDATED} {event['_id']}",
        "revision": 1,
        "created_at": made,
        "updated_at": made,
    }


async def move(document: dict[str, Any], source: Any, target: Any) -> None:
    """Move a document to another collection; cut short, it is in both, and can be moved again."""
    await target.replace_one({"_id": document["_id"]}, document, upsert=True)
    await source.delete_one({"_id": document["_id"]})


class Forward:
    """From the books' planner to this one."""

    @free_fall_migration(document_models=[Users, Events])
    async def adopt(self, session: Any) -> None:
        """Give every account and event of the old kind the fields of the new one."""
        users, events = driver.collection_of(Users), driver.collection_of(Events)
        by_key: dict[str, ObjectId] = {}
        async for user in users.find({}, {"email": 1, "email_key": 1}, sort=[("_id", 1)]):
            key = user.get("email_key") or folded_address(user["email"])
            if by_key.setdefault(key, user["_id"]) != user["_id"]:
                raise RuntimeError(
                    f"Two accounts have the e-mail address of {user['_id']} in different letter case; "
                    "decide which one stays, then migrate again."
                )
        async for event in events.find({"revision": {"$exists": False}}):
            creator = by_key.get(folded_address(event.get("creator", "")))
            if creator is None:
                await move(event, events, events.database[SET_ASIDE])
                log.warning("event %s has no creator and is set aside in the collection %s", event["_id"], SET_ASIDE)
                continue
            fields = adopted_event(event, creator)
            missing = {name: value for name, value in fields.items() if name in THEIRS or name not in event}
            await events.update_one({"_id": event["_id"]}, {"$set": missing})
        for key, id in by_key.items():
            made = id.generation_time
            own = [found["_id"] async for found in events.find({"creator": id}, {"_id": 1})]
            before = {"role": "user", "email_verified": False, "disabled": False, "revision": 1, "created_at": made}
            fields = {name: {"$ifNull": [f"${name}", value]} for name, value in before.items()}
            fields |= {"email_key": {"$literal": key}, "events": {"$literal": lists_of(own)}, "updated_at": made}
            await users.update_one({"_id": id, "email_key": {"$exists": False}}, [{"$set": fields}])


class Backward:
    """Back to what the books' planner can read; what it does not know stays beside it."""

    @free_fall_migration(document_models=[Users, Events])
    async def release(self, session: Any) -> None:
        """Make creators e-mail addresses and the ids one flat list again."""
        users, events = driver.collection_of(Users), driver.collection_of(Events)
        # It holds each e-mail address once, and from now on nobody has one there.
        with suppress(OperationFailure):
            await users.drop_index("email_key")
        async for orphan in events.database[SET_ASIDE].find({}):
            await move(orphan, events.database[SET_ASIDE], events)
        async for user in users.find({"email_key": {"$exists": True}}):
            flat = sorted(id for ids in user["events"].values() for id in ids)
            await events.update_many(
                {"creator": user["_id"]}, {"$set": {"creator": user["email"]}, "$unset": {"revision": ""}}
            )
            await users.update_one({"_id": user["_id"]}, {"$set": {"events": flat}, "$unset": {"email_key": ""}})

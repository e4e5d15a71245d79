"""Adopt the data of the planner that the books build: plain e-mails, creators by e-mail.

That planner keeps `users` as {email, password, events: [id]} and `events` as {creator:
e-mail, title, image, description, tags, location}. Here each gets the fields it lacks;
a creator becomes an id, and the flat list of event ids becomes the lists of
`models/user.py`. Passwords stay as they are: bcrypt hashes are accepted and improved at
the next sign-in. Doing it twice changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from beanie import Document, free_fall_migration
from bson import ObjectId

UNDATED = "9999-12-31T23:59:59Z"


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
    """The ids in lists under their last two digits."""
    lists: dict[str, list[ObjectId]] = {}
    for event in events:
        lists.setdefault(str(event)[-2:], []).append(event)
    return lists


def folded(tags: Iterable[Any]) -> list[str]:
    """The tags as they are compared: each once, whatever its letter case."""
    return list(dict.fromkeys(str(tag).strip().casefold()[:32] for tag in tags if str(tag).strip()))[:20]


def adopted_event(event: dict[str, Any], creator: ObjectId) -> dict[str, Any]:
    """The fields that an event of the old kind lacks or that change."""
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


class Forward:
    """From the books' planner to this one."""

    @free_fall_migration(document_models=[Users, Events])
    async def adopt(self, session: Any) -> None:
        """Give every account and event of the old kind the fields of the new one."""
        users, events = Users.get_motor_collection(), Events.get_motor_collection()
        by_key: dict[str, ObjectId] = {}
        async for user in users.find({}, {"email": 1, "email_key": 1}, sort=[("_id", 1)]):
            key = user.get("email_key") or str(user["email"]).strip().casefold()
            if by_key.setdefault(key, user["_id"]) != user["_id"]:
                raise RuntimeError(
                    f"Two accounts have the e-mail address of {user['_id']} in different letter case; "
                    "decide which one stays, then migrate again."
                )
        async for event in events.find({"revision": {"$exists": False}}):
            creator = by_key.get(str(event.get("creator", "")).strip().casefold())
            if creator is not None:
                await events.update_one({"_id": event["_id"]}, {"$set": adopted_event(event, creator)})
        for key, id in by_key.items():
            made = id.generation_time
            own = [found["_id"] async for found in events.find({"creator": id}, {"_id": 1})]
            await users.update_one(
                {"_id": id, "email_key": {"$exists": False}},
                {
                    "$set": {
                        "email_key": key,
                        "role": "user",
                        "email_verified": False,
                        "disabled": False,
                        "events": lists_of(own),
                        "revision": 1,
                        "created_at": made,
                        "updated_at": made,
                    }
                },
            )


class Backward:
    """Back to what the books' planner can read; what it does not know stays beside it."""

    @free_fall_migration(document_models=[Users, Events])
    async def release(self, session: Any) -> None:
        """Make creators e-mail addresses and the ids one flat list again."""
        users, events = Users.get_motor_collection(), Events.get_motor_collection()
        async for user in users.find({"email_key": {"$exists": True}}):
            flat = sorted(id for ids in user["events"].values() for id in ids)
            await events.update_many(
                {"creator": user["_id"]}, {"$set": {"creator": user["email"]}, "$unset": {"revision": ""}}
            )
            await users.update_one({"_id": user["_id"]}, {"$set": {"events": flat}, "$unset": {"email_key": ""}})

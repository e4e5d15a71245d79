"""Give collections and fields their standard names, and drop what nothing uses any more.

`gone` becomes `tombstones`, and so on: see `COLLECTIONS`. The number of a change is `change_number`
in events and tombstones. The slots of feeds and imports, the notes of the journal and the old form
of a user's write lock are dropped. Running it twice changes nothing.
"""

from contextlib import suppress
from typing import Any

from beanie import Document, free_fall_migration
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

COLLECTIONS = {
    "gone": "tombstones",
    "published": "public_event_index",
    "answers": "idempotent_responses",
    "tallies": "rate_limit_counters",
    "access_tokens": "personal_tokens",
    "provider_logins": "oidc_login_attempts",
    "provider_codes": "authorization_codes",
    "mails": "queued_mails",
    "sequences": "change_sequences",
}
# By the collection, under its new name: the fields that get a new name.
FIELDS = {
    "events": {"seq": "change_number"},
    "tombstones": {"seq": "change_number"},
    "idempotent_responses": {"json": "body", "thing": "resource"},
    "import_jobs": {"reject": "reject_conflicts", "holder": "lease_holder"},
    "import_chunks": {"n": "number"},
    "guards": {"taken": "version"},
    "sessions": {"refresh": "refresh_digest"},
    "queued_mails": {"address": "email"},
}
# Their keys or names change, and they are created again at the next start.
INDEXES = {
    "events": ("waiting", "creator_changes", "public_changes"),
    "tombstones": ("waiting", "owner_changes", "public_changes"),
    "feeds": ("user_slot",),
    "import_jobs": ("slot", "owner"),
    "import_chunks": ("job_n", "job_number"),
    "idempotent_responses": ("kept", "expired"),
}


class Users(Document):
    """The accounts; through them the database is reached."""

    class Settings:
        """Where they are."""

        name = "users"


async def drop_indexes(database: Any) -> None:
    """Drop the indexes whose keys change, where they exist."""
    for collection, names in INDEXES.items():
        for name in names:
            with suppress(OperationFailure):
                await database[collection].drop_index(name)


async def rename_collections(database: Any, names: dict[str, str]) -> None:
    """Rename the collections that exist; where both names exist, the documents are moved."""
    existing = set(await database.list_collection_names())
    for old, new in names.items():
        if old not in existing:
            continue
        if new in existing and not await database[new].find_one({}):
            await database.drop_collection(new)
            existing.remove(new)
        if new not in existing:
            await database[old].rename(new)
            continue
        async for document in database[old].find({}):
            await database[new].replace_one({"_id": document["_id"]}, document, upsert=True)
        await database.drop_collection(old)


class Forward:
    """From the old names to the standard ones."""

    @free_fall_migration(document_models=[Users])
    async def rename(self, session: Any) -> None:
        """Rename collections and fields, and drop what is not used."""
        database = driver.collection_of(Users).database
        await rename_collections(database, COLLECTIONS)
        await drop_indexes(database)
        for collection, fields in FIELDS.items():
            for old, new in fields.items():
                await database[collection].update_many({old: {"$exists": True}}, {"$rename": {old: new}})
        await database["revisions"].update_many({"state.seq": {"$exists": True}}, {"$unset": {"state.seq": ""}})
        await database["users"].update_many({"turn": {"$exists": True}}, {"$unset": {"turn": ""}})
        for collection in ("feeds", "import_jobs"):
            await database[collection].update_many({"slot": {"$exists": True}}, {"$unset": {"slot": ""}})
        await database.drop_collection("journal")


class Backward:
    """Back to the old names."""

    @free_fall_migration(document_models=[Users])
    async def rename_back(self, session: Any) -> None:
        """Rename fields and collections back; feeds get slots in the order in which they were made."""
        database = driver.collection_of(Users).database
        await drop_indexes(database)
        for collection, fields in FIELDS.items():
            for old, new in fields.items():
                await database[collection].update_many({new: {"$exists": True}}, {"$rename": {new: old}})
        await database["users"].update_many({"write_lock": {"$exists": True}}, {"$unset": {"write_lock": ""}})
        slots: dict[Any, int] = {}
        async for feed in database["feeds"].find({}, {"user": 1}, sort=[("_id", 1)]):
            slot = slots[feed["user"]] = slots.get(feed["user"], -1) + 1
            await database["feeds"].update_one({"_id": feed["_id"]}, {"$set": {"slot": slot}})
        await rename_collections(database, {new: old for old, new in COLLECTIONS.items()})

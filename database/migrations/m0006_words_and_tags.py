"""Let events be found by the beginnings of words, and by tags whatever their letter case.

Events get `search` and `tag_keys`, and the copies of public ones these instead of their texts. What is computed
here is what the planner computed when this was written (`planner/domain/search/`, `planner/domain/words.py`):
a migration does the same for ever. Running it twice changes nothing.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

from beanie import Document, free_fall_migration
from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from database.drivers.choice import driver

BATCH_SIZE = 100
WEIGHTS = {"title": 10, "tags": 5, "location": 3, "description": 1}
COMPUTED = ("search", "tag_keys")
MAX_WORDS, MAX_LENGTH, WORD_LENGTH, GRAM_LENGTH = 1000, 32_000, 40, 4
LETTERS = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"}
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
RUN = re.compile(f"[{UNSPACED}]+|[^ {UNSPACED}]+")
INDEXES = {
    "events": ("creator_words", "creator_tags_key", "public_tags_key"),
    "public_event_index": ("words", "words_key"),
}


class Events(Document):
    """The events; through them the database is reached."""

    class Settings:
        """Where they are."""

        name = "events"


def fold_tag(tag: str) -> str:
    """Return the form of a tag in which it is compared."""
    text = unicodedata.normalize("NFC", tag.strip())
    return unicodedata.normalize("NFC", text.casefold()).replace("i\u0307", "i").replace("ı", "i")


def fold_character(char: str) -> str:
    """Return what becomes of a character of a decomposed text."""
    category, accent = unicodedata.category(char), unicodedata.combining(char)
    if category == "Cf" or 10 <= accent <= 36 or accent >= 200 or "\ufe00" <= char <= "\ufe0f":
        return ""
    return LETTERS.get(char, char) if char.isalnum() or category[0] == "M" else " "


def fold_words(text: str) -> str:
    """Return the words of a text, folded, with one blank between two."""
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(RUN.findall(unicodedata.normalize("NFKC", "".join(map(fold_character, decomposed)))))


def values(event: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield the weights and values that are searched."""
    overrides = [each.get("fields") or {} for each in event.get("overrides") or [] if not each.get("excluded")]
    for name, weight in WEIGHTS.items():
        for source in (event, *overrides):
            value = source.get(name)
            for text in [value] if isinstance(value, str) else value or ():
                yield weight, text


def searchable(event: dict[str, Any]) -> dict[str, Any]:
    """Return what is searched of an event."""
    lines: dict[tuple[int, str], None] = {}
    words: dict[str, None] = {}
    room = MAX_LENGTH
    for weight, value in values(event):
        text = fold_words(value)
        if not text or (weight, text) in lines:
            continue
        text = text if len(text) <= room else text[:room].rpartition(" ")[0]
        room -= len(text)
        lines[weight, text] = None
        if len(words) < MAX_WORDS:
            words |= dict.fromkeys(part for word in text.split(" ") for part in indexed(word))
    return {"words": list(words)[:MAX_WORDS], "text": "\n".join(f"{weight} {text}" for weight, text in lines)}


def indexed(word: str) -> list[str]:
    """Return what the index contains of a word."""
    if re.match(f"[{UNSPACED}]", word):
        return [word[start : start + GRAM_LENGTH] for start in range(len(word))]
    return [word[:WORD_LENGTH]]


async def batches(events: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield all events, as far as they are searched, so many at a time."""
    fields = dict.fromkeys((*WEIGHTS, "overrides", "visibility"), 1)
    batch = []
    async for event in events.find({"title": {"$exists": True}}, fields, sort=[("_id", 1)]):
        batch.append(event)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


async def drop_indexes(database: Any) -> None:
    """Drop the indexes whose keys change; they are created again at the next start."""
    for collection, names in INDEXES.items():
        for name in names:
            with suppress(OperationFailure):
                await database[collection].drop_index(name)


class Forward:
    """To words and keys of tags."""

    @free_fall_migration(document_models=[Events])
    async def compute(self, session: Any) -> None:
        """Compute what is searched of all events, and of the copies of the public ones."""
        events = driver.collection_of(Events)
        await drop_indexes(events.database)
        async for batch in batches(events):
            changes, copies = [], []
            for event in batch:
                computed = {"search": searchable(event), "tag_keys": list(map(fold_tag, event.get("tags") or []))}
                changes.append(UpdateOne({"_id": event["_id"]}, {"$set": computed}))
                unset = {"$unset": dict.fromkeys(WEIGHTS, "")}
                copies.append(UpdateOne({"_id": event["_id"]}, {"$set": computed} | unset))
            await events.bulk_write(changes, ordered=False)
            await events.database["public_event_index"].bulk_write(copies, ordered=False)


class Backward:
    """Back to whole words and folded tags."""

    @free_fall_migration(document_models=[Events])
    async def forget(self, session: Any) -> None:
        """Fold the tags, and copy the texts of public events again."""
        events = driver.collection_of(Events)
        database = events.database
        await drop_indexes(database)
        forget = {"$unset": dict.fromkeys(COMPUTED, "")}
        async for batch in batches(events):
            changes, copies = [], []
            for event in batch:
                tags = list(dict.fromkeys(tag.casefold() for tag in event.get("tags") or []))
                texts = {name: event[name] for name in WEIGHTS if event.get(name) is not None} | {"tags": tags}
                changes.append(UpdateOne({"_id": event["_id"]}, {"$set": {"tags": tags}} | forget))
                copies.append(UpdateOne({"_id": event["_id"]}, {"$set": texts} | forget))
            await events.bulk_write(changes, ordered=False)
            await database["public_event_index"].bulk_write(copies, ordered=False)
        async for feed in database["feeds"].find({"tag": {"$type": "string"}}, {"tag": 1}):
            await database["feeds"].update_one({"_id": feed["_id"]}, {"$set": {"tag": feed["tag"].casefold()}})

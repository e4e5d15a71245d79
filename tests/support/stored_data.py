"""All that a database stores, and a search in it for words that must not be there."""

from typing import Any


async def read_all_documents(database: Any) -> dict[str, list[Any]]:
    """Return every document of every collection of a database (the driver's handle), by collection."""
    names = sorted(name for name in await database.list_collection_names() if not name.startswith("system."))
    return {name: await database[name].find({}).sort("_id", 1).to_list(None) for name in names}


async def find_words(database: Any, *words: str) -> list[str]:
    """Return where any of the words is stored, in any letter case."""
    return [
        f"{word!r} in {name}: {document!r}"
        for name, documents in (await read_all_documents(database)).items()
        for document in documents
        for word in words
        if word.casefold() in repr(document).casefold()
    ]

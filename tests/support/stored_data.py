"""What is stored, all of it, searched for words that should not be there."""

from typing import Any


async def everything(database: Any) -> dict[str, list[Any]]:
    """Every document of every collection of a database (the driver's handle)."""
    names = sorted(name for name in await database.list_collection_names() if not name.startswith("system."))
    return {name: await database[name].find({}).sort("_id", 1).to_list(None) for name in names}


async def traces(database: Any, *words: str) -> list[str]:
    """Where any of the words stands in what is stored, whatever its letter case."""
    return [
        f"{word!r} in {name}: {document!r}"
        for name, documents in (await everything(database)).items()
        for document in documents
        for word in words
        if word.casefold() in repr(document).casefold()
    ]

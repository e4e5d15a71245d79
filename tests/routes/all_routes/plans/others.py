"""Documents of others: copies of what is stored, of other accounts, so that a query which reads them is noticed."""

from collections.abc import Iterator
from typing import Any

from bson import ObjectId
from pymongo import InsertOne
from pymongo.database import Database

COPIES = 400
# So many documents of each collection are copied, each `COPIES` times between them.
EXAMPLES = 4


def add_documents_of_others(database: Database[Any]) -> None:
    """Copy the documents of each collection, with ids and unique values of their own."""
    for name in database.list_collection_names(filter={"name": {"$not": {"$regex": "^system\\."}}}):
        unique = {field for index in database[name].list_indexes() if index.get("unique") for field in index["key"]}
        examples = list(database[name].find({"_id": {"$type": "objectId"}}, limit=EXAMPLES))
        writes = [InsertOne(copy) for number in range(COPIES) for copy in _copy(examples, number, unique)]
        if writes:
            database[name].bulk_write(writes, ordered=False)


def _copy(examples: list[dict[str, Any]], number: int, unique: set[str]) -> Iterator[dict[str, Any]]:
    if examples:
        example = examples[number % len(examples)]
        yield {field: _change(value, number, field in unique) for field, value in example.items()}


def _change(value: Any, number: int, is_unique: bool) -> Any:
    """Return another id for an id, also inside of lists and documents, and another text for a unique one."""
    if isinstance(value, ObjectId):
        return ObjectId()
    if isinstance(value, dict):
        return {name: _change(inner, number, is_unique) for name, inner in value.items()}
    if isinstance(value, list):
        return [_change(inner, number, is_unique) for inner in value]
    return f"{value} {number}" if is_unique and isinstance(value, str) else value

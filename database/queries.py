"""The vocabulary the documents use to speak of indexes and identifiers."""

from typing import Any

from beanie import PydanticObjectId
from pymongo import ASCENDING, IndexModel

Filter = dict[str, Any]
Stored = dict[str, Any]
Id = PydanticObjectId


def index(*fields: str, name: str, **options: Any) -> IndexModel:
    """An ascending index over `fields`; options as the server knows them (`unique`, …)."""
    return IndexModel([(field, ASCENDING) for field in fields], name=name, **options)


def new_id() -> Id:
    """A fresh identifier, larger than those made before it in this process."""
    return PydanticObjectId()


def as_id(text: str) -> Id | None:
    """The identifier written as 24 hexadecimal digits, or None when that is not one."""
    if len(text) != 24:
        return None
    try:
        return PydanticObjectId(text)
    except ValueError:
        return None

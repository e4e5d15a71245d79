"""The vocabulary the documents use to speak of indexes and identifiers."""

import re
from typing import Any

from beanie import PydanticObjectId
from pymongo import ASCENDING, IndexModel

Filter = dict[str, Any]
Stored = dict[str, Any]
Id = PydanticObjectId
# The driver raises an error of its own, which is no ValueError, for any other 24 characters.
_ID = re.compile(r"[0-9A-Fa-f]{24}", re.ASCII)


def index(*fields: str, name: str, **options: Any) -> IndexModel:
    """An ascending index over `fields`; options as the server knows them (`unique`, …)."""
    return IndexModel([(field, ASCENDING) for field in fields], name=name, **options)


def new_id() -> Id:
    """A fresh identifier, larger than those made before it in this process."""
    return PydanticObjectId()


def as_id(text: str) -> Id | None:
    """The identifier written as 24 hexadecimal digits, or None when that is not one."""
    return PydanticObjectId(text) if _ID.fullmatch(text) else None

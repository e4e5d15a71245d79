"""The vocabulary the documents use to speak of indexes and identifiers."""

import re
from typing import Any

from beanie import PydanticObjectId
from pymongo import ASCENDING, GEOSPHERE, TEXT, IndexModel

Filter = dict[str, Any]
Stored = dict[str, Any]
Id = PydanticObjectId
# The driver raises an error of its own, which is no ValueError, for any other 24 characters.
_ID = re.compile(r"[0-9A-Fa-f]{24}", re.ASCII)


def index(*fields: str, name: str, **options: Any) -> IndexModel:
    """An ascending index over `fields`; options as the server knows them (`unique`, …)."""
    return IndexModel([(field, ASCENDING) for field in fields], name=name, **options)


def text_index(*prefix: str, weights: dict[str, int], name: str) -> IndexModel:
    """An index of the words of the fields in `weights`, of any language; `prefix` has to be known to use it.

    Words are compared without regard to letter case and accents, and not by their stems.
    """
    keys: list[tuple[str, int | str]] = [(field, ASCENDING) for field in prefix]
    keys += [(field, TEXT) for field in weights]
    # The override names a field that no document has, so that none can choose a language.
    return IndexModel(keys, name=name, weights=weights, default_language="none", language_override="-")


def place_index(*fields: str, place: str, name: str, **options: Any) -> IndexModel:
    """An index over `fields`, then a GeoJSON point; what has no point is not in it."""
    return IndexModel([*((field, ASCENDING) for field in fields), (place, GEOSPHERE)], name=name, **options)


def new_id() -> Id:
    """A fresh identifier, larger than those made before it in this process."""
    return PydanticObjectId()


def as_id(text: str) -> Id | None:
    """The identifier written as 24 hexadecimal digits, or None when that is not one."""
    return PydanticObjectId(text) if _ID.fullmatch(text) else None

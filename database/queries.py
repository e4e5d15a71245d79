"""The vocabulary of filters, updates, indexes and identifiers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from beanie import PydanticObjectId
from bson import Regex
from pymongo import ASCENDING, IndexModel

Id = PydanticObjectId
# The keys are fields of a document (`User.email_key`), which are their own names, or names of operators.
Filter = dict[Any, Any]
Changes = dict[Any, Any]
Projection = dict[Any, Any]
Pipeline = list[dict[Any, Any]]
# The driver raises an error of its own, which is no ValueError, for any other 24 characters.
_ID = re.compile(r"[0-9A-Fa-f]{24}", re.ASCII)

# Constraints, not a bound: so the type checker refuses a value of another kind than the field.
Value = TypeVar(
    "Value",
    bool | None,
    str | None,
    int | None,
    float | None,
    bytes | None,
    datetime | None,
    PydanticObjectId | None,
    Sequence[Any] | None,
    Mapping[str, Any] | None,
)


def assign(field: Value, value: Value) -> Changes:
    """Return the part of a `$set` that gives a field, such as `User.role`, a value of its type."""
    return {cast("str", field): value}


def clear(*fields: Any) -> Changes:
    """Return the `$unset` of these fields."""
    return dict.fromkeys(fields, "")


def only(*fields: Any) -> Projection:
    """Return the projection that reads the id and these fields, and nothing else."""
    return dict.fromkeys(fields, 1)


def without(*fields: Any) -> Projection:
    """Return the projection that reads everything but these fields."""
    return dict.fromkeys(fields, 0)


def within(field: Any, name: str) -> str:
    """Return the name of a field inside another one, such as `identities.subject`."""
    return f"{field}.{name}"


def starts_with(prefixes: Iterable[str]) -> Filter:
    """Return the condition that a text, or one of a list of texts, starts with one of these; an index can find them."""
    return {"$in": [Regex(f"^{re.escape(prefix)}") for prefix in prefixes]}


def index(*fields: str, name: str, **options: Any) -> IndexModel:
    """Return an ascending index over `fields`; options as the server knows them (`unique`, …)."""
    return IndexModel([(field, ASCENDING) for field in fields], name=name, **options)


def new_id() -> Id:
    """Return a fresh identifier, larger than those made before it in this process."""
    return PydanticObjectId()


def parse_id(text: str) -> Id | None:
    """Return the identifier written as 24 hexadecimal digits, or None when the text is not one."""
    return PydanticObjectId(text) if _ID.fullmatch(text) else None

"""A check of what is stored against what the document classes declare."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pymongo import IndexModel
from pymongo.database import Database

from database.documents import StoredDocument

# The number of documents of each collection that are checked.
SAMPLE_SIZE = 50


def name_of(document: type[StoredDocument]) -> str:
    """Return the name of the collection of a document class, which need not be bound to a database."""
    settings: Any = document.__dict__["Settings"]
    return str(settings.name)


def indexes_of(document: type[StoredDocument]) -> list[IndexModel]:
    """Return the indexes of a document class, which need not be bound to a database."""
    return list(getattr(document.__dict__["Settings"], "indexes", []))


def find_violations(database: Database[Any], documents: Sequence[type[StoredDocument]]) -> list[str]:
    """Return what is wrong with the newest documents of each collection, as `collection.field: reason`."""
    classes = {name_of(document): document for document in documents}
    found = (
        violation for name, stored in _read_samples(database, classes) for violation in check(classes[name], stored)
    )
    return sorted(set(found))


def check(document: type[StoredDocument], stored: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a stored document: undeclared, missing and wrong fields."""
    name = name_of(document)
    try:
        parsed = _declared_fields(document).model_validate(stored)
    except ValidationError as error:
        yield from (f"{name}.{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        return
    for field, value in stored.items():
        # Some types convert another type to their own, such as the text of an id.
        accepted = getattr(parsed, _attribute(field))
        if not isinstance(accepted, BaseModel) and accepted != value:
            yield f"{name}.{field}: is not as declared: {type(value).__name__}"


@cache
def _declared_fields(document: type[StoredDocument]) -> type[BaseModel]:
    """Return a strict model of the fields that a document class declares."""
    fields: dict[str, Any] = {
        name: (field.annotation, ... if field.is_required() else None)
        for name, field in document.model_fields.items()
        if name != "id"
    }
    fields["id"] = (document.model_fields["id"].annotation, Field(alias="_id"))
    return create_model(document.__name__, __config__=ConfigDict(strict=True, extra="forbid"), **fields)


def _attribute(field: str) -> str:
    return "id" if field == "_id" else field


def _read_samples(
    database: Database[Any], classes: Mapping[str, type[StoredDocument]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the newest documents of each collection, with its name, in one trip to the server."""

    def sample(name: str) -> list[dict[str, Any]]:
        newest: list[dict[str, Any]] = [{"$sort": {"_id": -1}}, {"$limit": SAMPLE_SIZE}]
        return [*newest, {"$project": {"_id": 0, "collection": {"$literal": name}, "stored": "$$ROOT"}}]

    first, *others = classes
    unions = [{"$unionWith": {"coll": name, "pipeline": sample(name)}} for name in others]
    for found in database[first].aggregate([*sample(first), *unions]):
        yield found["collection"], found["stored"]

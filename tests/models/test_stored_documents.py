"""What a document class declares is what its collection has. The fixture `open_database_for_test` checks every test."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from bson import ObjectId
from pymongo.database import Database
from pymongo.operations import IndexModel
from typing_extensions import is_typeddict

from database.documents import StoredDocument
from models import DOCUMENTS
from models.accounts.user import User
from tests.support.documents import build_user
from tests.support.stored_documents import SAMPLE_SIZE, check, find_violations


def test_a_document_as_it_is_declared_is_accepted() -> None:
    stored = build_user(username="Ada", username_key="ada", signed_in_at=datetime.now(UTC), events={"0a": [ObjectId()]})
    assert list(check(User, stored)) == []
    assert list(check(User, stored | {"identities": [{"issuer": "https://issuer.example", "subject": "ada"}]})) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"emial": "ada@example.com"}, "emial"),
        ({"email": 7}, "email"),
        ({"role": "superuser"}, "role"),
        ({"email_verified": 1}, "email_verified"),
        ({"revision": "1"}, "revision"),
        ({"created_at": "2026-05-01T12:00:00Z"}, "created_at"),
        ({"write_lock": str(ObjectId())}, "write_lock"),
        ({"events": {"0a": [str(ObjectId())]}}, "events"),
        ({"identities": [{"issuer": "https://issuer.example"}]}, "identities.0.subject"),
        ({"identities": [{"issuer": "", "subject": "", "name": "Ada"}]}, "identities.0.name"),
    ],
)
def test_a_field_that_is_not_declared_or_has_another_type_is_found(changes: dict[str, Any], field: str) -> None:
    (violation,) = check(User, build_user() | changes)
    assert violation.startswith(f"users.{field}: ")


def test_a_required_field_that_is_missing_is_found() -> None:
    stored = build_user()
    del stored["email_key"]
    (violation,) = check(User, stored)
    assert violation.startswith("users.email_key: ")


@pytest.mark.real_server("the mock cannot read several collections at once")
def test_the_newest_documents_of_every_collection_are_checked(indexed: Database[Any]) -> None:
    for number in range(SAMPLE_SIZE + 1):
        indexed["users"].insert_one(build_user(f"user-{number}"))
    assert find_violations(indexed, DOCUMENTS) == []
    indexed["users"].update_one({"email": f"user-{SAMPLE_SIZE}@example.com"}, {"$set": {"emial": "x"}})
    indexed["guards"].insert_one({"_id": "admins", "version": "one"})
    first, second = find_violations(indexed, DOCUMENTS)
    assert first.startswith("guards.version: ") and second.startswith("users.emial: ")


def fields_in(index: IndexModel) -> Iterable[str]:
    """Return the names of the fields in the keys, the weights and the filter of an index."""
    definition = index.document
    operators = {name for name in definition["key"] if name.startswith("_fts")}
    filtered = definition.get("partialFilterExpression", {})
    return {*definition["key"], *definition.get("weights", {}), *filtered} - operators


def is_declared(document: type[StoredDocument], name: str) -> bool:
    """Return whether a document declares a field, or a field within it, such as `identities.subject`."""
    name, _, nested = name.partition(".")
    fields = {field.alias or name: field for name, field in document.model_fields.items()}
    if name not in fields:
        return False
    annotations = [fields[name].annotation]
    for annotation in annotations:
        annotations += get_args(annotation)
    return not nested or any(is_typeddict(one) and nested in one.__annotations__ for one in annotations)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_indexes_name_only_fields_that_are_declared(document: type[StoredDocument]) -> None:
    indexes = getattr(document.__dict__["Settings"], "indexes", [])
    assert [name for index in indexes for name in fields_in(index) if not is_declared(document, name)] == []

"""Writes as values: they are built by the documents, and done by `commit.py`."""

from dataclasses import dataclass

from beanie import Document

from database.documents import StoredDocument
from database.queries import Changes, Filter


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert a new document."""

    document: StoredDocument


@dataclass(frozen=True, slots=True)
class Update:
    """Update the one document that matches, or with `many` all that do.

    When it is `required`, and no document matches, none of the writes of its group is done.
    """

    of: type[Document]
    match: Filter
    changes: Changes
    required: bool = True
    upsert: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the one document that matches, or with `many` all that do; `required` as for an update."""

    of: type[Document]
    match: Filter
    required: bool = True
    many: bool = False


@dataclass(frozen=True, slots=True)
class Require:
    """Write nothing, and refuse the whole group unless at least `least` documents match."""

    of: type[Document]
    match: Filter
    least: int = 1


@dataclass(frozen=True, slots=True)
class Forbid:
    """Write nothing, and refuse the whole group if any document matches."""

    of: type[Document]
    match: Filter


Write = Insert | Update | Delete | Require | Forbid

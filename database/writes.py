"""Writes as values, to be done together by `groups.py`."""

from dataclasses import dataclass, field
from typing import Any

from beanie import Document

from database.queries import Filter, Stored


@dataclass(frozen=True, slots=True)
class Insert:
    """Store a new document."""

    into: type[Document]
    stored: Stored


@dataclass(frozen=True, slots=True)
class Update:
    """Change the one document that matches, or with `many` all that do.

    With `needed`, no match refuses the whole group. `once` is added to the filter when
    the group goes through the journal, where a write may be done twice: it holds only
    as long as this write has not been done.
    """

    of: type[Document]
    match: Filter
    change: dict[str, Any]
    needed: bool = True
    once: Filter = field(default_factory=dict)
    upsert: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Require:
    """Refuse the whole group unless at least `least` documents match when its turn comes."""

    of: type[Document]
    match: Filter
    least: int = 1


@dataclass(frozen=True, slots=True)
class Forbid:
    """Refuse the whole group if any document matches when its turn comes."""

    of: type[Document]
    match: Filter


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove what matches: one document, or with `many` all of them."""

    of: type[Document]
    match: Filter
    needed: bool = True
    many: bool = False


Write = Insert | Update | Delete | Require | Forbid

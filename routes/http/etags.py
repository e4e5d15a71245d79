"""Entity tags made from revisions, and the two headers that compare them (RFC 9110 §13.1)."""

import re

from planner.errors import Malformed

# A list may hold empty elements (RFC 9110 §5.6.1.2).
_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')


def etag(revision: int | str) -> str:
    """The strong entity tag of a revision, or of a word that stands for one."""
    return f'"{revision}"'


def _tags(header: str, name: str) -> list[tuple[bool, str]]:
    tags, position = [], 0
    while position < len(header):
        found = _TAG.match(header, position)
        if not found:
            raise Malformed(f'{name} must be * or a list of entity tags such as "3".')
        tags.append((found[1] is not None, found[2]))
        position = found.end()
    if not tags:
        raise Malformed(f"{name} is empty.")
    return tags


def is_known(header: str | None, revision: int | str) -> bool:
    """Whether `If-None-Match` names this revision; compared weakly, as §13.1.2 says."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return any(tag == str(revision) for _, tag in _tags(header, "If-None-Match"))


def wanted(header: str | None) -> frozenset[int] | None:
    """The revisions that `If-Match` allows, or None for any; compared strongly (§13.1.1)."""
    if header is None or header.strip() == "*":
        return None
    return frozenset(
        int(tag) for weak, tag in _tags(header, "If-Match") if not weak and re.fullmatch("[1-9][0-9]{0,15}", tag)
    )

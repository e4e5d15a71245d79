"""Entity tags made from revisions, and the two request headers that compare them (RFC 9110 §13.1)."""

import re

from planner.errors import Malformed

# A list may hold empty elements (RFC 9110 §5.6.1.2).
_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,[\s,]*|$)')


def format_etag(revision: int | str) -> str:
    """Return the strong entity tag of a revision, or of a text that stands for one."""
    return f'"{revision}"'


def _parse_tags(header: str, name: str) -> list[tuple[bool, str]]:
    """Return the tags of a header and whether each is weak; raises `Malformed`."""
    tags, position = [], 0
    while position < len(header):
        found = _TAG.match(header, position)
        if not found:
            raise Malformed(f'{name} must be * or a list of entity tags such as "3".')
        tags.append((found[1] is not None, found[2]))
        position = found.end()
    if not tags:
        raise Malformed(f"{name} must have at least one entity tag.")
    return tags


def matches_if_none_match(header: str | None, revision: int | str) -> bool:
    """Return whether `If-None-Match` names this revision (weak comparison, §13.1.2); raises `Malformed`."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return any(tag == str(revision) for _, tag in _parse_tags(header, "If-None-Match"))


def has_weak_tag(if_match: str) -> bool:
    """Return whether one of the tags of a valid `If-Match` is weak."""
    return if_match.strip() != "*" and any(weak for weak, _ in _parse_tags(if_match, "If-Match"))


def parse_if_match(header: str | None) -> frozenset[int] | None:
    """Return the revisions that `If-Match` allows, or None for any (strong comparison, §13.1.1); raises `Malformed`."""
    if header is None or header.strip() == "*":
        return None
    return frozenset(
        int(tag) for weak, tag in _parse_tags(header, "If-Match") if not weak and re.fullmatch("[1-9][0-9]{0,15}", tag)
    )

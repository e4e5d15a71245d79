"""Formatting of content lines: properties with their parameters, escaped and folded (RFC 5545 §3.1)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

# The limit of RFC 5545 §3.1, without the line break.
MAX_LINE_OCTETS = 75

_LINE_BREAK = re.compile(r"\r\n?")
# A TEXT value can represent a line break, but no other control character except the tab.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPECIAL = re.compile(r"[\\;,\n]")
_ESCAPES = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
_UNQUOTED = re.compile(r"[^\x00-\x1f\x7f\";:,^]*")
_CARET_ESCAPES = {"^": "^^", "\n": "^n", '"': "^'"}
_CARET_MEANINGS = {escape: character for character, escape in _CARET_ESCAPES.items()}
# A parameter in quotes may have colons and semicolons.
_PARAMETER = re.compile(r';([^=;:"]*)=((?:"[^"]*"|[^;:"])*)')
_CONTENT_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[^=;:"]*=(?:"[^"]*"|[^;:"])*)*):(.*)', re.DOTALL)


class ContentLine(NamedTuple):
    """A stored content line, taken apart: its name and those of its parameters in upper case, its value escaped."""

    name: str
    parameters: Mapping[str, str]
    value: str


def escape_text(value: str) -> str:
    """Return a value of type TEXT (RFC 5545 §3.3.11); all kinds of line breaks become the escaped one."""
    if _CONTROLS.search(value):
        value = _CONTROLS.sub("", _LINE_BREAK.sub("\n", value))
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


def format_parameter(name: str, value: str) -> str:
    """Return a parameter with the semicolon before it, quoted if necessary (RFC 5545 §3.2).

    Quotes, carets and line breaks are escaped as in RFC 6868.
    """
    # A value with spaces around it is quoted too, because some programs would remove the spaces.
    if _UNQUOTED.fullmatch(value) and value == value.strip():
        return f";{name}={value}"
    value = _CONTROLS.sub("", _LINE_BREAK.sub("\n", value))
    return f';{name}="' + re.sub(r'[\^\n"]', lambda found: _CARET_ESCAPES[found[0]], value) + '"'


def split_line(line: str) -> ContentLine | None:
    """Return an unfolded line in its parts, or None if it is not one.

    It is for lines that are read each time their event is rendered: a tenth of the time that `parse_property` takes.
    """
    found = _CONTENT_LINE.fullmatch(line)
    if found is None:
        return None
    parameters = {each[1].upper(): _unescape_parameter(each[2]) for each in _PARAMETER.finditer(found[2])}
    return ContentLine(found[1].upper(), parameters, found[3])


def _unescape_parameter(value: str) -> str:
    value = value.replace('"', "")
    if "^" not in value:
        return value
    return re.sub(r"\^[\^n']", lambda found: _CARET_MEANINGS[found[0]], value)


def sanitize_line(line: str) -> str:
    """Return an unfolded line of another program without control characters, so that it stays one line."""
    return re.sub(r"[\r\n]", "", _CONTROLS.sub("", line))


def fold_line(line: str) -> bytes:
    """Return a line as several lines of at most 75 octets; no character is divided."""
    octets = line.encode()
    if len(octets) <= MAX_LINE_OCTETS:
        return octets
    parts, start, width = [], 0, MAX_LINE_OCTETS
    while len(octets) - start > width:
        end = start + width
        # In UTF-8 the octets of a character after its first one begin with the bits 10.
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(octets[start:end])
        # The space at the beginning of a continuation line counts as well.
        start, width = end, MAX_LINE_OCTETS - 1
    parts.append(octets[start:])
    return b"\r\n ".join(parts)


def encode_lines(lines: list[str]) -> bytes:
    """Return content lines as they are sent: encoded, folded, and each with its line break."""
    # A character has at most four octets, so a short line need not be measured.
    parts = [line.encode() if len(line) <= MAX_LINE_OCTETS // 4 else fold_line(line) for line in lines]
    return b"\r\n".join([*parts, b""])

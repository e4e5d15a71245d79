"""Writes content lines: properties with their parameters, escaped and folded (RFC 5545 §3.1)."""

import re

# In octets, without the line's end (RFC 5545 §3.1).
MAX_LINE_OCTETS = 75

_BREAK = re.compile(r"\r\n?")
# Nothing in RFC 5545 can write these: TEXT has a word for the end of a line, and for no other control.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPECIAL = re.compile(r"[\\;,\n]")
_ESCAPES = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\";:,^]*")
_CARETS = {"^": "^^", "\n": "^n", '"': "^'"}


def escape_text(value: str) -> str:
    """A value of type TEXT (RFC 5545 §3.3.11); every kind of line end becomes the one there is."""
    if _CONTROLS.search(value):
        value = _CONTROLS.sub("", _BREAK.sub("\n", value))
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


def format_parameter(name: str, value: str) -> str:
    """A parameter of a property, quoted where it has to be (RFC 5545 §3.2), with RFC 6868's carets."""
    # Blanks around a value are quoted too, for they do not survive every program.
    if _PLAIN.fullmatch(value) and value == value.strip():
        return f";{name}={value}"
    value = _CONTROLS.sub("", _BREAK.sub("\n", value))
    return f';{name}="' + re.sub(r'[\^\n"]', lambda found: _CARETS[found[0]], value) + '"'


def sanitize_line(line: str) -> str:
    """An unfolded line that another program has written, made sure to be one line."""
    return re.sub(r"[\r\n]", "", _CONTROLS.sub("", line))


def fold_line(line: str) -> bytes:
    """A line of any length as lines of at most 75 octets, none of which ends within a character."""
    octets = line.encode()
    if len(octets) <= MAX_LINE_OCTETS:
        return octets
    parts, start, width = [], 0, MAX_LINE_OCTETS
    while len(octets) - start > width:
        end = start + width
        # The octets of a character after its first begin with the bits 10.
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(octets[start:end])
        # The blank that a line goes on with counts as well.
        start, width = end, MAX_LINE_OCTETS - 1
    parts.append(octets[start:])
    return b"\r\n ".join(parts)


def encode_lines(lines: list[str]) -> bytes:
    """Lines as they are sent, each folded and ended."""
    # No character has more than four octets.
    parts = [line.encode() if len(line) <= MAX_LINE_OCTETS // 4 else fold_line(line) for line in lines]
    return b"\r\n".join([*parts, b""])

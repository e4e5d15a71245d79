"""Decoding of the octets of a file (RFC 5545 §3.1): folds are removed first, because one may divide a character.

Octets that are no characters do not prevent a file from being read. They are decoded as lone surrogates, which no
valid text has, and become replacement characters in the line in which they are (`replace_undecoded`).
"""

import codecs
import re

REPLACEMENT = "\ufffd"

_FOLD = re.compile(rb"\r*\n[ \t]")
_UNDECODED = re.compile("[\ud800-\udfff]")
_UTF_16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def decode_file(content: bytes, charset: str) -> str:
    """Return the text of a file in a charset; a byte order mark is more than a charset that somebody has declared.

    Octets that are not valid in the charset become lone surrogates.
    """
    if content.startswith(codecs.BOM_UTF8):
        charset = "utf-8"
    charset = _UTF_16_MARKS.get(content[:2], charset)
    if charset.startswith("utf-16"):
        # A file that was cut in the middle of a character is read up to there.
        whole = content[: len(content) // 2 * 2]
        return whole.decode("utf-16-le" if charset == "utf-16" else charset, "surrogatepass")
    return _FOLD.sub(b"", content).decode(charset, "surrogateescape")


def replace_undecoded(line: str) -> tuple[str, int]:
    """Return a line with a replacement character for each octet that could not be decoded, and their number."""
    return (line, 0) if line.isascii() else _UNDECODED.subn(REPLACEMENT, line)

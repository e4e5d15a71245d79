"""Bodies, values and tokens that no request should contain."""

import json
from collections.abc import AsyncIterator

MIB = 1024 * 1024
# Routes whose bodies may be larger than 1 MiB.
BODY_LIMITS: dict[str, int] = {"POST /api/v1/events/import": 20 * MIB}

DEEP = b"[" * 10_000 + b"]" * 10_000
DEEP_OBJECT = b'{"a":' * 10_000 + b"1" + b"}" * 10_000

# Bytes that are no JSON (RFC 8259), whatever the route.
NOT_JSON = {
    "NaN": b'{"title": NaN}',
    "NaN alone": b"NaN",
    "Infinity": b'{"title": Infinity}',
    "minus Infinity": b'{"title": -Infinity}',
    "a lone high surrogate": rb'{"title": "\ud800"}',
    "a lone low surrogate": rb'{"title": "x\udc00y"}',
    "surrogates the wrong way round": rb'{"title": "\udc00\ud800"}',
    "a lone surrogate in a name": rb'{"\ud800": "x"}',
    "surrogates as UTF-8": b'{"title": "\xed\xa0\x80"}',
    "bytes that are not UTF-8": b'{"title": "\xff\xfe"}',
    "latin-1": '{"title": "é"}'.encode("latin-1"),
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "a bare NUL": b"\0",
    "a raw NUL in a string": b'{"title": "\0"}',
    "a raw line break in a string": b'{"title": "a\nb"}',
    "a number beyond all numbers": b'{"title": 1e400}',
    "cut short": b'{"title": "x',
    "a form": b"title=x&email=y",
    "two values": b"{} {}",
    "a trailing comma": b'{"title": "x",}',
    "single quotes": b"{'title': 'x'}",
    "only a blank": b" ",
    "10,000 lists deep": DEEP,
    "10,000 objects deep": DEEP_OBJECT,
    "10,000 lists deep in a field": b'{"title": ' + DEEP + b"}",
    "10,000 open brackets": b"[" * 10_000,
}

# JSON, but no body of any route is one of these.
NOT_AN_OBJECT = {
    "null": b"null",
    "a list": b"[]",
    "a list of an object": b'[{"title": "x"}]',
    "a number": b"5",
    "true": b"true",
    "a string": b'"x"',
}

# Values for any field; whether they are acceptable is the field's business.
HOSTILE_VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    10**400,
    -(10**400),
    "",
    " ",
    "\0",
    "x\0y",
    "\u202e\ufeff\U0001f600",
    "x" * 100_000,
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "-1",
    "NaN",
    "$where",
    "../../etc/passwd",
    [],
    ["x"] * 1000,
    ["\0"],
    [None],
    [[]],
    {},
    {"$gt": ""},
    {"\0": "\0"},
    {"lat": 1e308, "lon": -1e308},
)

# Raw JSON for a value that Python's own encoder would not write.
RAW_JSON_VALUES = (b"1e400", b"-1e400", b"-0", b"0.1e-400", rb'"\u0000"', rb'"\ud83d\ude00"')

# Parts of a path and values of a query, percent-encoded.
ENCODED_VALUES = {
    "a NUL": "%00",
    "a NUL inside": "a%00b",
    "bytes that are not UTF-8": "%ff%fe",
    "a lone surrogate": "%ED%A0%80",
    "a line break": "%0d%0aset-cookie:x",
    "blanks": "%20",
    "other digits": "%EF%BC%91" * 24,
    "an emoji": "%F0%9F%98%80" * 6,
    "a stray percent sign": "%25zz",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus one": "-1",
    "a very large number": "9" * 5000,
    "very long": "x" * 10_000,
    "an operator": "$ne",
    "brackets": "%7B%7D%5B%5D",
    "one digit too few": "0" * 23,
    "one digit too many": "0" * 25,
    "not hexadecimal": "g" * 24,
    "hexadecimal with blanks": "00%20" * 8,
    "a sign": "%2B" + "0" * 23,
    "underscores": "0_" * 12,
}

# Ids that name nothing: none of them may be taken for one.
MALFORMED_IDS = {name: ENCODED_VALUES[name] for name in ENCODED_VALUES if name != "blanks"}

# Bearer tokens that hold for nothing.
BAD_TOKENS = {
    "a word": "x",
    "three words": "a.b.c",
    "only dots": "..",
    "unsigned": "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.",
    "very long": "x" * 100_000,
    "not ASCII": "\u00ff\u00fe",
    "quotes": '"; drop',
}


async def stream_in_chunks(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """Sent without saying how much will come."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def with_raw_value(body: dict[str, object], name: str, raw: bytes) -> bytes:
    """The body as JSON, with these bytes as the value of one field."""
    mark = "7c2f-the-place"
    return json.dumps({**body, name: mark}).encode().replace(json.dumps(mark).encode(), raw)

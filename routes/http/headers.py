"""Descriptions of the response headers, for the OpenAPI document."""

from typing import Any

Headers = dict[str, dict[str, Any]]

_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "minimum": 0}
HEADERS: Headers = {
    "Allow": {"description": "The methods that this address supports, separated by commas.", "schema": _TEXT},
    "Content-Disposition": {"description": "Suggests a name for the downloaded file (RFC 6266).", "schema": _TEXT},
    "ETag": {
        "description": 'The entity tag of this revision, such as `"3"`. Send it back in `If-Match` or `If-None-Match`.',
        "schema": _TEXT,
    },
    "Link": {
        "description": 'Addresses (RFC 8288). Of a page, that of the next page: `<…>; rel="next"`; absent when this is '
        'the last one. Of your account, that of the list of your events: `<…>; rel="related"`.',
        "schema": _TEXT,
    },
    "Location": {"description": "The address of the resource, or of the page to go to.", "schema": _TEXT},
    "Preference-Applied": {
        "description": "`respond-async`: the preference of the request was applied (RFC 7240).",
        "schema": _TEXT,
    },
    "Retry-After": {"description": "How many seconds to wait before the request is repeated.", "schema": _SECONDS},
    "Set-Cookie": {
        "description": "Sets the cookie that binds a sign-in to this browser, or deletes it.",
        "schema": _TEXT,
    },
    "WWW-Authenticate": {
        "description": "The challenge (RFC 6750 §3). It has `error` when a token was sent, and names the `scope` that "
        "the request needs when the token lacks it.",
        "schema": _TEXT,
    },
}
# The headers that an error response with this status has.
OF_ERRORS = {
    401: ["WWW-Authenticate"],
    403: ["WWW-Authenticate"],
    405: ["Allow"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}


def describe_headers(*names: str) -> Headers:
    """Return the OpenAPI descriptions of the response headers with these names."""
    return {name: HEADERS[name] for name in names}

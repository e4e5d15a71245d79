"""Web addresses: their validity, their origin, and parameters added to their query."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

DEFAULT_PORTS = {"http": "80", "https": "443"}
# RFC 3986 §3, without user names, and without the fragment that a redirection must not have
# (RFC 6749 §3.1.2). It is stricter than browsers are, because two programs may find different hosts
# in an address that is not valid.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/(?:[a-z0-9._~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?"
    r"(?P<query>\?(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?",
    re.ASCII | re.IGNORECASE,
)


_LOOPBACK_ORIGIN = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:[0-9]+)?", re.ASCII)
_APP_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):(?:[a-z0-9._~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*"
    r"(?:\?(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?",
    re.ASCII | re.IGNORECASE,
)


def parse_origin(address: str) -> str | None:
    """Return the origin of an address (RFC 6454 §6.2), or None if it is not a plain http or https address."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
    if port is None or port.lstrip("0") == DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{port.lstrip('0') or '0'}"


def is_loopback_redirect(address: str) -> bool:
    """Return whether an address is one at which a native app on the same machine listens (RFC 8252 §7.3).

    It has any port. The name localhost is not accepted, because it may be resolved to another machine (§8.3).
    """
    origin = parse_origin(address)
    return origin is not None and _LOOPBACK_ORIGIN.fullmatch(origin) is not None


def parse_app_scheme(address: str) -> str | None:
    """Return the scheme of an address of a native app (RFC 8252 §7.1), in lower case, or None for another address."""
    match = _APP_ADDRESS.fullmatch(address)
    return None if match is None else match["scheme"].lower()


def add_query(address: str, parameters: Mapping[str, str | None]) -> str:
    """Return the address with the parameters that are not None added to its query."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{address}{'&' if '?' in address else '?'}{added}"


def is_web_address(text: str) -> bool:
    """Return whether the text is an absolute http or https address without spaces and control characters."""
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return is_valid and not any(c.isspace() or not c.isprintable() for c in text)

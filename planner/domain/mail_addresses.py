"""E-mail addresses in the headers of mails."""

from email.errors import HeaderParseError
from email.headerregistry import HeaderRegistry
from typing import Any

ENCODED_WORD = "=?"
_REGISTRY = HeaderRegistry()


def is_read_literally(address: str) -> bool:
    """Return whether a mail program that finds this address in a header reads the very same address.

    It reads another one where the address has an encoded word, such as `=?utf-8?q?ada?=`. RFC 2047 §5 forbids
    encoded words in addresses, and many programs decode them nevertheless.
    """
    if ENCODED_WORD in address:
        return False
    try:
        header: Any = _REGISTRY("To", address)
    except (HeaderParseError, ValueError, IndexError, AttributeError):
        return False
    return [found.addr_spec for found in header.addresses] == [address]

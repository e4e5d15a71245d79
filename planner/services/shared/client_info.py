"""The client that sent a request."""

from typing import NamedTuple

from auth.hash_password import IsDisconnected


class ClientInfo(NamedTuple):
    """The client of a request: its network address and its User-Agent.

    `is_disconnected` tells whether it has closed the connection meanwhile; None where that is unknown.
    """

    address: str
    device: str
    is_disconnected: IsDisconnected | None = None

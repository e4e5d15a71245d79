"""The failure behind a server that the driver cannot select."""

import asyncio
import re
import socket
import ssl
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.server_description import ServerDescription

from database.opening.failures import (
    CLOSING,
    NEEDS_CERTIFICATE,
    NEEDS_TLS,
    NO_PRIMARY,
    NO_TLS,
    NOT_INITIATED,
    SILENT,
    Failure,
    explain_connection,
)

PROBE_SECONDS = 2.0
_TLS_OPTION = re.compile(r"^mongodb\+srv:|[?&](tls|ssl)=true", re.IGNORECASE)


async def explain_servers(client: MongoClient[Any], url: str, place: str) -> Failure:
    """Return why none of the servers that a client knows can be used as the primary; `place` is the hosts of its URL.

    Of different failures, the one that may end by itself counts: then it is worth waiting.
    """
    servers = list(client.topology_description.server_descriptions().values())
    if not servers:
        # The driver has dropped all servers of the URL: none of them is in the replica set that the URL names.
        return Failure(
            f"it is not a member of a replica set named {client.topology_description.replica_set_name}",
            "correct replicaSet in DATABASE_URL, or leave it out",
        )
    if any(server.server_type_name in ("RSSecondary", "RSArbiter", "RSOther") for server in servers):
        return NO_PRIMARY
    named = {host.rpartition(":")[0] or host for host in place.split(",")}
    uses_tls = bool(_TLS_OPTION.search(url))
    failures = [await _explain_server(server, server.address[0] in named, uses_tls) for server in servers]
    return max(failures, key=lambda failure: failure.patience)


async def _explain_server(server: ServerDescription, is_named_in_url: bool, uses_tls: bool) -> Failure:
    if server.server_type_name == "RSGhost":
        return NOT_INITIATED
    host, port = server.address
    failure = explain_connection(server.error, host, is_named_in_url=is_named_in_url)
    if failure not in (CLOSING, NO_TLS) or port is None:
        return failure
    if failure is NO_TLS:
        # A server that is being stopped ends a handshake in the same way.
        return NO_TLS if await asyncio.to_thread(_responds_without_tls, host, port) else SILENT
    if not await asyncio.to_thread(_speaks_tls, host, port):
        return CLOSING
    return NEEDS_CERTIFICATE if uses_tls else NEEDS_TLS


def _speaks_tls(host: str, port: int) -> bool:
    """Return whether a server completes a TLS handshake; nothing is sent after it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), PROBE_SECONDS) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def _responds_without_tls(host: str, port: int) -> bool:
    """Return whether a server responds as MongoDB without TLS; no user and no password are sent."""
    milliseconds = int(PROBE_SECONDS * 1000)
    with MongoClient[Any](host, port, directConnection=True, serverSelectionTimeoutMS=milliseconds) as client:
        try:
            return bool(client.admin.command("hello"))
        except PyMongoError:
            return False

"""The event loop of a process that serves requests."""

import asyncio
import sys

if sys.platform == "win32" or sys.implementation.name != "cpython":
    new_loop = asyncio.new_event_loop
else:
    import socket
    from collections.abc import Callable
    from typing import Any

    import uvloop

    from routes.server.listener import Listener

    class ServingLoop(uvloop.Loop):
        """The loop of uvloop, which itself accepts one connection in each of its turns.

        While other requests are handled, a turn takes several milliseconds, and each of many new clients waits for as
        many turns as there are clients before it.
        """

        async def create_server(  # type: ignore[override]
            self, protocol_factory: Callable[[], asyncio.Protocol], *arguments: Any, **options: Any
        ) -> Any:
            """Listen on the socket that is given as `sock`; everything else is done as uvloop does it."""
            sock = options.get("sock")
            if arguments or options.get("ssl") is not None or not isinstance(sock, socket.socket):
                return await super().create_server(protocol_factory, *arguments, **options)
            return Listener(self, protocol_factory, sock, options.get("backlog", 100))

    new_loop = ServingLoop

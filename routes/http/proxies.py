"""What is done behind a reverse proxy: addresses below a path, and a warning about a proxy that is not trusted."""

import logging
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("planner.http")


class PublicPath:
    """Middleware for a planner whose public address has a path, such as `/planner`.

    `Location` gets the path. A request is accepted without the path, if the proxy removes it, and with it; but a path
    that begins like one of our own (`own_names`, such as `api`) has to be removed by the proxy.
    """

    def __init__(self, app: ASGIApp, path: str, own_names: Collection[str]) -> None:
        self._app = app
        self._path = path
        self._is_removed = path.split("/")[1] not in own_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if self._is_removed and (path + "/").startswith(self._path + "/"):
            scope = {**scope, "path": path.removeprefix(self._path) or "/"}

        async def send_with_path(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, self._path.encode() + value if name == b"location" and value.startswith(b"/") else value)
                    for name, value in message.get("headers", [])
                ]
            await send(message)

        await self._app(scope, receive, send_with_path)


class ProxyWarning:
    """Middleware that warns once of a client that sends X-Forwarded-For and is not among the trusted proxies.

    Behind a proxy that is not trusted, all clients have its address, and share the limits of one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if not self._has_warned and scope["type"] == "http":
            self._look_at(scope)
        await self._app(scope, receive, send)

    def _look_at(self, scope: Scope) -> None:
        forwarded = next((value for name, value in scope["headers"] if name == b"x-forwarded-for"), None)
        if forwarded is None or not scope.get("client"):
            return
        # The server has replaced the address of a trusted proxy by one of those in the header.
        address = scope["client"][0]
        if address not in [entry.strip() for entry in forwarded.decode("latin-1").split(",")]:
            self._has_warned = True
            log.warning(
                "X-Forwarded-For is ignored, because it came from %s, which is not in TRUSTED_PROXIES. If that is your "
                "proxy, all its clients share the limits of one: set TRUSTED_PROXIES=%s",
                address,
                address,
            )

"""The limit on how long a request waits for the database in all, however many operations it makes."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.connection import limit_request


class TimeLimit:
    """Middleware that limits the operations of a request, from its last byte to the first one of its response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with limit_request() as limit:

            async def receive_and_extend() -> Message:
                message = await receive()
                # The client may have taken its time to send this part of the body.
                limit.extend()
                return message

            async def lift_and_send(message: Message) -> None:
                # What is read while the response is sent, such as an export, takes as long as its client.
                limit.lift()
                await send(message)

            await self._app(scope, receive_and_extend, lift_and_send)

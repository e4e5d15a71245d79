"""The limits on how long a request takes: in all, and waiting for the database, however many operations it makes."""

import asyncio
import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database.connection import limit_request
from routes.http.errors import respond_to_timeout

log = logging.getLogger("planner.http")


class TimeLimit:
    """Middleware that limits the operations of a request, from its last byte to the first one of its response.

    A request that has no response after so many `seconds` is ended, and gets one that says so. A client has as long to
    take each part of a response.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        is_over = has_begun = False

        def end() -> None:
            nonlocal is_over
            is_over = True
            task.cancel()

        timer = loop.call_later(self._seconds, end)
        with limit_request() as limit:

            async def receive_and_extend() -> Message:
                message = await receive()
                # The client may have taken its time to send this part of the body.
                limit.extend()
                return message

            async def lift_and_send(message: Message) -> None:
                nonlocal has_begun, timer
                # What is read while the response is sent, such as an export, takes as long as its client.
                limit.lift()
                has_begun = True
                await send(message)
                if message.get("more_body"):
                    timer.cancel()
                    timer = loop.call_later(self._seconds, end)

            try:
                await self._app(scope, receive_and_extend, lift_and_send)
            except asyncio.CancelledError:
                if not is_over:
                    raise
                task.uncancel()
                log.warning("a request was ended, because it took longer than %g s", self._seconds)
                # Of a response that has begun, the client learns by the end of the connection that it is incomplete.
                if not has_begun:
                    await respond_to_timeout(Request(scope), self._seconds)(scope, receive, send)
            finally:
                timer.cancel()

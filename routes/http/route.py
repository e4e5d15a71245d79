"""The class of every route: its OpenAPI operation follows from its function, and its body is read strictly."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from database.commit import confirm_reads, note_commits
from routes.http.arguments import build_route_call
from routes.http.bodies import JsonRequest

Answer = TypeVar("Answer", Response, Response | None)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PlannerRoute(APIRoute):
    """A route that its function describes, and that reads a JSON body through `JsonRequest`.

    The operation's id is the function's name. Its summary is the first line of the docstring, and its
    description the rest, or the same line when there is no rest.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        docstring = inspect.getdoc(endpoint) or ""
        summary, _, description = docstring.partition("\n\n")
        described = {
            "operation_id": endpoint.__name__,
            "summary": summary.removesuffix("."),
            "description": description or summary,
        }
        options |= {name: text for name, text in described.items() if not options.get(name)}
        super().__init__(path, endpoint, **options)
        self._call = build_route_call(self)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, after noting the template of the path for `RequestRecord`."""
        scope["state"]["route"] = self.path_format
        if self._call is None or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = (Request if self.body_field is None else JsonRequest)(scope, receive, send)
        response = await _confirm(self._call, request)
        if response is None:
            await super().handle(scope, _repeat_body(request), send)
        else:
            await response(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's own handler, which is given a `JsonRequest` if the route has a body."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if self.body_field is not None:
                request = JsonRequest(request.scope, request.receive)
            return await _confirm(handler, request)

        return handle


async def _confirm(handler: Callable[[Request], Awaitable[Answer]], request: Request) -> Answer:
    """Return the response of a handler.

    A request that was to change something, and found it done already, is not answered before that is confirmed.
    """
    if request.method in SAFE_METHODS:
        return await handler(request)
    with note_commits() as commits:
        response = await handler(request)
    if response is not None and response.status_code < 400 and not commits.were_made:
        await confirm_reads()
    return response


def _repeat_body(request: Request) -> Receive:
    """Return a function that receives the body of a request, also if it has been read before."""
    if not hasattr(request, "_body"):
        return request.receive
    waiting: list[Message] = [{"type": "http.request", "body": request._body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else await request.receive()

    return receive

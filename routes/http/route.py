"""The class of every route: its OpenAPI operation follows from its function, and its body is read strictly."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from database.commit import confirm_reads, note_commits
from routes.http.bodies import JsonRequest

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

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, after noting the template of the path for `RequestRecord`."""
        scope["state"]["route"] = self.path_format
        await super().handle(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's own handler, which is given a `JsonRequest` if the route has a body.

        A request that was to change something, and found it done already, is not answered before that is confirmed.
        """
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if self.body_field is not None:
                request = JsonRequest(request.scope, request.receive)
            if request.method in SAFE_METHODS:
                return await handler(request)
            with note_commits() as commits:
                response = await handler(request)
            if response.status_code < 400 and not commits.were_made:
                await confirm_reads()
            return response

        return handle

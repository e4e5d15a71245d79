"""The class of every route: its OpenAPI operation follows from its function, and its body is read strictly."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from routes.http.bodies import JsonRequest


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
        """Return FastAPI's own handler, which is given a `JsonRequest` if the route has a body."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def read_strictly(request: Request) -> Response:
            return await handler(JsonRequest(request.scope, request.receive))

        return read_strictly

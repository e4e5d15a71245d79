"""Turning views into responses."""

from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from models.shared.views import Changes, Page
from routes.http.etags import etag, is_known
from routes.http.problems import Answers

JSON = "application/json"


class Viewed(Protocol):
    """What every view of one thing has."""

    @property
    def json(self) -> bytes:
        """The body."""

    @property
    def id(self) -> str:
        """The id of the thing."""

    @property
    def revision(self) -> int:
        """What its ETag comes from."""


def one(request: Request, view: Viewed) -> Response:
    """One thing, with its ETag; 304 when the caller has it already (RFC 9110 §13.1.2)."""
    headers = {"etag": etag(view.revision), "cache-control": "private, no-cache"}
    if is_known(request.headers.get("if-none-match"), view.revision):
        return Response(status_code=304, headers=headers)
    return Response(view.json, media_type=JSON, headers=headers)


def changed(view: Viewed) -> Response:
    """One thing as it is after a change, with its new ETag."""
    return Response(view.json, media_type=JSON, headers={"etag": etag(view.revision)})


def created(view: Viewed, location: str) -> Response:
    """A new thing and where it lies."""
    headers = {"location": location, "etag": etag(view.revision)}
    return Response(view.json, 201, media_type=JSON, headers=headers)


def listed(request: Request, page: Page) -> Response:
    """A page of a list, with a link to the next one (RFC 8288)."""
    response = Response(page.json(), media_type=JSON)
    if page.next is not None:
        _link(request, response, "cursor", page.next)
    return response


def news(request: Request, changes: Changes) -> Response:
    """What changed, with a link to the rest when there is more."""
    response = Response(changes.json(), media_type=JSON, headers={"cache-control": "private, no-cache"})
    if changes.more:
        _link(request, response, "since", changes.next)
    return response


def _link(request: Request, response: Response, name: str, value: str) -> None:
    """Say where the next page is: the same request with this parameter (RFC 8288)."""
    query = [pair for pair in request.query_params.multi_items() if pair[0] != name]
    path = request.url.path + "?" + urlencode([*query, (name, value)])
    response.headers["link"] = f'<{request.app.state.base_url}{path}>; rel="next"'


def described(status: int, description: str, model: Any, *headers: str) -> Answers:
    """The OpenAPI description of an answer that the route builds itself."""
    names = {name: {"schema": {"type": "string"}} for name in headers}
    return {status: {"description": description, "model": model, "headers": names}}


NOT_MODIFIED: Answers = {304: {"description": "You have it already."}}

"""Responses made from the views that the services return."""

from collections.abc import AsyncIterator
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from planner.services.shared.views import ChangePage, Page, View
from routes.http.etags import format_etag, matches_if_none_match
from routes.http.headers import describe_headers
from routes.http.problems import ResponseDescriptions
from routes.http.services import services_of

JSON = "application/json"


class ItemView(Protocol):
    """A resource that is ready to be sent: what the view of an event and that of an account have in common."""

    @property
    def json(self) -> bytes:
        """Return the body."""

    @property
    def id(self) -> str:
        """Return the id of the resource."""

    @property
    def tag(self) -> str:
        """Return what the ETag is made from: the revision, and which rendering of it this is."""


def respond_with(request: Request, view: ItemView) -> Response:
    """Return a resource with its ETag, or 304 when the client has this revision (RFC 9110 §13.1.2)."""
    headers = {"etag": format_etag(view.tag), "cache-control": "private, no-cache"}
    return respond_not_modified(request, view.tag, headers) or Response(view.json, media_type=JSON, headers=headers)


def respond_not_modified(request: Request, tag: int | str, headers: dict[str, str]) -> Response | None:
    """Return 304 when the client has the representation with this tag, else None (RFC 9110 §13.1.2)."""
    is_known = matches_if_none_match(request.headers.get("if-none-match"), tag)
    return Response(status_code=304, headers=headers) if is_known else None


def respond_changed(view: ItemView) -> Response:
    """Return a resource as it is after a change, with its new ETag."""
    return Response(view.json, media_type=JSON, headers={"etag": format_etag(view.tag)})


def respond_created(view: ItemView, location: str) -> Response:
    """Return a new resource, with its address and its ETag."""
    headers = {"location": location, "etag": format_etag(view.tag)}
    return Response(view.json, 201, media_type=JSON, headers=headers)


def prefers_async(prefer: str | None) -> bool:
    """Return whether a `Prefer` header asks for a response before the work is done (RFC 7240 §4.1)."""
    preferences = [part.partition(";")[0].partition("=")[0].strip().lower() for part in (prefer or "").split(",")]
    return "respond-async" in preferences


def respond_with_new_job(job: View, location: str) -> Response:
    """Return a job that was begun because the client prefers that (RFC 7240), with its address."""
    return Response(job.json, 202, {"location": location, "preference-applied": "respond-async"}, JSON)


def respond_with_job(job: View) -> Response:
    """Return a job with its progress, of which no copy may be used without asking again."""
    return Response(job.json, media_type=JSON, headers={"cache-control": "private, no-cache"})


def respond_page(request: Request, page: Page) -> Response:
    """Return a page of a list, with a link to the next page if there is one (RFC 8288)."""
    response = Response(page.json(), media_type=JSON)
    if page.next is not None:
        _link_next_page(request, response, "cursor", page.next)
    return response


def respond_changes(request: Request, changes: ChangePage) -> Response:
    """Return a page of changes, with a link to the next page if there are more already."""
    response = Response(changes.json(), media_type=JSON, headers={"cache-control": "private, no-cache"})
    if changes.has_more:
        _link_next_page(request, response, "since", changes.next)
    return response


def _link_next_page(request: Request, response: Response, parameter: str, value: str) -> None:
    """Add the address of the next page: that of this request with another value of one query parameter."""
    query = [pair for pair in request.query_params.multi_items() if pair[0] != parameter]
    path = request.scope["path"] + "?" + urlencode([*query, (parameter, value)])
    response.headers["link"] = f'<{services_of(request).base_url}{path}>; rel="next"'


async def chain_parts(first: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the parts of a response of which some were made before it began."""
    for part in first:
        yield part
    async for part in rest:
        yield part


def describe_response(status: int, description: str, model: Any, *headers: str) -> ResponseDescriptions:
    """Return the OpenAPI description of a response that the route builds itself."""
    return {status: {"description": description, "model": model, "headers": describe_headers(*headers)}}


NOT_MODIFIED: ResponseDescriptions = {
    304: {"description": "You have this revision already.", "headers": describe_headers("ETag")}
}

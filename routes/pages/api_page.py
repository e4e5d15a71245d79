"""The API page: Swagger UI with the OpenAPI document, served without any other host."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

import fastapi_offline
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from planner.errors import NotFound
from routes.http.etags import format_etag
from routes.http.responses import respond_not_modified
from routes.http.route import PlannerRoute

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)

_OURS = files("routes.pages") / "assets"
_SWAGGER_UI = files(fastapi_offline) / "static"
PAGE = "api_page.html"
FILES: dict[str, tuple[Traversable, str]] = {
    PAGE: (_OURS, "text/html"),
    "api_page.js": (_OURS, "text/javascript"),
    "icon.svg": (_OURS, "image/svg+xml"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
}
# Whatever Swagger UI would do, the browser requests nothing from another host and runs no other script. The icons
# in its style sheet are data: URLs.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


class _Content(NamedTuple):
    body: bytes
    digest: str


@cache
def _read(name: str) -> _Content:
    """Return a file and the digest from which its ETag is made; each file is read once."""
    body = (FILES[name][0] / name).read_bytes()
    return _Content(body, hashlib.sha256(body).hexdigest()[:32])


def _respond_with_file(request: Request, name: str) -> Response:
    content = _read(name)
    headers = HEADERS | {"etag": format_etag(content.digest)}
    return respond_not_modified(request, content.digest, headers) or Response(
        content.body, media_type=FILES[name][1], headers=headers
    )


@router.get("/docs")
async def show_api_page(request: Request) -> Response:
    """Return the API page."""
    return _respond_with_file(request, PAGE)


@router.get("/docs/{name}")
async def get_api_page_asset(request: Request, name: str) -> Response:
    """Return a script, the style sheet or the icon of the API page."""
    if name == PAGE or name not in FILES:
        raise NotFound
    return _respond_with_file(request, name)

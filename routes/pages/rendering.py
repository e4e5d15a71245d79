"""Pages from templates, with the headers that keep them safe.

A page contains no script and no style of its own, and loads nothing from another host, so the strictest policy applies.
Whatever people have typed is text: the templates escape it.
"""

import hashlib
import mimetypes
import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from routes.http.services import services_of
from routes.pages.dates import write_day, write_month
from routes.pages.words import WORDS

_IMPORT = re.compile(rb'from "\./(\w+\.js)"')
_ASSETS = files("routes.pages") / "assets"
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # Not no-referrer: with it, a browser would send forms with the Origin null.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class Asset(NamedTuple):
    """A file of the pages: its content, its media type, and the digest that is part of its address."""

    body: bytes
    media_type: str
    digest: str


@cache
def load_asset(name: str) -> Asset | None:
    """Return a file of the folder assets/, or None if there is none of this name."""
    if "/" in name or not (_ASSETS / name).is_file():
        return None
    body = (_ASSETS / name).read_bytes()
    if name.endswith(".js"):
        # A script imports another one at its own address, so that no browser loads it twice.
        body = _IMPORT.sub(_address_import, body)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(body, media_type, hashlib.sha256(body).hexdigest()[:16])


def _address_import(found: re.Match[bytes]) -> bytes:
    imported = load_asset(found[1].decode())
    assert imported is not None, f"there is no asset {found[1]!r}"
    return b'from "../%b/%b"' % (imported.digest.encode(), found[1])


def base_path(request: Request) -> str:
    """Return the path of PUBLIC_URL, which all addresses of the planner begin with; it may be empty."""
    return urlsplit(services_of(request).base_url).path.rstrip("/")


_environment = Environment(
    loader=PackageLoader("routes.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


# Dates in words, for all templates.
_environment.globals |= {"write_day": write_day, "write_month": write_month}


def render_page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page.

    Besides `values`, the template has `words`, `visitor` (see `visitors.py`), and the functions `path`, which returns
    an address of the planner, and `asset`, which returns that of a file.
    """
    base = base_path(request)

    def path(address: str) -> str:
        return base + address

    def asset(name: str) -> str:
        found = load_asset(name)
        assert found is not None, f"there is no asset {name}"
        return f"{base}/assets/{found.digest}/{name}"

    shared = {"words": WORDS, "path": path, "asset": asset, "visitor": getattr(request.state, "visitor", None)}
    html = _environment.get_template(template).render(shared | {"errors": {}, "message": None, "typed": {}} | values)
    return HTMLResponse(html, status, headers=PAGE_HEADERS)


def redirect(request: Request, address: str) -> Response:
    """Return the response that sends a browser to an address of the planner after it has sent a form."""
    # Every `Location` gets the path of PUBLIC_URL in `routes/http/proxies.py`.
    return RedirectResponse(address, 303, headers={"cache-control": "no-store"})

"""Errors as pages, for browsers; every other client gets a problem (RFC 9457)."""

from contextlib import suppress

import orjson
from starlette.requests import Request
from starlette.responses import Response

from database.errors import DRIVER_ERROR
from routes.http.bodies import FORM, parse_media_type
from routes.pages.forms import TOKEN_FIELD, FormRefused, PageForm, StaleForm, parse_page_form
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import SignInNeeded, Visitor, address_of, find_visitor, remember_visit
from routes.pages.words import WORDS


def wants_page(request: Request) -> bool:
    """Return whether the client is a browser that asks for a page."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


async def respond_with_page(request: Request, status: int, detail: str, error: Exception | None = None) -> Response:
    """Return an error as a page that says what happened, and offers a way on."""
    if isinstance(error, SignInNeeded):
        return await _ask_to_sign_in(request)
    if not hasattr(request.state, "visitor"):
        # Without the database, the page is that of somebody who is not signed in.
        with suppress(DRIVER_ERROR):
            await find_visitor(request)
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    if isinstance(error, StaleForm) and visitor is not None and visitor.caller is not None:
        fields = (await _read_form(request)).resume_fields
        if fields:
            return show_resume(request, request.url.path, fields, visitor.form_token, 403)
    if isinstance(error, FormRefused):
        page = render_page(request, "error.html", 403, title=WORDS.form_refused_title, text=WORDS.form_refused_text)
    else:
        title = WORDS.error_titles.get(status, WORDS.error_title)
        page = render_page(request, "error.html", status, title=title, text=detail)
    return remember_visit(request, page)


async def _ask_to_sign_in(request: Request) -> Response:
    """Return the page to sign in; what was written in a form goes along, to be saved afterwards."""
    if request.method in ("GET", "HEAD"):
        return redirect(request, f"/signin?next={address_of(request)}")
    fields = (await _read_form(request)).resume_fields
    if not fields:
        # Nothing was written, or a file was sent, which a page cannot send again: it is chosen once more.
        address = request.url.path if parse_media_type(request) != FORM else "/"
        values = {"resume_path": "", "resume_fields": "", "next": address, "text": WORDS.signed_out_before}
    else:
        values = {"resume_path": request.url.path, "resume_fields": orjson.dumps(fields).decode()}
        values |= {"next": "/", "text": WORDS.signed_out_text}
    # A provider would send the browser back without what was written.
    page = render_page(request, "signin.html", 401, **values, title=WORDS.signed_out_title, providers=[])
    return remember_visit(request, page)


async def _read_form(request: Request) -> PageForm:
    return await parse_page_form(request) if parse_media_type(request) == FORM else PageForm({})


def show_resume(request: Request, path: str, fields: dict[str, list[str]], token: str, status: int = 200) -> Response:
    """Return a page with a form that was sent without a session, or in an earlier one, to be sent again."""
    pairs = [(name, value) for name, values in fields.items() for value in values]
    return render_page(request, "resume.html", status, action=path, fields=pairs, token_field=TOKEN_FIELD, token=token)

"""The forms of pages: read as browsers send them, and only from a page of this planner."""

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, HTTPException
from starlette.requests import Request

from planner.errors import Forbidden, Invalid
from routes.http.bodies import FORM, parse_media_type, read_body
from routes.http.services import services_of
from routes.pages.visitors import bound_to, find_visitor

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
_SECRET_FIELDS = (TOKEN_FIELD, "password", "new_password", "current_password")
# What pages fill in themselves, and nobody writes.
_FILLED_FIELDS = frozenset(
    {"revision", "occurrence", "scope", "from", "to", "key", "next", "draft", "seen", "accepted", "confirmed"}
)


class FormRefused(Forbidden):
    """A form that does not come from a page of this planner, or from one of another session."""


class StaleForm(FormRefused):
    """A form of this planner that the browser has opened in an earlier session."""


class PageForm:
    """The fields of a form; each may have several values."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def get(self, name: str) -> str:
        """Return the value of a field without surrounding blanks, or an empty text."""
        return self.get_raw(name).strip()

    def get_raw(self, name: str) -> str:
        """Return the value of a field as it was typed, such as a password."""
        return self._values.get(name, [""])[-1].replace("\r\n", "\n")

    def get_all(self, name: str) -> list[str]:
        """Return all values of a field, such as those of checkboxes."""
        return self._values.get(name, [])

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, to be shown again; without passwords and the token."""
        return {name: self.get_raw(name) for name in self._values if name not in _SECRET_FIELDS}

    @property
    def resume_fields(self) -> dict[str, list[str]]:
        """What is sent once more after a sign-in; nothing if nobody has written anything, as before a deletion."""
        fields = {name: values for name, values in self._values.items() if name not in _SECRET_FIELDS}
        return fields if any(any(fields[name]) for name in fields.keys() - _FILLED_FIELDS) else {}


async def read_page_form(request: Request) -> PageForm:
    """Return the form of a request; raises `FormRefused` unless it was sent from a page of this planner."""
    require_own_origin(request)
    if parse_media_type(request) != FORM:
        raise HTTPException(415, f"Send the form as {FORM}.")
    form = await parse_page_form(request)
    require_form_token(request, form.get(TOKEN_FIELD))
    await find_visitor(request)
    return form


async def parse_page_form(request: Request) -> PageForm:
    """Return the form in the body of a request, as browsers' parsers read it; the body is read only once."""
    form: PageForm | None = getattr(request.state, "page_form", None)
    if form is None:
        body = await read_body(request)
        form = PageForm(parse_qs(body.decode(errors="replace").replace("\0", ""), keep_blank_values=True))
        request.state.page_form = form
    return form


def require_form_token(request: Request, token: str) -> None:
    """Raise `FormRefused` unless the token belongs to the session or the visit of this browser.

    It is a `StaleForm` if the browser says that it comes from a page of this planner.
    """
    bound = bound_to(request)
    if bound is None or not services_of(request).browser_cookies.is_form_token(token, bound):
        is_own = "origin" in request.headers or request.headers.get("sec-fetch-site") == "same-origin"
        raise (StaleForm if is_own else FormRefused)("The form belongs to another session.")


def require_own_origin(request: Request) -> None:
    """Raise `FormRefused` for a form that a page of another origin has sent (Fetch Standard, `Origin`)."""
    origin = request.headers.get("origin")
    if origin is None:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise FormRefused("The form was sent by another website.")
        return
    own = {request.headers.get("host", ""), urlsplit(services_of(request).base_url).netloc}
    if urlsplit(origin).netloc not in own or not origin.startswith(("http://", "https://")):
        raise FormRefused("The form was sent by another website.")


def errors_by_field(error: Invalid) -> dict[str, str]:
    """Return what is wrong, by the name of the field; what is wrong with the whole form is under an empty name."""
    return {pointer.strip("/").partition("/")[0]: message for pointer, message in reversed(error.errors)}


Form = Annotated[PageForm, Depends(read_page_form)]

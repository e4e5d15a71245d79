"""Pages of somebody who is signed in: with their account, times in its zone, and errors beside the fields."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from planner.errors import Conflict, Forbidden, Invalid, Malformed, PlannerError, Stale, TooMany
from planner.services.accounts.accounts import WRONG_PASSWORD
from planner.services.shared.field_errors import field_errors
from planner.services.shared.views import Page
from routes.http.services import services_of
from routes.pages.dates import write_instant
from routes.pages.forms import PageForm, errors_by_field
from routes.pages.rendering import render_page
from routes.pages.words import WORDS

# The errors that a form is shown again with, and the statuses of the page.
REFUSALS = (Invalid, Conflict, Forbidden, Stale, TooMany)
_STATUSES: dict[type[PlannerError], int] = {Invalid: 422, Conflict: 409, Forbidden: 403, Stale: 412, TooMany: 429}
M = TypeVar("M", bound=BaseModel)


def parse_revision(form: PageForm) -> frozenset[int] | None:
    """Return the revision that a page showed, the only one that its form may change; None for any."""
    text = form.get("revision")
    return frozenset({int(text)}) if text.isascii() and text.isdigit() and len(text) < 20 else None


class ShownList(NamedTuple):
    """A page of a list as a template shows it, and the cursor of the next page."""

    items: list[Any]
    next: str | None


def read_list(page: Page) -> ShownList:
    """Return a page of a list as a template shows it."""
    return ShownList([orjson.loads(item) for item in page.items], page.next)


async def render_personal(
    request: Request, caller: Principal, template: str, status: int = 200, **values: Any
) -> Response:
    """Return a page with the caller's `account` and its `revision`, and `moment`, which writes a time in its zone.

    The query may name what has just been `done`; the page says so.
    """
    view = await services_of(request).own_account.get(caller)
    account = orjson.loads(view.json)
    moment: Callable[[str], str] = partial(write_instant, time_zone=account["time_zone"])
    done = WORDS.done.get(request.query_params.get("done", "")) if request.method == "GET" else None
    shared = {"account": account, "revision": view.revision, "moment": moment, "message": done}
    return render_page(request, template, status, **(shared | values))


def refusal(
    error: PlannerError,
    form: PageForm,
    password_field: str = "current_password",  # noqa: S107 - the name of a field
) -> dict[str, Any]:
    """Return what a page needs to show a form again: the status, the errors by field, a message, what was typed."""
    status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
    values: dict[str, Any] = {"status": status, "typed": form.typed}
    if isinstance(error, Invalid):
        errors = errors_by_field(error)
        return values | {"errors": errors, "message": errors.get("", WORDS.error_summary)}
    if isinstance(error, Forbidden):
        reason = WORDS.is_wrong if error.detail == WRONG_PASSWORD else WORDS.is_needed
        return values | {"errors": {password_field: reason}, "message": WORDS.error_summary}
    return values | {"message": error.detail}


def parse_form(model: type[M], values: dict[str, Any]) -> M:
    """Return the request that a form makes; raises `Invalid` by the names of its fields."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None


def parse_page_query(model: type[M], request: Request, **values: Any) -> M:
    """Return the query of a list; an empty field of a search form is the same as none. Raises `Malformed`."""
    given = {name: request.query_params.get(name, "") for name in model.model_fields}
    try:
        return model.model_validate({name: text for name, text in given.items() if text} | values)
    except ValidationError:
        raise Malformed(WORDS.wrong_address) from None

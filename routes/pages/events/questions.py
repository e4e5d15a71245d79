"""A question that is answered with one of several buttons, before something is done."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from routes.pages.rendering import render_page


class Choice(NamedTuple):
    """A button: what it sends, and what is written on it."""

    name: str
    value: str
    label: str


def ask(
    request: Request,
    action: str,
    title: str,
    text: str,
    choices: Sequence[Choice],
    fields: Mapping[str, str],
    back: str | Choice,
    status: int = 200,
) -> Response:
    """Return a page that asks which of the choices is meant; the form of each also sends the `fields`.

    The way back is an address, or another choice if what was typed goes along.
    """
    values = {"action": action, "title": title, "text": text, "choices": choices, "fields": fields, "back": back}
    return render_page(request, "events/question.html", status, **values)

"""Accounts for browsers, made with requests: a form that a test is not about is not filled again and again."""

from playwright.sync_api import APIRequestContext

from tests.routes.pages.browsing import FormFields
from tests.support.clients import PASSWORD


def sign_up(request: APIRequestContext, root: str, email: str) -> None:
    """Create an account, and let the browser of these requests be signed in to it."""
    send_form(request, root, "/signup", email=email, password=PASSWORD, time_zone="Europe/Berlin")


def sign_in(request: APIRequestContext, root: str, email: str) -> None:
    """Let the browser of these requests be signed in to an account."""
    send_form(request, root, "/signin", email=email, password=PASSWORD)


def send_form(request: APIRequestContext, root: str, address: str, **typed: str) -> None:
    """Send the form of a page that is sent to its own address."""
    page = FormFields(request.get(root + address).text())
    fields: dict[str, str | float | bool] = {**page.forms[-1], **typed}
    assert page.actions[-1] == address
    response = request.post(root + address, form={name: text for name, text in fields.items() if name}, max_redirects=0)
    assert response.status == 303, response.text()

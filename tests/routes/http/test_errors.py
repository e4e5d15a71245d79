"""Every kind of error has a status: what nobody has thought of would be a 500."""

import pytest

from planner.errors import PlannerError
from routes.http.errors import STATUSES
from tests.support.clients import Planner


def every_kind(kind: type[PlannerError] = PlannerError) -> list[type[PlannerError]]:
    """Return all kinds of errors, with those that the pages add."""
    return [found for below in kind.__subclasses__() for found in (below, *every_kind(below))]


# What ends a command of an operator, and what the token endpoint answers in its own way.
HAS_NO_STATUS = {"ConfigurationError", "GrantRefused"}


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_every_kind_of_error_has_a_status(kind: type[PlannerError]) -> None:
    if kind.__name__ not in HAS_NO_STATUS:
        assert any(base in STATUSES for base in kind.__mro__)


async def test_a_program_that_asks_for_a_page_without_a_session_gets_401(api: Planner) -> None:
    for page in ("/account", "/calendar/month/2026-12", "/admin", "/import"):
        response = await api.get(f"http://planner.test{page}")
        assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")


async def test_a_program_that_sends_a_form_of_a_page_gets_403(api: Planner) -> None:
    response = await api.post("http://planner.test/signin", data={"email": "a", "password": "b"})
    assert (response.status_code, response.headers["content-type"]) == (403, "application/problem+json")

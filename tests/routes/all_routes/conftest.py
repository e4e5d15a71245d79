"""The application's routes, and a client that holds each answer against the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from planner.oidc_settings import OidcProviderSettings
from planner.settings import Settings
from tests.routes.all_routes.request_factory import RequestFactory
from tests.support.clients import Person, Planner
from tests.support.oidc.provider import RunningProvider, running_provider
from tests.support.openapi.operations import Operation, operations_of
from tests.support.openapi.response_checker import ResponseChecker


@pytest.fixture(scope="session")
def provider() -> Iterator[RunningProvider]:
    """An OpenID provider."""
    with running_provider() as provider:
        yield provider


@pytest.fixture
def settings(settings: Settings, provider: RunningProvider) -> Settings:
    """Settings by which one can sign in with that provider, under several names."""
    known = OidcProviderSettings.model_validate(provider.settings)
    return settings.model_copy(update={"oidc": dict.fromkeys(("acme", "best", "cosmo"), known)})


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document, once it was made: that takes longer than most tests."""
    return {}


@pytest.fixture
def app(app: FastAPI, documents: dict[str, dict[str, Any]]) -> FastAPI:
    """The planner, started, with its document at hand."""
    app.openapi_schema = documents.get("")
    documents[""] = app.openapi()
    return app


@pytest.fixture
def operations(app: FastAPI) -> list[Operation]:
    """Every operation of the application."""
    return operations_of(app)


@pytest.fixture
def response_checker(app: FastAPI) -> ResponseChecker:
    """What checks the answers."""
    return ResponseChecker(app)


@pytest.fixture
def api(api: Planner, response_checker: ResponseChecker) -> Planner:
    """The client of all tests, whose answers are checked."""
    api.event_hooks["response"].append(response_checker)
    return api


@pytest.fixture
def requests(app: FastAPI, ada: Person, ben: Person) -> RequestFactory:
    """Ada, who makes the requests that anybody may, and Ben."""
    return RequestFactory(app, ada, ben)

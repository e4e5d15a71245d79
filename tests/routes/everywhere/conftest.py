"""The application's routes, and a client that holds each answer against the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from planner.oidc_settings import OidcProviderSettings
from planner.settings import Settings
from tests.routes.everywhere.documented import Documented
from tests.routes.everywhere.operations import Operation, operations_of
from tests.routes.everywhere.samples import World
from tests.support.clients import Person, Planner
from tests.support.oidc_provider import RunningProvider, running_provider


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
def documented(app: FastAPI) -> Documented:
    """What checks the answers."""
    return Documented(app)


@pytest.fixture
def api(api: Planner, documented: Documented) -> Planner:
    """The client of all tests, whose answers are checked."""
    api.event_hooks["response"].append(documented)
    return api


@pytest.fixture
def world(app: FastAPI, ada: Person, ben: Person) -> World:
    """Ada, who makes the requests that anybody may, and Ben."""
    return World(app, ada, ben)

"""The services of an application under test."""

from typing import Any

from fastapi import FastAPI

from planner.wiring import Services


def services_of(app: FastAPI) -> Services:
    """Return the services of a started application."""
    services: Services = app.state.services
    return services


def database_of(app: FastAPI) -> Any:
    """Return the database of a started application, as the driver's handle."""
    return services_of(app).database.handle

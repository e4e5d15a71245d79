"""The services of the application, found from a request."""

from starlette.requests import Request

from planner.wiring import Services


def services_of(request: Request) -> Services:
    """Return the services that `create_app` has put into the state of the application."""
    services: Services = request.app.state.services
    return services

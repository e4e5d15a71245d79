"""Every router, put together."""

from fastapi import FastAPI

from routes import accounts, events, health


def include_routes(app: FastAPI) -> None:
    """Add every route to the application; the ones asked for most come first.

    The routers carry their whole prefix, and their routes are added to the application
    itself: an included router is searched a second time for each request, which is a
    tenth of what a small read costs.
    """
    for router in (events.router, accounts.users_router, accounts.auth_router, health.router):
        app.router.routes.extend(router.routes)

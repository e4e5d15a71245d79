"""Every router, put together."""

from fastapi import FastAPI

from routes import (
    changes,
    events,
    feeds,
    free_busy,
    health,
    imports,
    occurrences,
    personal_tokens,
    recovery,
    revisions,
    sessions,
    users,
)
from routes import oidc as providers
from routes import signin as signing
from routes.pages import mailed_links as pages

MODULES = (
    # Before the events, one of whose paths begins like these.
    occurrences,
    imports,
    changes,
    feeds,
    events,
    revisions,
    free_busy,
    users,
    signing,
    sessions,
    personal_tokens,
    providers,
    recovery,
    health,
    pages,
)


def include_routes(app: FastAPI) -> None:
    """Add every route to the application; the ones asked for most come first.

    The routers carry their whole prefix, and their routes are added to the application
    itself: an included router is searched a second time for each request, which is a
    tenth of what a small read costs.
    """
    for module in MODULES:
        app.router.routes.extend(module.router.routes)

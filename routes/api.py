"""All routers of the application."""

import re

from fastapi import FastAPI
from starlette.routing import Route

from routes import (
    changes,
    events,
    feeds,
    free_busy,
    health,
    imports,
    metrics,
    occurrences,
    oidc,
    personal_tokens,
    recovery,
    revisions,
    sessions,
    signin,
    users,
)
from routes.pages import api_page, assets_route, entrance, provider_sign_in, recovery_pages, search
from routes.pages.account import leaving, profile, providers, tokens
from routes.pages.account import sessions as session_pages
from routes.pages.admin import account_pages, audit_page, event_pages
from routes.pages.calendar_views import calendar_page, moves
from routes.pages.events import creating, deleting, editing, history, showing
from routes.pages.files import feed_pages, import_pages

MODULES = (
    events,
    occurrences,
    changes,
    feeds,
    imports,
    revisions,
    free_busy,
    users,
    signin,
    sessions,
    personal_tokens,
    oidc,
    recovery,
    health,
    metrics,
    api_page,
    recovery_pages,
    entrance,
    calendar_page,
    moves,
    search,
    creating,
    showing,
    editing,
    deleting,
    history,
    provider_sign_in,
    import_pages,
    feed_pages,
    profile,
    session_pages,
    tokens,
    providers,
    leaving,
    account_pages,
    event_pages,
    audit_page,
    assets_route,
)


def include_routes(app: FastAPI) -> None:
    """Add all routes to the application; those that are requested most come first.

    The routers have their whole prefix, and their routes are added to the application itself: an
    included router would be searched a second time for each request, which costs a tenth of a small read.
    """
    app.router.routes.extend(ROUTES)


def let_narrowest_path_match(routes: list[Route]) -> None:
    """Make an address belong to one path only, the narrowest that matches it, whatever the method of the request.

    Otherwise `PUT /events/changes` would be a change of an event with the id `changes`, and `Allow` would say so.
    """
    patterns = {route.path: route.path_regex for route in routes}
    samples = {path: re.sub(r"\{[^}]*\}", "x", path) for path in patterns}
    for route in routes:
        for path, pattern in patterns.items():
            is_narrower = patterns[route.path].match(samples[path]) and not pattern.match(samples[route.path])
            if is_narrower:
                other = re.sub(r"\(\?P<\w+>", "(?:", pattern.pattern)
                route.path_regex = re.compile(f"(?!{other}){route.path_regex.pattern}")


# They are the same for each application of a process, and so is the path that each matches.
ROUTES = [route for module in MODULES for route in module.router.routes]
let_narrowest_path_match([route for route in ROUTES if isinstance(route, Route)])

"""Load-or-404, may-they, pages and keys, written once and declared in annotated types."""

from typing import Annotated

from fastapi import Depends, Header, Path
from starlette.requests import Request

from auth.authenticate import CurrentUser
from models.event import EventView
from planner.domain.etags import wanted
from planner.services.accounts import Accounts
from planner.services.events import Events
from planner.services.once import Once

IdInPath = Annotated[str, Path(description="24 hexadecimal digits.", examples=["692000000000000000000001"])]


async def accounts_service(request: Request) -> Accounts:
    """The accounts of this application."""
    service: Accounts = request.app.state.accounts
    return service


async def events_service(request: Request) -> Events:
    """The events of this application."""
    service: Events = request.app.state.events
    return service


AccountsService = Annotated[Accounts, Depends(accounts_service)]
EventsService = Annotated[Events, Depends(events_service)]


async def event_by_id(request: Request, id: IdInPath, caller: CurrentUser) -> EventView:
    """The event in the path, if the caller may see it."""
    service: Events = request.app.state.events
    return await service.see(caller, id)


async def owned_event(request: Request, id: IdInPath, caller: CurrentUser) -> EventView:
    """The event in the path, if the caller may change it."""
    service: Events = request.app.state.events
    return await service.own(caller, id)


EventById = Annotated[EventView, Depends(event_by_id)]
OwnedEvent = Annotated[EventView, Depends(owned_event)]


async def revisions(
    if_match: Annotated[str | None, Header(description='Change only this revision, such as `"3"`; else 412.')] = None,
) -> frozenset[int] | None:
    """The revisions that `If-Match` allows; None for any."""
    return wanted(if_match)


IfMatch = Annotated[frozenset[int] | None, Depends(revisions)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A word of the client's choice. The same key and body again within 24 h gives the first answer.",
    ),
]


async def once_per_user(request: Request, caller: CurrentUser, idempotency_key: IdempotencyKey = None) -> Once | None:
    """The caller's Idempotency-Key for this route, if one was sent."""
    return _once(request, str(caller.id), idempotency_key)


async def once_for_anyone(request: Request, idempotency_key: IdempotencyKey = None) -> Once | None:
    """An Idempotency-Key where nobody is signed in yet."""
    return _once(request, "", idempotency_key)


def _once(request: Request, who: str, key: str | None) -> Once | None:
    if key is None:
        return None
    return Once(f"{who} {request.method} {request.url.path}", key, request.app.state.secret)


OncePerUser = Annotated[Once | None, Depends(once_per_user)]
OnceForAnyone = Annotated[Once | None, Depends(once_for_anyone)]

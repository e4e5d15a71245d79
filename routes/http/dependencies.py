"""Dependencies of the routes as annotated types: services, the event in the path, idempotency keys, headers."""

from typing import Annotated, Literal

from fastapi import Depends, Header, Path, Query
from starlette.requests import Request

from auth.authenticate import CurrentUser, EventsReader, EventsWriter
from auth.principal import Principal
from models.events.event_fields import Visibility
from models.events.event_view import EventView
from planner.errors import Stale
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.idempotency import IdempotencyKey
from planner.wiring import Services
from routes.http.etags import matches_if_none_match, parse_if_match
from routes.http.services import services_of

# The pattern is documentation: a malformed id names nothing, so the response is 404 and not 422.
IdInPath = Annotated[
    str,
    Path(
        description="24 hexadecimal digits.",
        examples=["692000000000000000000001"],
        json_schema_extra={"pattern": "^[0-9a-f]{24}$"},
    ),
]


async def get_services(request: Request) -> Services:
    """Return the services of the application, for a route to depend on."""
    return services_of(request)


ServicesDep = Annotated[Services, Depends(get_services)]


async def client_info(request: Request) -> ClientInfo:
    """Return the address and the device of the client; the server has resolved the address behind a trusted proxy."""
    address = request.client.host if request.client else "unknown"
    # A header may contain any byte: only printable characters are stored and shown again.
    device = "".join(c for c in request.headers.get("user-agent", "")[:200] if c.isprintable())
    return ClientInfo(address, device, request.is_disconnected)


Client = Annotated[ClientInfo, Depends(client_info)]


async def event_by_id(request: Request, id: IdInPath, caller: EventsReader) -> EventView:
    """Return the event in the path if the caller may see it; raises `NotFound`."""
    return await services_of(request).events.get(caller, id)


async def owned_event(request: Request, id: IdInPath, caller: EventsWriter) -> EventView:
    """Return the event in the path, which the request is to change, if the caller may; raises `NotFound`, `Forbidden`.

    Raises `Stale` if the request must not change this revision (`If-None-Match`, RFC 9110 §13.1.2).
    """
    event = await services_of(request).events.get_own(caller, id)
    if matches_if_none_match(request.headers.get("if-none-match"), event.revision):
        raise Stale("There is an event that If-None-Match excludes.")
    return event


async def visible_event(request: Request, id: IdInPath, caller: CurrentUser) -> EventView:
    """Return the event in the path for a caller whose role permits the rest; raises `NotFound`."""
    return await services_of(request).events.get(caller, id)


EventById = Annotated[EventView, Depends(event_by_id)]
OwnedEvent = Annotated[EventView, Depends(owned_event)]
VisibleEvent = Annotated[EventView, Depends(visible_event)]


async def allowed_revisions(
    if_match: Annotated[
        str | None, Header(description='Make the change only if this is the current `ETag`, such as `"3"`; else 412.')
    ] = None,
) -> frozenset[int] | None:
    """Return the revisions that `If-Match` allows, or None for any."""
    return parse_if_match(if_match)


IfMatch = Annotated[frozenset[int] | None, Depends(allowed_revisions)]


async def reject_conflicts(
    on_conflict: Annotated[
        Literal["allow", "reject"],
        Query(
            description="`reject`: refuse an event that overlaps with another event of yours, with a 409 that lists "
            "the conflicts. An event occupies the time from its start to its end, or its whole days, unless it is "
            "cancelled or transparent. Of a recurring event, the first 1,000 occurrences within five "
            "years are checked, from now or from a later start. Of several requests at once for the same time, one "
            "succeeds."
        ),
    ] = "allow",
) -> bool:
    """Return whether an event that overlaps with another one must be refused."""
    return on_conflict == "reject"


RejectConflicts = Annotated[bool, Depends(reject_conflicts)]


async def confirmed_visibility(
    confirm_visibility: Annotated[
        Literal["unlisted", "public"] | None,
        Query(
            description="The new `visibility` a second time. It is needed to let others see an event that was imported "
            "with a CLASS other than PUBLIC (RFC 5545 §3.8.1.3); without it, the response is 409."
        ),
    ] = None,
) -> Visibility | None:
    """Return the visibility that a request confirms, or None."""
    return confirm_visibility


ConfirmedVisibility = Annotated[Visibility | None, Depends(confirmed_visibility)]

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A key that the client chooses. The same request with the same key within 24 hours has no further "
        "effect and gets the first response; the same key with another body gets 422.",
    ),
]


async def writer_idempotency_key(
    request: Request, caller: EventsWriter, idempotency_key: IdempotencyKeyHeader = None
) -> IdempotencyKey | None:
    """Return the caller's Idempotency-Key, or None, for a route that writes events."""
    return _idempotency_key(request, caller, idempotency_key)


async def account_idempotency_key(
    request: Request, caller: CurrentUser, idempotency_key: IdempotencyKeyHeader = None
) -> IdempotencyKey | None:
    """Return the caller's Idempotency-Key, or None, for a route that needs a token without scopes."""
    return _idempotency_key(request, caller, idempotency_key)


async def anonymous_idempotency_key(
    request: Request, idempotency_key: IdempotencyKeyHeader = None
) -> IdempotencyKey | None:
    """Return the Idempotency-Key, or None, of a client that is not signed in yet."""
    return _idempotency_key(request, None, idempotency_key)


def _idempotency_key(request: Request, caller: Principal | None, key: str | None) -> IdempotencyKey | None:
    if key is None:
        return None
    who = "" if caller is None else str(caller.id)
    scope = f"{who} {request.method} {request.url.path}"
    return IdempotencyKey(scope, key, services_of(request).secrets, None if caller is None else caller.id)


WriterIdempotencyKey = Annotated[IdempotencyKey | None, Depends(writer_idempotency_key)]
AccountIdempotencyKey = Annotated[IdempotencyKey | None, Depends(account_idempotency_key)]
AnonymousIdempotencyKey = Annotated[IdempotencyKey | None, Depends(anonymous_idempotency_key)]

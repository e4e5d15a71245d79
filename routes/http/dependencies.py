"""Load-or-404, may-they, services and keys, written once and declared in annotated types."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Path, Query
from starlette.requests import Request

from auth.authenticate import CurrentUser, EventsReader, EventsWriter
from auth.principal import Principal
from models.events.event_view import EventView
from planner.services.accounts.accounts import Accounts
from planner.services.accounts.administration import Administration
from planner.services.accounts.deletion import AccountDeletion
from planner.services.accounts.introspection import Introspection
from planner.services.accounts.oidc_login import OidcLogin
from planner.services.accounts.personal_tokens import PersonalTokens
from planner.services.accounts.recovery import Recovery
from planner.services.accounts.sessions import Sessions
from planner.services.events.changes import ChangeLog
from planner.services.events.events import Events
from planner.services.events.free_busy import FreeBusy
from planner.services.events.occurrences import Occurrences
from planner.services.events.revisions import Revisions
from planner.services.files.exports import Exports
from planner.services.files.feeds import Feeds
from planner.services.files.import_jobs import ImportJobs
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.idempotency import IdempotencyKey
from routes.http.etags import wanted

# The pattern is for readers of the document: what is no id names nothing, and is a 404.
IdInPath = Annotated[
    str,
    Path(
        description="24 hexadecimal digits.",
        examples=["692000000000000000000001"],
        json_schema_extra={"pattern": "^[0-9a-f]{24}$"},
    ),
]


def from_state(name: str) -> Callable[[Request], Awaitable[Any]]:
    """A dependency that answers one of the services that `create_app` made."""

    async def service(request: Request) -> Any:
        return getattr(request.app.state, name)

    return service


AccountsService = Annotated[Accounts, Depends(from_state("accounts"))]
SessionsService = Annotated[Sessions, Depends(from_state("sessions"))]
OidcLoginService = Annotated[OidcLogin, Depends(from_state("providers"))]
RecoveryService = Annotated[Recovery, Depends(from_state("recovery"))]
PersonalTokensService = Annotated[PersonalTokens, Depends(from_state("personal_tokens"))]
IntrospectionService = Annotated[Introspection, Depends(from_state("introspection"))]
AdministrationService = Annotated[Administration, Depends(from_state("people"))]
DeletionService = Annotated[AccountDeletion, Depends(from_state("leaving"))]
AuditService = Annotated[AuditLog, Depends(from_state("audit"))]
EventsService = Annotated[Events, Depends(from_state("events"))]
RevisionsService = Annotated[Revisions, Depends(from_state("undo"))]
ExportsService = Annotated[Exports, Depends(from_state("exports"))]
FeedsService = Annotated[Feeds, Depends(from_state("feeds"))]
ChangesService = Annotated[ChangeLog, Depends(from_state("changes"))]
ImportJobsService = Annotated[ImportJobs, Depends(from_state("imports"))]
OccurrencesService = Annotated[Occurrences, Depends(from_state("occurrences"))]
FreeBusyService = Annotated[FreeBusy, Depends(from_state("free_busy"))]


async def client_info(request: Request) -> ClientInfo:
    """Where the request comes from; behind a trusted proxy the server has put the client's address there."""
    address = request.client.host if request.client else "unknown"
    # Only what can be shown again: a header may hold any byte.
    device = "".join(c for c in request.headers.get("user-agent", "")[:200] if c.isprintable())
    return ClientInfo(address, device, request.is_disconnected)


Client = Annotated[ClientInfo, Depends(client_info)]


async def event_by_id(request: Request, id: IdInPath, caller: EventsReader) -> EventView:
    """The event in the path, if the caller may see it."""
    service: Events = request.app.state.events
    return await service.see(caller, id)


async def owned_event(request: Request, id: IdInPath, caller: EventsWriter) -> EventView:
    """The event in the path, if the caller may change it."""
    service: Events = request.app.state.events
    return await service.own(caller, id)


async def seen_event(request: Request, id: IdInPath, caller: CurrentUser) -> EventView:
    """The event in the path, for those whose role lets them do more than see it."""
    service: Events = request.app.state.events
    return await service.see(caller, id)


EventById = Annotated[EventView, Depends(event_by_id)]
OwnedEvent = Annotated[EventView, Depends(owned_event)]
SeenEvent = Annotated[EventView, Depends(seen_event)]


async def revisions(
    if_match: Annotated[str | None, Header(description='Change only this revision, such as `"3"`; else 412.')] = None,
) -> frozenset[int] | None:
    """The revisions that `If-Match` allows; None for any."""
    return wanted(if_match)


IfMatch = Annotated[frozenset[int] | None, Depends(revisions)]


async def rejects(
    on_conflict: Annotated[
        Literal["allow", "reject"],
        Query(
            description="With `reject`: refuse, with a 409 that names what it collides with, an event that would take "
            "time that another one of yours takes. An event takes the time from its start to its end, or its whole "
            "days, unless it is cancelled or was imported as transparent. Of a series are looked at its first 1,000 "
            "occurrences or five years, whichever is less, from now or from its start if that is to come. Of several "
            "requests at once for the same time one is granted."
        ),
    ] = "allow",
) -> bool:
    """Whether a double booking is to be refused."""
    return on_conflict == "reject"


RejectConflicts = Annotated[bool, Depends(rejects)]

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A word of the client's choice. The same key and body again within 24 h gives the first answer.",
    ),
]


async def once_per_writer(
    request: Request, caller: EventsWriter, idempotency_key: IdempotencyKeyHeader = None
) -> IdempotencyKey | None:
    """The caller's Idempotency-Key for a route that writes events, if one was sent."""
    return _once(request, caller, idempotency_key)


async def once_per_user(
    request: Request, caller: CurrentUser, idempotency_key: IdempotencyKeyHeader = None
) -> IdempotencyKey | None:
    """The caller's Idempotency-Key for a route that needs the whole account, if one was sent."""
    return _once(request, caller, idempotency_key)


async def once_for_anyone(request: Request, idempotency_key: IdempotencyKeyHeader = None) -> IdempotencyKey | None:
    """An Idempotency-Key where nobody is signed in yet."""
    return _once(request, None, idempotency_key)


def _once(request: Request, caller: Principal | None, key: str | None) -> IdempotencyKey | None:
    if key is None:
        return None
    who = "" if caller is None else str(caller.id)
    scope = f"{who} {request.method} {request.url.path}"
    return IdempotencyKey(scope, key, request.app.state.secret, None if caller is None else caller.id)


WriterIdempotencyKey = Annotated[IdempotencyKey | None, Depends(once_per_writer)]
AccountIdempotencyKey = Annotated[IdempotencyKey | None, Depends(once_per_user)]
AnonymousIdempotencyKey = Annotated[IdempotencyKey | None, Depends(once_for_anyone)]

"""How the application is assembled from its settings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from auth.hash_password import PasswordHasher
from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import RefreshTokens
from auth.principal import Principals
from database.connection import Database, bind, open_database
from database.journal import mend
from database.migrate import pending, stamp_latest, unknown
from models import DOCUMENTS
from planner import background
from planner.errors import ConfigurationError
from planner.services.accounts.accounts import Accounts
from planner.services.accounts.administration import Administration
from planner.services.accounts.deletion import AccountDeletion
from planner.services.accounts.introspection import Introspection
from planner.services.accounts.oidc_linking import OidcLinking
from planner.services.accounts.oidc_login import OidcLogin
from planner.services.accounts.personal_tokens import PersonalTokens
from planner.services.accounts.recovery import Recovery
from planner.services.accounts.sessions import Sessions
from planner.services.events.changes import ChangeLog, ChangeNumbering
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.events import Events
from planner.services.events.free_busy import FreeBusy
from planner.services.events.occurrences import Occurrences
from planner.services.events.revisions import Revisions
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.exports import Exports
from planner.services.files.feeds import Feeds
from planner.services.files.import_jobs import ImportJobs
from planner.services.files.importer import Importer
from planner.services.mail.delivery import MailDelivery
from planner.services.mail.transports import MailTransport, OutboxTransport, SmtpTransport
from planner.services.shared.audit import AuditLog
from planner.services.shared.rate_limiter import Limiter
from planner.settings import Settings
from planner.version import VERSION
from routes.api import include_routes
from routes.http import errors
from routes.http.head_requests import HeadAsGet
from routes.http.openapi import install_openapi

log = logging.getLogger("planner")

AUDIENCE = "planner"
# What a page on another origin may read of an answer besides its body.
EXPOSED = ["ETag", "Link", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate"]

OpenDatabase = Callable[[], Awaitable[Database]]


def create_app(settings: Settings, open_: OpenDatabase | None = None, sender: MailTransport | None = None) -> FastAPI:
    """The planner as an ASGI application.

    It opens its database when it starts: the one of `settings`, or what `open_` answers
    (the tests give it a stand-in, and a `sender` that keeps the mails). Raises
    `ConfigurationError` when the settings do not allow a start.
    """
    secret = settings.secret()
    signer = TokenSigner(secret, settings.base_url, AUDIENCE, settings.access_token_minutes)
    hasher = PasswordHasher(settings.password_rounds)
    mailing = MailDelivery(sender or mail_transport_of(settings), settings.mail_from, settings.base_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = await (open_ or _opener(settings))()
        try:
            await bind(database, DOCUMENTS)
            await hasher.warm_up()
            app.state.database = database
            loop = asyncio.create_task(background.work(mailing, app.state.imports, app.state.undo))
            yield
            loop.cancel()
            await asyncio.wait([loop])
        finally:
            hasher.close()
            await database.close()

    app = FastAPI(
        title="Planner",
        version=VERSION,
        summary="Accounts, and events that belong to people.",
        lifespan=lifespan,
        # The API page is ours, in routes/pages/api_page.py: FastAPI's own loads its assets from other hosts.
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    app.state.secret = secret
    app.state.base_url = settings.base_url
    app.state.signer = signer
    build_services(app, settings, hasher, mailing)
    errors.install_error_handlers(app)
    include_routes(app)
    install_openapi(app, settings.base_url)
    app.add_middleware(HeadAsGet)
    if settings.origins:
        app.add_middleware(_Cors, **cors(settings.origins))
    return app


def build_services(app: FastAPI, settings: Settings, hasher: PasswordHasher, mailing: MailDelivery) -> None:
    """Make the services, each from those it needs, and put them where the routes find them."""
    state, signer = app.state, app.state.signer
    state.identities = identities = Principals()
    state.audit = audit = AuditLog(settings.audit_days)
    limiter = Limiter(settings.rate_limits == "on")
    refresh_tokens = RefreshTokens(app.state.secret)
    state.sessions = Sessions(signer, refresh_tokens, identities, audit, settings.refresh_token_days)
    state.accounts = Accounts(hasher, state.sessions, identities, limiter, mailing, audit)
    linking = OidcLinking(state.accounts, mailing, audit)
    state.providers = OidcLogin(
        settings.oidc, state.sessions, linking, limiter, audit, settings.base_url, settings.origins
    )
    state.recovery = Recovery(hasher, identities, limiter, mailing, audit)
    state.personal_tokens = PersonalTokens(identities, audit)
    state.introspection = Introspection(signer, identities, state.sessions, state.personal_tokens)
    state.people = Administration(identities, audit)
    state.leaving = AccountDeletion(state.accounts, identities, audit)
    state.mailing = mailing
    state.numbering = numbering = ChangeNumbering()
    state.changes = ChangeLog(numbering)
    state.exports = Exports(numbering)
    state.feeds = Feeds(audit)
    turns = UserWriteLocks()
    conflicts = ConflictChecker(turns)
    state.events = events = Events(conflicts)
    state.undo = Revisions(events)
    state.imports = ImportJobs(Importer(conflicts))
    state.occurrences = Occurrences(conflicts)
    state.free_busy = FreeBusy(turns)


def mail_transport_of(settings: Settings) -> MailTransport:
    """The way mails leave: the SMTP server of `SMTP_URL`, or the outbox."""
    if settings.smtp_url is not None:
        return SmtpTransport(settings.smtp_url.get_secret_value())
    return OutboxTransport(settings.data_dir / "outbox")


async def prepare(settings: Settings, *, alone: bool = True) -> None:
    """What one process does before any serves: wait for the database, check its data, mend it.

    Where a planner may be running already, we are not `alone`, and nothing is mended: what
    stands in the journal may be what that planner is just doing.

    Raises `ConfigurationError` when the stored data needs a migration.
    """
    database = await _opener(settings)()
    try:
        if ahead := await unknown(database):
            raise ConfigurationError(
                f"The stored data is that of a newer version: {ahead} was run on it, which this one does not know."
            )
        if waiting := await pending(database):
            raise ConfigurationError(
                f"The stored data needs {', '.join(waiting)}: run `python -m planner migrate` first."
            )
        await stamp_latest(database)
        if alone and not database.transactions:
            log.warning(
                "this MongoDB has no transactions (it is no replica set): writes that belong "
                "together go through a journal, mended at the next start"
            )
            await mend(database)
    finally:
        await database.close()


def _opener(settings: Settings) -> OpenDatabase:
    if settings.database_url is None:
        raise ConfigurationError("No DATABASE_URL, and no embedded server was started.")
    url = settings.database_url.get_secret_value()
    return lambda: open_database(url)


def cors(origins: list[str]) -> dict[str, Any]:
    """What pages from these origins may do: everything the API offers, with credentials."""
    return {
        "allow_origins": origins,
        "allow_credentials": True,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Prefer",
        ],
        "expose_headers": EXPOSED,
        "max_age": 600,
    }


class _Cors(CORSMiddleware):
    """The usual middleware, except that a refused preflight has the shape of every other error."""

    def preflight_response(self, request_headers: Any) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        headers = {
            name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")
        }
        return errors.problem_response(response.status_code, bytes(response.body).decode(), headers=headers)

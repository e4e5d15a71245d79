"""How the services are made, each from those it uses: the one place that knows all of them."""

from dataclasses import dataclass
from pathlib import Path

from auth.authenticate import Authenticator
from auth.browser_cookie import BrowserCookies
from auth.hash_password import PasswordHasher
from auth.jwt_handler import TokenSigner
from auth.opaque_tokens import OpaqueTokens
from auth.principal import Principals
from auth.secret_keys import SecretKeys
from database.connection import Database, Operation, OperationObserver, extend_request_limit
from database.slow_operations import log_slow_operation
from models.accounts.export_job import ExportJob
from models.events.change_numbers import EventChange
from models.events.tombstone import Tombstone
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail
from models.shared.audit import AuditEntry
from planner.clock import Clock
from planner.draining import Draining
from planner.load.admission import Admission
from planner.load.lanes import Lane, Lanes, Uncounted
from planner.randomness import RandomBytes
from planner.services.accounts.accounts import Accounts
from planner.services.accounts.administration import Administration
from planner.services.accounts.data_export import DataExport
from planner.services.accounts.deletion import AccountDeletion
from planner.services.accounts.email_addresses import EmailAddresses
from planner.services.accounts.identities import Identities
from planner.services.accounts.introspection import Introspection
from planner.services.accounts.oidc_attempts import OidcAttempts
from planner.services.accounts.oidc_linking import OidcLinking
from planner.services.accounts.oidc_login import OidcLogin
from planner.services.accounts.own_account import OwnAccount
from planner.services.accounts.personal_tokens import PersonalTokens
from planner.services.accounts.recovery import Recovery
from planner.services.accounts.sessions import Sessions
from planner.services.events.changes import ChangeLog, ChangeNumbering
from planner.services.events.conflicts import ConflictChecker
from planner.services.events.events import Events
from planner.services.events.free_busy import FreeBusy
from planner.services.events.moderation import Moderation
from planner.services.events.occurrences import Occurrences
from planner.services.events.revisions import Revisions
from planner.services.events.user_lock import UserWriteLocks
from planner.services.files.exports import Exports
from planner.services.files.feeds import Feeds
from planner.services.files.import_jobs import ImportJobs
from planner.services.files.importer import Importer
from planner.services.mail.delivery import MailDelivery
from planner.services.mail.transports import MailTransport, OutboxTransport, SmtpTransport
from planner.services.operation.readiness import Readiness
from planner.services.operation.statistics import Statistics
from planner.services.shared.audit import AuditLog
from planner.services.shared.rate_limiter import RateLimiter
from planner.settings import Settings
from planner.telemetry.metrics import Metrics

AUDIENCE = "planner"


@dataclass(frozen=True)
class Services:
    """Everything that the routes, the background loop and the commands use."""

    base_url: str
    secrets: SecretKeys
    clock: Clock
    database: Database
    authenticator: Authenticator
    principals: Principals
    browser_cookies: BrowserCookies
    session_seconds: int
    audit: AuditLog
    accounts: Accounts
    sessions: Sessions
    own_account: OwnAccount
    email_addresses: EmailAddresses
    recovery: Recovery
    personal_tokens: PersonalTokens
    introspection: Introspection
    identities: Identities
    oidc_login: OidcLogin
    oidc_linking: OidcLinking
    administration: Administration
    deletion: AccountDeletion
    data_export: DataExport
    events: Events
    occurrences: Occurrences
    revisions: Revisions
    changes: ChangeLog
    free_busy: FreeBusy
    moderation: Moderation
    exports: Exports
    feeds: Feeds
    import_jobs: ImportJobs
    numbering: ChangeNumbering
    mail_delivery: MailDelivery
    statistics: Statistics
    readiness: Readiness
    metrics: Metrics
    metrics_token: str | None


def build_services(
    settings: Settings,
    database: Database,
    hasher: PasswordHasher,
    mail_transport: MailTransport,
    clock: Clock,
    random_bytes: RandomBytes,
    metrics: Metrics,
    draining: Draining,
    admission: Admission,
) -> Services:
    """Return the services of one process. Nothing is read or written yet."""
    secrets, base_url = SecretKeys(settings.secret(), settings.previous_secret()), settings.base_url
    signer = TokenSigner(secrets, base_url, AUDIENCE, settings.access_token_minutes, clock, random_bytes)
    tokens = OpaqueTokens(secrets, random_bytes)
    principals = Principals(clock)
    audit = AuditLog(settings.audit_days, clock)
    database.on_insert(AuditEntry, lambda entry: metrics.count_audit_event(entry.event))
    rate_limiter = RateLimiter(settings.rate_limits == "on", clock)
    sessions = Sessions(signer, tokens, principals, audit, settings.refresh_token_days, clock)
    accounts = Accounts(hasher, sessions, principals, rate_limiter, audit, clock)
    email_addresses = EmailAddresses(accounts, rate_limiter, audit, clock)
    attempts = OidcAttempts(settings.oidc, rate_limiter, tokens, base_url, settings.origins, settings.schemes, clock)
    identities = Identities(attempts, accounts, principals, audit, clock)
    oidc_linking = OidcLinking(accounts, principals, audit, clock)
    personal_tokens = PersonalTokens(principals, audit, tokens, clock)
    locks = UserWriteLocks()
    conflicts = ConflictChecker(locks, clock)
    lanes = build_lanes(settings, admission.uncounted)
    events = Events(conflicts, lanes.searches, clock)
    numbering = ChangeNumbering()
    import_jobs = ImportJobs(Importer(conflicts, locks, clock), locks, clock, lanes.imports)
    mail_delivery = MailDelivery(mail_transport, settings.mail_from, base_url, tokens, rate_limiter, audit, clock)
    database.on_insert(QueuedMail, lambda _: mail_delivery.wake.set())
    database.on_insert(ImportJob, lambda _: import_jobs.wake.set())
    data_export = DataExport(base_url, lanes.exports, clock)
    database.on_insert(ExportJob, lambda _: data_export.wake.set())
    for changed in (EventChange, Tombstone):
        database.on_write(changed, numbering.wake.set)
    database.on_operation = _observe_operations(metrics, settings.slow_query_milliseconds / 1000)
    return Services(
        base_url=base_url,
        secrets=secrets,
        clock=clock,
        database=database,
        authenticator=Authenticator(signer, principals),
        principals=principals,
        browser_cookies=BrowserCookies(tokens),
        session_seconds=settings.refresh_token_days * 24 * 60 * 60,
        audit=audit,
        accounts=accounts,
        sessions=sessions,
        own_account=OwnAccount(accounts, rate_limiter, audit, clock),
        email_addresses=email_addresses,
        recovery=Recovery(hasher, principals, rate_limiter, audit, clock),
        personal_tokens=personal_tokens,
        introspection=Introspection(signer, principals, sessions, personal_tokens, clock),
        identities=identities,
        oidc_login=OidcLogin(attempts, sessions, oidc_linking, identities, audit, tokens, clock),
        oidc_linking=oidc_linking,
        administration=Administration(principals, email_addresses, rate_limiter, audit, clock),
        deletion=AccountDeletion(accounts, principals, rate_limiter, audit, clock),
        data_export=data_export,
        events=events,
        occurrences=Occurrences(conflicts, lanes.occurrences, clock),
        revisions=Revisions(events, clock),
        changes=ChangeLog(numbering, clock),
        free_busy=FreeBusy(locks, lanes.occurrences, clock),
        moderation=Moderation(audit, clock),
        exports=Exports(numbering, lanes.exports, clock),
        feeds=Feeds(locks, audit, tokens, clock),
        import_jobs=import_jobs,
        numbering=numbering,
        mail_delivery=mail_delivery,
        statistics=Statistics(),
        readiness=Readiness(draining, clock),
        metrics=metrics,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
    )


def build_lanes(settings: Settings, uncounted: Uncounted) -> Lanes:
    """Return the lanes of a process; each request waits and works in them as `uncounted` says."""

    def build(kind: str, slots: int, longest_wait: float = settings.lane_wait_seconds) -> Lane:
        return Lane(kind, slots, longest_wait, uncounted, extend_request_limit)

    return Lanes(
        searches=build("searches", settings.search_slots),
        occurrences=build("lists of occurrences", settings.occurrence_slots),
        exports=build("exports", settings.export_slots),
        # Each takes long itself. Who wants no wait sends Prefer: respond-async.
        imports=build("imports", settings.import_slots, settings.request_seconds / 2),
    )


def _observe_operations(metrics: Metrics, slow_seconds: float) -> OperationObserver:
    """Return what counts the operations of the database, and logs the slow ones."""

    def observe(operation: Operation, waited: float, took: float) -> None:
        metrics.count_operation(operation.kind, operation.collection, waited, took)
        if took >= slow_seconds:
            log_slow_operation(operation, took)

    return observe


def mail_transport_of(settings: Settings) -> MailTransport:
    """Return the way in which mail leaves: the server of `SMTP_URL`, or the outbox folder."""
    if settings.smtp_url is not None:
        return SmtpTransport(settings.smtp_url.get_secret_value())
    return OutboxTransport(outbox_of(settings))


def outbox_of(settings: Settings) -> Path:
    """Return the folder into which mails are written if `SMTP_URL` is not set."""
    return settings.data_dir / "outbox"

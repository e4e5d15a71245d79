"""Beanie documents with their named queries and conditional writes, and the schemas beside them.

accounts/  accounts, sessions, tokens
events/    events, revisions, changes
people/    what people share
files/     feeds and imports
mail/      queued mail
shared/    what several of them use
"""

from database.documents import StoredDocument
from models.accounts.closed_account import ClosedAccount
from models.accounts.export_job import ExportJob, ExportPart
from models.accounts.oidc_login import AuthorizationCode, OidcLoginAttempt
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import User
from models.events.change_numbers import ChangeSequence, EventChange
from models.events.event import Event
from models.events.public_event_index import PublicEventIndex
from models.events.revision import Revision
from models.events.tombstone import Tombstone
from models.files.feed import Feed
from models.files.import_chunk import ImportChunk
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail
from models.people.busy_share import BusyShare
from models.shared.audit import AuditEntry
from models.shared.guard import Guard
from models.shared.heartbeat import Heartbeat
from models.shared.idempotent_response import IdempotentResponse
from models.shared.rate_limit_counter import RateLimitCounter
from models.shared.time_zone_version import TimeZoneVersion

DOCUMENTS: tuple[type[StoredDocument], ...] = (
    User,
    ClosedAccount,
    ExportJob,
    ExportPart,
    Event,
    EventChange,
    PublicEventIndex,
    Revision,
    Tombstone,
    BusyShare,
    ChangeSequence,
    Session,
    PersonalToken,
    Feed,
    OneTimeToken,
    OidcLoginAttempt,
    AuthorizationCode,
    ImportJob,
    ImportChunk,
    QueuedMail,
    AuditEntry,
    RateLimitCounter,
    TimeZoneVersion,
    Guard,
    Heartbeat,
    IdempotentResponse,
)

"""Beanie documents with their named queries and conditional writes, and the schemas beside them.

schema.py       what every request and answer model shares
fields.py       the kinds of fields: text, addresses, tags
views.py        a stored thing as the JSON it is answered with
user.py         accounts, with the ids of their events embedded
event.py        events: what is stored, and every read and write of it
event_view.py   events as they are answered, and drafts as they are stored
event_queries.py the filters of lists of events
event_search.py events that words are found in, the best ones first
published.py    what of public events is searched
event_schema.py events: what is sent and what is answered
revision.py     what events were before they were changed
revision_view.py revisions as they are answered
gone.py         events that are gone, for those who keep a copy
event_times.py  when somebody's events are, and nothing else about them
busy_share.py   who lets whom see when they are busy
busy_schema.py  free/busy as it is asked for and answered
turn.py         what makes two groups of writes of one person follow each other
sequence.py     the numbers of changes of events
change_queries.py  what changed among the events that somebody sees
exported.py     events as calendar programs read them
feed.py         private addresses that calendar programs subscribe to
session.py      sign-ins, each with its refresh token
access_token.py personal access tokens
one_time_token.py  tokens that are sent by mail
event_batches.py  many events of one person at once
import_job.py   imports that go on after their request was answered
import_schema.py  imports as they are answered
provider_login.py  signing in with a provider, while it is under way
mail.py         mails that are to be sent
audit.py        what happened to accounts
guard.py        documents that make groups of writes follow each other
tally.py        how often something happened that is limited
answer.py       the first answers to requests with an Idempotency-Key
"""

from beanie import Document

from models.access_token import AccessToken
from models.answer import Answer
from models.audit import Audit
from models.busy_share import BusyShare
from models.event import Event
from models.feed import Feed
from models.gone import Gone
from models.guard import Guard
from models.import_job import ImportChunk, ImportJob
from models.mail import Mail
from models.one_time_token import OneTimeToken
from models.provider_login import ProviderCode, ProviderLogin
from models.published import Published
from models.revision import Revision
from models.sequence import Sequence
from models.session import Session
from models.tally import Tally
from models.user import User

DOCUMENTS: tuple[type[Document], ...] = (
    User,
    Event,
    Published,
    Revision,
    Gone,
    BusyShare,
    Sequence,
    Session,
    AccessToken,
    Feed,
    OneTimeToken,
    ProviderLogin,
    ProviderCode,
    ImportJob,
    ImportChunk,
    Mail,
    Audit,
    Tally,
    Guard,
    Answer,
)

"""How many documents of each kind there are, and how much work waits."""

import asyncio
from collections.abc import Mapping

from database.documents import StoredDocument
from database.queries import Filter
from database.reads import count
from models.accounts.closed_account import ClosedAccount
from models.accounts.export_job import ExportJob
from models.accounts.session import Session
from models.accounts.user import User
from models.events.change_numbers import UNNUMBERED, EventChange
from models.events.event import Event
from models.events.revision import Revision
from models.files.feed import Feed
from models.files.import_job import ImportJob
from models.mail.queued_mail import QueuedMail

# Longer queues are not counted to their end: the number says enough.
MAX_COUNTED = 10_000


class Statistics:
    """Counts of what is stored."""

    async def count_waiting(self) -> Mapping[str, int]:
        """Return the length of each queue, at most `MAX_COUNTED`: mails, imports, and so on."""
        queues: dict[str, tuple[type[StoredDocument], Filter]] = {
            "mails": (QueuedMail, {}),
            "imports": (ImportJob, {ImportJob.status: {"$in": ["waiting", "running"]}}),
            "exports": (ExportJob, {ExportJob.due_at: {"$exists": True}}),
            "closed accounts": (ClosedAccount, {}),
            "changes": (EventChange, {EventChange.change_number: UNNUMBERED}),
        }
        lengths = await asyncio.gather(*(count(of, match, MAX_COUNTED) for of, match in queues.values()))
        waiting = dict(zip(queues, lengths, strict=True))
        # In full: it is the progress of the deletions.
        return waiting | {"events of closed accounts": await ClosedAccount.count_left_events()}

    async def count_stored(self) -> Mapping[str, int]:
        """Return how many accounts, events and so on there are; large numbers are the server's estimates."""
        counted: dict[str, tuple[type[StoredDocument], Filter]] = {
            "accounts": (User, {}),
            "accounts, verified": (User, {User.email_verified: True}),
            "accounts, disabled": (User, {User.disabled: True}),
            "accounts, administrators": (User, {User.role: "admin"}),
            "events": (Event, {}),
            "events, public": (Event, {Event.visibility: "public"}),
            "events, recurring": (Event, {Event.repeats: True}),
            "earlier revisions": (Revision, {}),
            "sessions": (Session, {}),
            "feeds": (Feed, {}),
        }
        numbers = await asyncio.gather(*(count(of, match) for of, match in counted.values()))
        return dict(zip(counted, numbers, strict=True))

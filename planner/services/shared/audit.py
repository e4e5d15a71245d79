"""The audit log of what happens to accounts."""

from datetime import timedelta

from database.commit import commit_atomically
from database.queries import Id, parse_id
from database.writes import Insert
from models.accounts.closed_account import list_closed_accounts
from models.shared.audit import AuditEntry, AuditQuery, AuditRead
from planner.clock import Clock
from planner.errors import Invalid
from planner.services.shared.client_info import ClientInfo
from planner.services.shared.pages import page_by_id, parse_id_cursor
from planner.services.shared.views import Page


class AuditLog:
    """Writes and reads the audit log, whose entries expire after `days` days."""

    def __init__(self, days: int, clock: Clock) -> None:
        self._lifetime = timedelta(days=days)
        self._clock = clock

    def entry_write(
        self,
        event: str,
        client: ClientInfo | None,
        account: Id | None,
        actor: Id | None = None,
        detail: str | None = None,
    ) -> Insert:
        """Return the write of an entry; commit it together with the writes that it is about."""
        now = self._clock.now()
        return Insert(
            AuditEntry(
                at=now,
                event=event,
                account=account,
                actor=actor,
                address=None if client is None else client.address,
                detail=detail,
                expires_at=now + self._lifetime,
            )
        )

    async def record(
        self,
        event: str,
        client: ClientInfo | None,
        account: Id | None,
        actor: Id | None = None,
        detail: str | None = None,
    ) -> None:
        """Write an entry about something that writes nothing else."""
        await commit_atomically([self.entry_write(event, client, account, actor, detail)])

    async def get_page(self, query: AuditQuery) -> Page:
        """Return a page of entries, the newest first; raises `Invalid` for a malformed account id or cursor."""
        account = None if query.account is None else parse_id(query.account)
        if query.account is not None and account is None:
            raise Invalid.field("/account", "must be an id: 24 hexadecimal digits")
        if account in list_closed_accounts():
            return Page([], None)
        found = await AuditEntry.find_newest(account, query.event, parse_id_cursor(query.cursor), query.limit)
        return page_by_id(found, render_entry)


def render_entry(entry: AuditEntry) -> bytes:
    """Return the JSON of an entry, without what is about closed accounts."""
    closed = list_closed_accounts()
    if closed and not {entry.account, entry.actor}.isdisjoint(closed):
        entry = entry.without_accounts(closed)
    return AuditRead.from_document(entry).to_json()

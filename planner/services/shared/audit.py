"""Noting what happens to accounts."""

from datetime import timedelta

from auth.principal import Principal
from database.commit import commit_atomically
from database.queries import Id, parse_id
from database.writes import Write
from models.shared.audit import Audit, AuditQuery
from models.shared.views import Page
from planner.clock import Clock
from planner.domain.cursors import ID_PATTERN, decode_cursor
from planner.errors import Invalid
from planner.services.shared.client_info import ClientInfo


class AuditLog:
    """Writes the audit, and reads it by page."""

    def __init__(self, days: int, clock: Clock) -> None:
        self._kept = timedelta(days=days)
        self._clock = clock

    def entry(
        self,
        event: str,
        client: ClientInfo | None,
        account: Id | None,
        actor: Id | None = None,
        detail: str | None = None,
    ) -> Write:
        """The write that notes something; for the group of writes that it is about."""
        address = None if client is None else client.address
        return Audit.entry(event, self._clock.now(), self._kept, account, actor, address, detail)

    async def note(
        self,
        event: str,
        client: ClientInfo | None,
        account: Id | None,
        actor: Id | None = None,
        detail: str | None = None,
    ) -> None:
        """Note something that no other write goes with."""
        await commit_atomically([self.entry(event, client, account, actor, detail)])

    async def listed(self, wanted: AuditQuery) -> Page:
        """A page of the audit, the newest first."""
        account = None if wanted.account is None else parse_id(wanted.account)
        if wanted.account is not None and account is None:
            raise Invalid.field("/account", "is not an id")
        after = decode_cursor(wanted.cursor, ID_PATTERN)
        return await Audit.listed(wanted, account, parse_id(after) if after else None)

    async def about(self, caller: Principal, most: int) -> list[bytes]:
        """The newest of what is noted about the caller."""
        return (await Audit.listed(AuditQuery.model_construct(limit=most, event=None), caller.id, None)).items

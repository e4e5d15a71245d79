"""What moderators and admins do: see accounts, change roles, disable, take events down."""

from auth.principal import Principal, Principals
from database.commit import commit_atomically
from database.queries import Id, Stored, parse_id
from database.writes import Require, Write
from models.accounts.account_requests import AccountPatch
from models.accounts.session import Session
from models.accounts.user import User, user_view
from models.events.event import Event
from models.events.event_view import EventView
from models.shared.guard import Guard
from models.shared.views import Page, View
from planner.clock import Clock
from planner.domain.cursors import ID_PATTERN, decode_cursor
from planner.errors import Conflict, Invalid, NotFound, Stale
from planner.services.shared.audit import AuditLog
from planner.services.shared.client_info import ClientInfo

CHANGED = "The event was changed by another request. Read it again."
LAST_ADMIN = "This is the last admin who can act: make another one first."
ACTING_ADMIN = {"role": "admin", "disabled": False}


def keep_an_admin(but: Id) -> list[Write]:
    """The writes that refuse a group unless an admin remains besides this account.

    The first one makes two such groups wait for each other: each would otherwise count the
    other's admin.
    """
    return [Guard.taking("admins"), Require(User, ACTING_ADMIN | {"_id": {"$ne": but}})]


class Administration:
    """The use cases of those who look after the planner."""

    def __init__(self, principals: Principals, audit: AuditLog, clock: Clock) -> None:
        self._principals = principals
        self._audit = audit
        self._clock = clock

    async def listed(self, cursor: str | None, limit: int) -> Page:
        """A page of all accounts."""
        after = decode_cursor(cursor, ID_PATTERN)
        return await User.listed(parse_id(after) if after else None, limit)

    async def see(self, id: str) -> View:
        """An account; raises `NotFound`."""
        return user_view(await self._stored(id))

    async def change(
        self, admin: Principal, id: str, patch: AccountPatch, revisions: frozenset[int] | None, client: ClientInfo
    ) -> View:
        """Change an account's role, or disable it, which ends its sessions.

        Raises `Conflict` for the last admin, and `Stale`.
        """
        changes = patch.model_dump(exclude_unset=True)
        for name, value in changes.items():
            if value is None:
                raise Invalid.field(f"/{name}", "cannot be cleared")
        user = await self._stored(id)
        if revisions is not None and user["revision"] not in revisions:
            raise Stale("The account was changed since you read it.")
        changes = {name: value for name, value in changes.items() if user[name] != value}
        if not changes:
            return user_view(user)
        after = user | changes
        writes: list[Write] = []
        loses_admin = user["role"] == "admin" and not user["disabled"]
        loses_admin = loses_admin and (after["role"] != "admin" or after["disabled"])
        if loses_admin:
            writes += keep_an_admin(user["_id"])
        same = {"role": user["role"], "disabled": user["disabled"]}
        writes.append(User.changing(user["_id"], self._clock.now(), same, **changes))
        for name, value in changes.items():
            writes.append(self._audit.entry(f"{name}-changed", client, user["_id"], admin.id, f"to {value}"))
        if after["disabled"]:
            writes.append(Session.ending_all(user["_id"]))
        if not await commit_atomically(writes):
            raise Conflict(LAST_ADMIN if loses_admin else "The account was changed by another request. Try again.")
        self._principals.forget_user(user["_id"])
        return await self.see(id)

    async def make_admin(self, email: str) -> Stored | None:
        """Make the account with this address an admin, for the operator; None when there is none."""
        user = await User.by_login(email)
        if user is None:
            return None
        note = self._audit.entry("role-changed", None, user["_id"], None, "to admin, by the operator")
        await commit_atomically([User.changing(user["_id"], self._clock.now(), role="admin", disabled=False), note])
        return user

    async def take_down(self, moderator: Principal, event: EventView, reason: str, client: ClientInfo) -> EventView:
        """Make a public event private until its creator and a moderator agree; its creator sees why.

        Raises `Conflict` for an event that is not public.
        """
        if event.visibility != "public":
            raise Conflict("Only a public event can be taken down.")
        now = self._clock.now()
        fields = {"visibility": "private", "takedown": {"reason": reason, "at": now}, "updated_at": now}
        note = self._audit.entry("event-taken-down", client, event.creator, moderator.id, event.id)
        return _current(await Event.change(event, fields, moderator.id, also=[note], act="taken-down", clear=()))

    async def restore(self, moderator: Principal, event: EventView, client: ClientInfo) -> EventView:
        """Let an event's creator make it public again."""
        if not event.taken_down:
            raise Conflict(CHANGED)
        fields = {"updated_at": self._clock.now()}
        note = self._audit.entry("event-restored", client, event.creator, moderator.id, event.id)
        return _current(
            await Event.change(event, fields, moderator.id, also=[note], act="takedown-lifted", clear=("takedown",))
        )

    async def _stored(self, id: str) -> Stored:
        known = parse_id(id)
        user = await User.stored(known) if known else None
        if user is None:
            raise NotFound
        return user


def _current(changed: EventView | None) -> EventView:
    if changed is None:
        raise Conflict(CHANGED)
    return changed

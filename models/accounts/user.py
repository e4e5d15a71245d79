"""Accounts, with every query and write on them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from database.commit import find_and_update
from database.documents import StoredDocument
from database.queries import Changes, Filter, Id, assign, clear, index, only, within, without
from database.reads import Loader, Slice, find_one, find_slice
from database.writes import Update
from models.shared.fields import fold, fold_email, fold_login
from models.shared.schema import Reply

Role = Literal["user", "moderator", "admin"]


class ProviderIdentity(TypedDict):
    """An account at an OpenID Connect provider, which is linked to one of ours."""

    issuer: str
    subject: str


class UserStatus(NamedTuple):
    """What decides whether an account may act."""

    role: Role
    disabled: bool


class User(StoredDocument):
    """An account, with the ids of the events it created embedded.

    `email_key` and `username_key` are the e-mail address and the username in the form in which they are compared.

    `events` is the set of the embedded ids in up to 256 small lists, each under the last two hexadecimal digits of
    its ids. Adding to a list costs the server time in proportion to its length, so that with a single list
    each new event would cost more than the one before; see docs/decisions/0003-embedded-event-ids.md.
    """

    email: str
    email_key: str
    username: str | None = None
    username_key: str | None = None
    full_name: str | None = None
    time_zone: str = "UTC"
    password: str | None = Field(None, description="The hash of the password; None without one.")
    role: Role = "user"
    email_verified: bool = False
    pending_email: str | None = Field(None, description="The address that replaces `email` when it is proved.")
    recoveries: int = Field(0, description="How often the account was recovered, which ends every grant.")
    disabled: bool = False
    events: dict[str, list[PydanticObjectId]] = Field(default_factory=dict)
    identities: list[ProviderIdentity] = Field(default_factory=list)
    signed_in_at: datetime | None = None
    write_lock: PydanticObjectId | None = Field(None, description="See `models/accounts/user_write_lock.py`.")
    revision: int = Field(1, ge=1)
    created_at: datetime
    updated_at: datetime

    _loader: ClassVar[Loader["User"]]

    class Settings:
        """The collection and its indexes; e-mail address and username are unique, regardless of letter case."""

        name = "users"
        indexes: ClassVar = [
            index("email_key", name="email_key", unique=True),
            # Not by its type: the server would then not use the index for a comparison.
            index(
                "username_key",
                name="username_key",
                unique=True,
                partialFilterExpression={"username_key": {"$exists": True}},
            ),
            index(
                *("identities.issuer", "identities.subject"),
                name="identities",
                unique=True,
                partialFilterExpression={"identities.subject": {"$exists": True}},
            ),
            index("role", "_id", name="role"),
            index("disabled", "_id", name="disabled", partialFilterExpression={"disabled": True}),
        ]

    @classmethod
    def new(
        cls,
        email: str,
        now: datetime,
        *,
        username: str | None = None,
        full_name: str | None = None,
        time_zone: str = "UTC",
        password: str | None = None,
        role: Role = "user",
        email_verified: bool = False,
        identities: Sequence[ProviderIdentity] = (),
    ) -> "User":
        """Return a new account that is not stored yet; `password` is a hash."""
        user = cls(
            email=email,
            email_key=fold_email(email),
            full_name=full_name,
            time_zone=time_zone,
            password=password,
            role=role,
            email_verified=email_verified,
            disabled=False,
            events={},
            identities=list(identities),
            revision=1,
            created_at=now,
            updated_at=now,
        )
        return user if username is None else user.with_stored(cls.username_changes(username))

    @property
    def login_keys(self) -> list[str]:
        """The names with which its owner signs in, in the form in which they are compared."""
        return [key for key in (self.email_key, self.username_key) if key is not None]

    @property
    def event_ids(self) -> list[Id]:
        """The ids of the events of the account, in the order in which the events were created."""
        return sorted(id for ids in self.events.values() for id in ids)

    @classmethod
    async def by_id(cls, id: Id) -> "User | None":
        """Return the account with this id, or None."""
        return await cls._loader.get(id)

    @classmethod
    async def by_login(cls, login: str) -> "User | None":
        """Return the account with this e-mail address or username, without the ids of its events, or None.

        With them, it would take longer to find an account that has many events.
        """
        key = fold_login(login)
        return await find_one(cls, {cls.email_key if "@" in key else cls.username_key: key}, without(cls.events))

    @classmethod
    async def find_password_hash(cls, pattern: str) -> str | None:
        """Return a stored password hash that matches a regular expression, or None; reads every account."""
        user = await find_one(cls, {cls.password: {"$regex": pattern}}, only(cls.password))
        return None if user is None else user.password

    @classmethod
    async def by_identity(cls, identity: ProviderIdentity) -> "User | None":
        """Return the account that this account at a provider is linked to, or None."""
        # The second condition makes the server use the partial index.
        match = {
            cls.identities: {"$elemMatch": identity},
            within(cls.identities, "subject"): identity["subject"],
        }
        return await find_one(cls, match)

    @classmethod
    async def find_status(cls, id: Id) -> UserStatus | None:
        """Return what decides whether the account may act; None if there is no such account."""
        user = await find_one(cls, {cls.id: id}, only(cls.role, cls.disabled))
        return None if user is None else UserStatus(user.role, user.disabled)

    @classmethod
    async def find_time_zone(cls, id: Id) -> str:
        """Return the time zone of the account; UTC if there is no such account."""
        user = await find_one(cls, {cls.id: id}, only(cls.time_zone))
        return "UTC" if user is None else user.time_zone

    @classmethod
    async def find_email(cls, id: Id) -> str | None:
        """Return the e-mail address of an account; None if there is no such account."""
        user = await find_one(cls, {cls.id: id}, only(cls.email))
        return None if user is None else user.email

    @classmethod
    async def is_active(cls, id: Id) -> bool:
        """Return whether there is such an account, and it is not disabled."""
        status = await cls.find_status(id)
        return status is not None and not status.disabled

    @classmethod
    async def find_oldest(
        cls,
        after: Id | None,
        limit: int,
        *,
        name: str | None = None,
        role: Role | None = None,
        disabled: bool | None = None,
    ) -> Slice["User"]:
        """Return the first accounts after the account `after`, the oldest first, without the ids of their events.

        Only those whose e-mail address or username begins with `name`, that have this `role`, that are `disabled` or
        not; None for any.
        """
        match: Filter = {}
        if name is not None:
            prefix = _begins_with(fold_login(name))
            match["$or"] = [{cls.email_key: prefix}, {cls.username_key: prefix}]
        if role is not None:
            match[cls.role] = role
        if disabled is not None:
            match[cls.disabled] = disabled
        return await find_slice(cls, match, after, limit, fields=without(cls.events))

    @classmethod
    async def improve_password_hash(cls, id: Id, old_hash: str, new_hash: str) -> None:
        """Store the same password under a better hash, unless the password was changed meanwhile. Atomic."""
        await find_and_update(cls, {cls.id: id, cls.password: old_hash}, {"$set": assign(cls.password, new_hash)})

    @classmethod
    def username_changes(cls, username: str) -> Changes:
        """Return the part of a `$set` that changes the username."""
        return assign(cls.username, username) | assign(cls.username_key, fold(username))

    @classmethod
    def email_changes(cls, email: str, *, verified: bool) -> Changes:
        """Return the part of a `$set` that changes the e-mail address."""
        return (
            assign(cls.email, email) | assign(cls.email_key, fold_email(email)) | assign(cls.email_verified, verified)
        )

    @classmethod
    def update_write(
        cls, id: Id, now: datetime, changes: Changes, *, match: Filter | None = None, cleared: Sequence[Any] = ()
    ) -> Update:
        """Return the write that sets and clears fields of an account; refused when the account does not `match`."""
        update = cls._counted(now, changes)
        if cleared:
            update["$unset"] = clear(*cleared)
        return Update(cls, {cls.id: id, **(match or {})}, update)

    @classmethod
    def sign_in_write(cls, id: Id, now: datetime) -> Update:
        """Return the write that belongs to every write of something that acts for an account.

        It is refused when the account is deleted or disabled, and conflicts with its deletion: no session or
        token can be created while its account is being deleted.
        """
        return Update(cls, {cls.id: id, cls.disabled: False}, {"$set": assign(cls.signed_in_at, now)})

    @classmethod
    def link_identity_write(cls, user: "User", identity: ProviderIdentity, now: datetime) -> Update:
        """Return the write that links an account at a provider to this account.

        It is refused when the e-mail address was changed since `user` was read, or is not verified any more.
        """
        match = {
            cls.id: user.id,
            cls.email_key: user.email_key,
            cls.email_verified: True,
            cls.disabled: False,
            cls.identities: {"$ne": identity},
        }
        return Update(cls, match, {"$push": {cls.identities: identity}, **cls._counted(now)})

    @classmethod
    def add_identity_write(cls, id: Id, identity: ProviderIdentity, now: datetime) -> Update:
        """Return the write that links an account at a provider to an account whose owner asked for it."""
        match: Filter = {cls.id: id, cls.disabled: False, cls.identities: {"$ne": identity}}
        return Update(cls, match, {"$push": {cls.identities: identity}, **cls._counted(now)})

    @classmethod
    def embed_event_write(cls, id: Id, event: Id, now: datetime) -> Update:
        """Return the write that adds the id of an event to its creator's account."""
        return cls.embed_events_write(id, [event], now)

    @classmethod
    def embed_events_write(cls, id: Id, events: Sequence[Id], now: datetime) -> Update:
        """Return the write that adds the ids of events to their creator's account."""
        buckets = event_ids_by_bucket(events)
        pushed = {within(cls.events, bucket): {"$each": ids} for bucket, ids in buckets.items()}
        return Update(cls, {cls.id: id}, {"$push": pushed, **cls._counted(now)})

    @classmethod
    def remove_event_write(cls, id: Id, event: Id, now: datetime) -> Update:
        """Return the write that removes the id of an event from its creator's account, if there is the account."""
        pulled = {within(cls.events, _bucket_of(event)): event}
        return Update(cls, {cls.id: id}, {"$pull": pulled, **cls._counted(now)}, required=False)

    @classmethod
    def _counted(cls, now: datetime, changes: Changes | None = None) -> Changes:
        """Return an update with these changes that counts the revision up."""
        return {"$set": (changes or {}) | assign(cls.updated_at, now), "$inc": {cls.revision: 1}}


User._loader = Loader(User)


def _begins_with(prefix: str) -> Filter:
    """Return the condition that a text begins with `prefix`, for which an index is used."""
    return {"$gte": prefix, "$lt": prefix + "\U0010ffff"}


def event_ids_by_bucket(events: Iterable[Id]) -> dict[str, list[Id]]:
    """Return the ids in the lists that they belong to, as `User.events` has them."""
    buckets: dict[str, list[Id]] = {}
    for event in events:
        buckets.setdefault(_bucket_of(event), []).append(event)
    return buckets


def _bucket_of(event: Id) -> str:
    # The last byte of an id is that of a counter, so that the ids spread evenly.
    return str(event)[-2:]


EXAMPLE: dict[str, Any] = {
    "id": "692000000000000000000000",
    "email": "ada@example.com",
    "pending_email": None,
    "username": "ada",
    "full_name": None,
    "time_zone": "Europe/London",
    "role": "user",
    "email_verified": False,
    "disabled": False,
    "created_at": "2026-11-21T09:00:00Z",
    "updated_at": "2026-11-21T09:00:00Z",
}


class UserRead(Reply):
    """An account."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    email: str
    pending_email: Annotated[
        str | None, Field(description="A new address, which replaces `email` when it is proved; null: none.")
    ]
    username: str | None
    full_name: str | None
    time_zone: Annotated[
        str,
        Field(
            description="An IANA time zone: that of times without one in imported files, and of the days of all-day "
            "events without one."
        ),
    ]
    role: Role
    email_verified: Annotated[bool, Field(description="Whether its owner has proved to receive e-mail there.")]
    disabled: Annotated[bool, Field(description="Whether an admin has disabled it: nobody can sign in.")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_document(cls, user: User) -> "UserRead":
        """Return the account as it is sent."""
        return cls(
            id=str(user.id),
            email=user.email,
            pending_email=user.pending_email,
            username=user.username,
            full_name=user.full_name,
            time_zone=user.time_zone,
            role=user.role,
            email_verified=user.email_verified,
            disabled=user.disabled,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


# An account may have created many more events than a client wants to receive with it.
MAX_EVENTS = 1000


class OwnUserRead(UserRead):
    """An account, as its owner sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"events": ["692000000000000000000001"]}]})

    events: Annotated[
        list[str],
        Field(
            description=f"The ids of the latest {MAX_EVENTS:,} events that this account created, the oldest first. "
            "The header `Link` names the list of all of them.",
        ),
    ]

    @classmethod
    def from_document(cls, user: User) -> "OwnUserRead":
        """Return the account as its owner sees it."""
        events = [str(id) for id in user.event_ids[-MAX_EVENTS:]]
        return cls(**dict(UserRead.from_document(user)), events=events)


class UserPage(Reply):
    """A page of accounts."""

    items: list[UserRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]

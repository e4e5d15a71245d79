"""The shard key that each collection would have (docs/decisions/0035-shards.md), and which commands hold it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

HASHED_ID = "_id"
# The first field of each key; None: the collection is small, and stays on one shard.
SHARD_KEYS: dict[str, str | None] = {
    "users": HASHED_ID,
    "closed_accounts": HASHED_ID,
    "export_jobs": "owner",
    "export_parts": "job",
    "events": "creator",
    "event_changes": "creator",
    "public_event_index": HASHED_ID,
    "revisions": "event",
    "tombstones": "owner",
    "busy_shares": "owner",
    "change_sequences": None,
    "sessions": HASHED_ID,
    "personal_tokens": "digest",
    "feeds": "digest",
    "one_time_tokens": HASHED_ID,
    "oidc_login_attempts": HASHED_ID,
    "authorization_codes": HASHED_ID,
    "import_jobs": "owner",
    "import_chunks": "job",
    "queued_mails": HASHED_ID,
    "audit": "account",
    "rate_limit_counters": HASHED_ID,
    "time_zone_versions": None,
    "guards": HASHED_ID,
    "heartbeats": None,
    "idempotent_responses": HASHED_ID,
}
# Unique indexes that do not begin with the key: what a shard knows is not all there is.
FOREIGN_UNIQUE_INDEXES = {("users", "email_key"), ("users", "username_key"), ("users", "identities")}


class Query(NamedTuple):
    """The collection and the fields of a filter, of which a command has one or several."""

    collection: str
    fields: str

    def __str__(self) -> str:
        return f"{self.collection}: {self.fields}"


class Filters(CommandListener):
    """Keeps the filters of all commands that read, change or delete documents."""

    def __init__(self) -> None:
        self.targeted: set[Query] = set()
        self.broadcast: set[Query] = set()

    def started(self, event: CommandStartedEvent) -> None:
        for collection, filter in read_filters(event.command_name, event.command):
            key = SHARD_KEYS.get(collection)
            if key is not None:
                query = Query(collection, ", ".join(sorted(name_fields(filter))))
                (self.targeted if holds_key(filter, key) else self.broadcast).add(query)

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


def read_filters(name: str, command: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the collection and the filter of a command, of each of its parts if it has several."""
    collection = command.get(name)
    if not isinstance(collection, str):
        return
    match name:
        case "find":
            yield collection, command.get("filter", {})
        case "count" | "findAndModify":
            yield collection, command.get("query", {})
        case "aggregate":
            yield collection, command["pipeline"][0].get("$match", {})
        case "update" | "delete":
            for part in command[f"{name}s"]:
                yield collection, part["q"]


def holds_key(filter: Mapping[str, Any], key: str) -> bool:
    """Return whether a filter says which values of a field it wants, so that the shards that have them are known."""
    if any(holds_key(part, key) for part in filter.get("$and", ())):
        return True
    if branches := filter.get("$or"):
        return all(holds_key(branch, key) for branch in branches)
    if key not in filter:
        return False
    value = filter[key]
    return not isinstance(value, Mapping) or bool(value.keys() & {"$eq", "$in"})


def name_fields(filter: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields of a filter, also of those within `$and` and `$or`."""
    found: set[str] = set()
    for name, value in filter.items():
        if name in ("$and", "$or"):
            found = found.union(*map(name_fields, value))
        else:
            found.add(name)
    return found

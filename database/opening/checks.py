"""What a server that responds must have: a version, rights for the user, room on its disk."""

from collections.abc import Mapping
from typing import Any

from pymongo.errors import OperationFailure

from database.drivers.choice import AsyncDatabase
from database.opening.failures import DISK_FULL, NO_PRIMARY, NOT_INITIATED, NOT_THE_PRIMARY, TOO_OLD, Failure

# The wire version of MongoDB 6.0.
OLDEST_WIRE_VERSION = 17
READING = frozenset({"find", "listCollections"})
WRITING = READING | {"insert", "update", "remove", "createCollection", "createIndex"}
LEAST_FREE_BYTES = 16 * 1024 * 1024


def check_hello(hello: Mapping[str, Any]) -> Failure | None:
    """Return why a server cannot be used, by its response to the command hello, or None if it is a primary."""
    if hello.get("maxWireVersion", OLDEST_WIRE_VERSION) < OLDEST_WIRE_VERSION:
        return TOO_OLD
    if hello.get("isWritablePrimary") or hello.get("msg") == "isdbgrid":
        return None
    if hello.get("isreplicaset"):
        return NOT_INITIATED
    return NOT_THE_PRIMARY if hello.get("secondary") and hello.get("primary") else NO_PRIMARY


async def check_rights(database: AsyncDatabase, needed: frozenset[str]) -> Failure | None:
    """Return which of the needed actions the user may not do in a database, or None; a server may have no users."""
    try:
        status = await database.client.admin.command("connectionStatus", showPrivileges=True)
    except OperationFailure:
        return None
    user = status["authInfo"]
    if not user.get("authenticatedUsers"):
        return None
    allowed = {
        action
        for privilege in user.get("authenticatedUserPrivileges", ())
        if _is_about(privilege["resource"], database.name)
        for action in privilege["actions"]
    }
    missing = sorted(needed - allowed)
    if not missing:
        return None
    role = "readWrite" if "insert" in needed else "read"
    return Failure(
        f"its user may not {', '.join(missing)} in the database {database.name}",
        f"give the user the role {role} on this database, such as with db.grantRolesToUser()",
    )


def _is_about(resource: Mapping[str, Any], name: str) -> bool:
    """Return whether a privilege is about collections of a database. Roles may also be given for single collections."""
    if resource.get("anyResource"):
        return True
    return resource.get("db") in ("", name) and not str(resource.get("collection")).startswith("system.")


async def check_disk(database: AsyncDatabase) -> Failure | None:
    """Return that the disk of the server is full, or None, also when it does not say."""
    # About a database that does not exist yet, a server says nothing of its disk.
    for asked in (database, database.client.admin):
        try:
            statistics = await asked.command("dbStats")
        except OperationFailure:
            continue
        if total := statistics.get("fsTotalSize"):
            return DISK_FULL if total - statistics["fsUsedSize"] < LEAST_FREE_BYTES else None
    return None

"""Numbered changes to stored data, run by a command (Beanie's migrations)."""

from pathlib import Path

import pymongo
from beanie.migrations.database import DBHandler
from beanie.migrations.models import RunningDirections, RunningMode
from beanie.migrations.runner import MigrationNode
from pymongo import ASCENDING

from database.connection import Database

FOLDER = Path(__file__).parent / "migrations"
LOG = "migrations_log"
# Beanie's name for the place before the first migration.
ROOT = "root"
MIGRATION_SECONDS = 24 * 3600.0


def names() -> list[str]:
    """Return the names of all migrations, in order."""
    return sorted(path.name for path in FOLDER.glob("m[0-9]*.py"))


async def pending(database: Database) -> list[str]:
    """Return the migrations that have not been run on this database; one without accounts needs none."""
    last_run = await _last_run(database)
    if last_run is None and not await database.handle["users"].find_one({}, {"_id": 1}, sort=[("_id", ASCENDING)]):
        return []
    return [name for name in names() if name > (last_run or "")]


async def unknown(database: Database) -> str | None:
    """Return the last migration that was run, when this version does not know it; else None."""
    last_run = await _last_run(database)
    return last_run if last_run and last_run not in names() else None


async def _last_run(database: Database) -> str | None:
    """Return the last migration that was run; empty when all were undone, None when none ever was."""
    current = await database.handle[LOG].find_one({"is_current": True})
    if current is None:
        return None
    return "" if current["name"] == ROOT else str(current["name"])


async def stamp_latest(database: Database) -> None:
    """Record that a new database is up to date, before its first account."""
    if await database.handle[LOG].find_one({}) is None:
        await database.handle[LOG].update_one(
            {"name": names()[-1]}, {"$set": {"is_current": True}, "$currentDate": {"ts": True}}, upsert=True
        )


async def migrate(database: Database, *, back: int = 0) -> list[str]:
    """Run every pending migration, or the last `back` ones in reverse; returns their names.

    A migration that fails is not recorded as done, and can be run again.
    """
    last_run = await _last_run(database)
    doing = [name for name in names() if name <= (last_run or "")][::-1][:back] if back else await pending(database)
    if not doing or back < 0:
        return []
    # Beanie keeps the database of its migrations on this class.
    DBHandler.client = database.handle.client  # type: ignore[attr-defined]
    DBHandler.database = database.handle  # type: ignore[attr-defined]
    node = await MigrationNode.build(FOLDER)
    direction = RunningDirections.BACKWARD if back else RunningDirections.FORWARD
    mode = RunningMode(direction=direction, distance=len(doing))
    # A migration of much data takes longer than any request may.
    with pymongo.timeout(MIGRATION_SECONDS):
        await node.run(mode, allow_index_dropping=False, use_transaction=False)
    return doing

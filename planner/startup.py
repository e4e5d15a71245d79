"""What is done once, before any process serves: the database is opened, checked and repaired."""

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from database.backup import find_unfinished_restore
from database.connection import Database, bind, check_database, open_database
from database.embedded.mongod import find_lack_of_room
from database.errors import DRIVER_ERROR, DatabaseUnavailable
from database.migrate import pending, stamp_latest, unknown
from database.opening.failures import explain_operation
from database.opening.index_builds import build_indexes
from models import DOCUMENTS
from models.events.embedded_ids import repair_embedded_ids
from planner.errors import ConfigurationError, Invalid, PlannerError
from planner.services.events.times_refresh import refresh_times
from planner.settings import Settings, pass_on_otel_variables
from planner.wiring import outbox_of

if TYPE_CHECKING:
    from planner.telemetry.tracing import Tracing

log = logging.getLogger("planner")

# What traces need beside what the planner needs always: the names under which it is imported.
TRACING_PACKAGES = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.pymongo",
)

# With less room than this, a disk is full for the folder of mails.
OUTBOX_BYTES = 1024 * 1024

OpenDatabase = Callable[[], Awaitable[Database]]


def explain_failure(error: Exception) -> str | None:
    """Return in one line why a command cannot go on and what to do, or None if only its traceback can tell."""
    if isinstance(error, Invalid):
        return "; ".join(f"{field.pointer.strip('/')} {field.message}" for field in error.errors)
    if isinstance(error, PlannerError | DatabaseUnavailable | RuntimeError):
        return str(error)
    if isinstance(error, DRIVER_ERROR):
        return explain_operation(error).describe("")
    if isinstance(error, OSError):
        about = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        return f"{about}; free some space on the disk." if error.errno == errno.ENOSPC else f"{about}."
    return None


def database_url_of(settings: Settings) -> str:
    """Return the URL of the database of the settings; raises `ConfigurationError` when they name none."""
    if settings.database_url is None:
        raise ConfigurationError("No DATABASE_URL, and no embedded server was started.")
    return settings.database_url.get_secret_value()


def database_opener(settings: Settings) -> OpenDatabase:
    """Return what opens the database of the settings; raises `ConfigurationError` when they name none."""
    url = database_url_of(settings)
    # Slow work never takes the threads of the rest: each lane has threads of its own.
    lanes = settings.search_slots + settings.occurrence_slots + settings.export_slots + settings.import_slots
    return lambda: open_database(url, threads=settings.database_threads + lanes)


def prepare_outbox(settings: Settings) -> None:
    """Create the folder for mails, if they are to be files; raises `ConfigurationError` when it cannot be written."""
    if settings.smtp_url is not None:
        return
    folder = outbox_of(settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _outbox_error(folder, error.strerror) from None
    check_outbox(settings)


def check_outbox(settings: Settings) -> None:
    """Raise `ConfigurationError` when mails are to be files, and cannot be written; changes nothing."""
    if settings.smtp_url is not None:
        return
    folder = outbox_of(settings)
    try:
        existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    except OSError as error:
        raise _outbox_error(folder, error.strerror) from None
    if not existing.is_dir():
        raise _outbox_error(folder, f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise _outbox_error(folder, f"{existing} is not writable")
    if shutil.disk_usage(existing).free < OUTBOX_BYTES:
        raise _outbox_error(folder, "its disk is full")


def _outbox_error(folder: Path, reason: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"Mails cannot be written to {folder}: {reason}. Set SMTP_URL to a mail server, or DATA_DIR to a folder that "
        "the planner may write to, on a disk with free space."
    )


def check_tracing(settings: Settings) -> None:
    """Raise `ConfigurationError` when traces are to be sent, and what they need is not installed."""
    if settings.otel_exporter_otlp_endpoint and not all(map(_is_installed, TRACING_PACKAGES)):
        raise ConfigurationError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages for traces are not installed. Install them with "
            "`.venv/bin/pip install --require-hashes -r requirements-tracing.txt`, or unset it."
        )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # A package around it is missing.
        return False


def start_tracing(settings: Settings) -> "Tracing | None":
    """Start the traces of this process if the settings want any; call it before the database is opened.

    Raises `ConfigurationError` when what they need is not installed.
    """
    if not settings.otel_exporter_otlp_endpoint:
        return None
    check_tracing(settings)
    pass_on_otel_variables()
    # Only now, because it may not be installed, and makes the start slower.
    from planner.telemetry.tracing import trace_to_collector

    return trace_to_collector()


async def open_checked_database(settings: Settings, *, wait: float | None = None, reads_only: bool = False) -> Database:
    """Open the database of the settings, and check what its user may do, its disk, and that it has no half of a backup.

    Raises `DatabaseUnavailable`, which says why and what to do: at once, or when it is still not there after `wait`
    seconds. Raises `ConfigurationError` when a restore into it was interrupted.
    """
    url = database_url_of(settings)
    database = await open_database(url, wait)
    try:
        await check_database(database, url, reads_only=reads_only)
        if interrupted := await find_unfinished_restore(database.handle):
            raise ConfigurationError(interrupted)
    except BaseException:
        await database.close()
        raise
    return database


class DatabaseState(NamedTuple):
    """Whether a database has transactions, and which migrations it needs."""

    transactions: bool
    waiting: list[str]


async def inspect_database(settings: Settings, *, wait: float | None = None, reads_only: bool = False) -> DatabaseState:
    """Return the state of the database; raises what `open_checked_database` raises, and changes nothing."""
    database = await open_checked_database(settings, wait=wait, reads_only=reads_only)
    try:
        return DatabaseState(database.transactions, await pending(database))
    finally:
        await database.close()


def check_room(settings: Settings) -> None:
    """Raise `ConfigurationError` when the disk has no room for the embedded database; changes nothing."""
    if settings.database_url is None and (lack := find_lack_of_room(settings.data_dir)):
        raise ConfigurationError(lack)


async def recover(settings: Settings, *, exclusive: bool, workers: int = 1) -> None:
    """Wait for the database, check its data, and repair what a crash has left.

    Nothing is repaired unless this process is the only one: another planner may be in the middle of
    its writes. Raises what `open_checked_database` raises, and `ConfigurationError` when the stored data
    needs a migration or is of a newer version, and when several `workers` are to share a server without
    transactions.
    """
    database = await open_checked_database(settings)
    try:
        if newer := await unknown(database):
            raise ConfigurationError(
                f"The stored data belongs to a newer version: its migration {newer} is not known to this one."
            )
        if waiting := await pending(database):
            raise ConfigurationError(
                f"The stored data needs {', '.join(waiting)}: run `python -m planner migrate` first."
            )
        await stamp_latest(database)
        if exclusive:
            await _repair(database, workers)
    finally:
        await database.close()


async def _repair(database: Database, workers: int) -> None:
    """Build missing indexes, and compute again what is outdated or, without transactions, what a crash has left."""
    if not database.transactions:
        _warn_of_missing_transactions(workers)
    # Here, so that an index that cannot be created is reported once, and not by each worker.
    await build_indexes(database, DOCUMENTS)
    await bind(database, DOCUMENTS)
    await refresh_times()
    if not database.transactions and (repaired := await repair_embedded_ids()):
        log.warning("repaired the embedded event ids of %d account(s)", repaired)


def _warn_of_missing_transactions(workers: int) -> None:
    """Log for what a server without transactions is; raises `ConfigurationError` when several workers share it."""
    if workers > 1:
        raise ConfigurationError(
            "This MongoDB server has no transactions, so --workers must be 1. Use a replica set for more."
        )
    log.warning(
        "this MongoDB server has no transactions, because it is not a replica set: it is for development, "
        "and a crash may lose parts of a write"
    )

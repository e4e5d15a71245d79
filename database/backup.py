"""Backups: everything in a database as of one moment, in one compressed file.

The file is gzip. In it are frames: a letter for the kind, the length of the content in four bytes, and the content. The
first frame is a header; then each collection has a frame with its name and frames with its documents, in BSON; the last
frame has their number. A file without its last frame is incomplete, and gzip finds every other damage.
"""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import bson
from bson.raw_bson import DEFAULT_RAW_BSON_OPTIONS
from pymongo import MongoClient, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure, PyMongoError

from database.connection import DEFAULT_NAME, hosts_of
from database.opening.failures import explain_operation

FORMAT = "planner backup 1"
# A compression that keeps up with the database; more of it makes the file hardly smaller.
COMPRESSION = 4
_MAX_FRAME_BYTES = 64 * 1024 * 1024
_HEADER, _COLLECTION, _DOCUMENTS, _END = b"H", b"C", b"D", b"E"
# While this collection has a document, a restore has not ended: see `find_unfinished_restore`.
_RESTORE_MARK = "unfinished_restore"
# The codes of MongoDB for a snapshot that is too old, and for a server that is no replica set.
_SNAPSHOT_TOO_OLD, _NO_SNAPSHOTS = (239, 246), (72, 123)

# Called with the name of a collection, and the number of its documents that have been done.
Progress = Callable[[str, int], None]


class BackupFailed(RuntimeError):
    """A backup that cannot be made or restored; the message says why, and what to do."""


class BackupSummary(NamedTuple):
    """What a backup contains: all writes that were acknowledged before `taken_at`; and the number of documents."""

    taken_at: datetime
    documents: int


@contextmanager
def _connect(url: str) -> Iterator[tuple[MongoClient[Any], str]]:
    """Yield a client, and the name of the database."""
    with MongoClient[Any](url, tz_aware=True, w="majority", socketTimeoutMS=60_000, appname="planner") as client:
        yield client, client.get_default_database(default=DEFAULT_NAME).name


def write_backup(url: str, path: Path, version: str, report: Progress) -> BackupSummary:
    """Write everything in the database of `url`, as of one moment, to a new file that only its owner can read.

    The planner may run meanwhile. Raises `BackupFailed`, also when a restore into the database was interrupted; then
    there is no file of this name.
    """
    if path.exists():
        raise BackupFailed(f"{path} exists already; a backup never replaces a file.")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with open(unfinished, "wb", opener=_private) as file:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION, filename="") as target:
                summary = _write_frames(url, cast("BinaryIO", target), version, report)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError as error:
        raise BackupFailed(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return summary


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_frames(url: str, target: BinaryIO, version: str, report: Progress) -> BackupSummary:
    documents = 0
    try:
        with _connect(url) as (client, name), client.start_session(snapshot=True) as session:
            database = client[name]
            taken_at = datetime.now(UTC)
            cluster_time = database.command("ping").get("operationTime")
            collections = _list_collections(database)
            if _RESTORE_MARK in collections:
                _refuse_unfinished_restore(database, session)
            header = {"format": FORMAT, "version": version, "taken_at": taken_at, "cluster_time": cluster_time}
            _write_frame(target, _HEADER, bson.encode(header))
            for collection in collections:
                _write_frame(target, _COLLECTION, collection.encode())
                done = 0
                batches = database[collection].find_raw_batches({}, batch_size=10_000, session=session)
                for batch in batches:
                    _write_frame(target, _DOCUMENTS, batch)
                    done += len(bson.decode_all(batch, DEFAULT_RAW_BSON_OPTIONS))
                    report(collection, done)
                documents += done
            _write_frame(target, _END, bson.encode({"documents": documents}))
    except PyMongoError as error:
        raise BackupFailed(_explain(error, url)) from error
    return BackupSummary(taken_at, documents)


def _list_collections(database: Any) -> list[str]:
    return sorted(name for name in database.list_collection_names() if not name.startswith("system."))


def _explain(error: PyMongoError, url: str) -> str:
    code = error.code if isinstance(error, OperationFailure) else None
    if code in _NO_SNAPSHOTS:
        return "A backup of one moment needs a replica set, and this server is none."
    if code in _SNAPSHOT_TOO_OLD:
        return (
            "The backup took longer than the server keeps a moment. Raise its parameter "
            "minSnapshotHistoryWindowInSeconds (300), and try again."
        )
    return explain_operation(error).describe(hosts_of(url))


def _write_frame(target: BinaryIO, kind: bytes, content: bytes) -> None:
    target.write(kind + len(content).to_bytes(4, "little"))
    target.write(content)


def read_frames(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the frames of a file, from its header to its end. Raises `BackupFailed` unless it is complete."""
    kind, documents = b"", 0
    try:
        with gzip.open(path, "rb") as source:
            while head := source.read(5):
                is_first, kind, size = not kind, head[:1], int.from_bytes(head[1:], "little")
                content = source.read(size) if len(head) == 5 and size <= _MAX_FRAME_BYTES else b""
                if len(content) < size or is_first is not (kind == _HEADER):
                    raise BackupFailed(f"{path} is not a backup of a planner.")
                documents += len(bson.decode_all(content, DEFAULT_RAW_BSON_OPTIONS)) if kind == _DOCUMENTS else 0
                if is_first and bson.decode(content).get("format") != FORMAT:
                    raise BackupFailed(f"{path} is a backup in a format that this version does not know.")
                if kind == _END and bson.decode(content)["documents"] != documents:
                    raise BackupFailed(f"{path} is damaged: documents are missing.")
                yield kind, content
    except (gzip.BadGzipFile, zlib.error, bson.errors.InvalidBSON):
        raise BackupFailed(f"{path} is not a backup of a planner, or is damaged.") from None
    except EOFError:
        raise BackupFailed(f"{path} is not complete.") from None
    except OSError as error:
        raise BackupFailed(f"{path} cannot be read: {error.strerror}.") from error
    if kind != _END:
        raise BackupFailed(f"{path} is not complete.")


def restore_backup(url: str, path: Path, report: Progress) -> BackupSummary:
    """Write the content of a file into an empty database.

    The whole file is read and checked first, so a damaged one writes nothing. Raises `BackupFailed`, also when the
    database is not empty. When the restore is interrupted, no command of the planner uses what is there.
    """
    for kind, content in read_frames(path):
        if (kind, content) == (_COLLECTION, _RESTORE_MARK.encode()):
            raise BackupFailed(f"{path} is not whole: the restore into the database that it is of was interrupted.")
    try:
        with _connect(url) as (client, name):
            database = client.get_database(name, write_concern=WriteConcern("majority"))
            _refuse_unfinished_restore(database)
            for collection in _list_collections(database):
                if database[collection].find_one({}, {"_id": 1}):
                    raise BackupFailed(
                        f"The database {name} is not empty: a backup is restored into an empty one only."
                    )
            database[_RESTORE_MARK].insert_one({"file": path.name})
            summary = _restore_frames(database, path, report)
            database[_RESTORE_MARK].drop()
            return summary
    except PyMongoError as error:
        raise BackupFailed(f"The database could not be written: {error}. Drop it before you try again.") from error


def _restore_frames(database: Any, path: Path, report: Progress) -> BackupSummary:
    header: dict[str, Any] = {}
    collection, done, documents = "", 0, 0
    for kind, content in read_frames(path):
        if kind == _HEADER:
            header = bson.decode(content, bson.CodecOptions(tz_aware=True))
        elif kind == _COLLECTION:
            collection, done = content.decode(), 0
        elif kind == _DOCUMENTS:
            batch = bson.decode_all(content, DEFAULT_RAW_BSON_OPTIONS)
            database[collection].insert_many(batch, ordered=False)
            done, documents = done + len(batch), documents + len(batch)
            report(collection, done)
    return BackupSummary(header["taken_at"], documents)


async def find_unfinished_restore(handle: Any) -> str | None:
    """Return that a restore into this database has not ended, and what to do, or None."""
    return _explain_mark(await handle[_RESTORE_MARK].find_one({}))


def _refuse_unfinished_restore(database: Any, session: ClientSession | None = None) -> None:
    if (sentence := _explain_mark(database[_RESTORE_MARK].find_one({}, session=session))) is not None:
        raise BackupFailed(sentence)


def _explain_mark(mark: Mapping[str, Any] | None) -> str | None:
    if mark is None:
        return None
    return (
        f"The restore of {mark['file']} into this database has not ended. "
        "If it was interrupted, drop the database, and restore again."
    )

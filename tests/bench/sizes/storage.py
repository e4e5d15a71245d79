"""`python -m tests.bench.sizes.storage [--events 50000]`: bytes of the stored events and of their indexes.

Every event is public, so it has a searchable copy. For each collection it prints, per document: bytes in BSON, bytes on
disk, bytes of indexes on disk; and the largest indexes.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from database.embedded.server import EmbeddedMongo
from models import DOCUMENTS
from tests.bench.sizes.seeding import seed_events
from tests.support.stored_documents import indexes_of, name_of

COLLECTIONS = ("events", "public_event_index", "event_changes")
NAME = "storage"


def main() -> None:
    """Store events, and print how much room they take."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=50_000)
    number = parser.parse_args().events
    folder = Path(tempfile.mkdtemp(prefix="planner-storage-"))
    try:
        with EmbeddedMongo(folder) as mongo, MongoClient[dict[str, Any]](mongo.url) as client:
            for document in DOCUMENTS:
                if name_of(document) in COLLECTIONS:
                    client[NAME][name_of(document)].create_indexes(indexes_of(document))
            seed_events(mongo.url, NAME, number)
            client.admin.command("fsync")  # A checkpoint: before it, files have not their sizes.
            for name in COLLECTIONS:
                _print_sizes(name, client[NAME].command("collStats", name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _print_sizes(name: str, stats: dict[str, Any]) -> None:
    count = stats["count"]
    sizes = (stats["avgObjSize"], stats["storageSize"] / count, stats["totalIndexSize"] / count)
    print(
        f"{name:20} {count:9,} documents: {sizes[0]:5.0f} bytes each, {sizes[1]:5.0f} on disk, {sizes[2]:5.0f} indexes"
    )
    largest = sorted(stats["indexSizes"].items(), key=lambda index: -index[1])[:4]
    print("   ", ", ".join(f"{index} {size / count:.0f}" for index, size in largest))


if __name__ == "__main__":
    main()

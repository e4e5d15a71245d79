"""Aggregation pipelines: what a filter alone cannot ask for."""

from typing import Any

from bson.raw_bson import DEFAULT_RAW_BSON_OPTIONS
from pymongo import MongoClient

from database.connection import Operation, bound_database, collection_name
from database.documents import StoredDocument
from database.queries import Pipeline


async def aggregate(document: type[StoredDocument], pipeline: Pipeline, *, use_index: str | None = None) -> list[bytes]:
    """Return the documents that a pipeline yields, in order, as bytes.

    The first stage is executed with the index of this name; without one, the server chooses.
    """
    database, name = bound_database(), collection_name(document)
    options: dict[str, Any] = {} if use_index is None else {"hint": use_index}

    def run(client: MongoClient[Any]) -> list[bytes]:
        collection = client[database.name].get_collection(name, codec_options=DEFAULT_RAW_BSON_OPTIONS)
        # A large document is a view of the whole reply of the server, which would stay in memory with it.
        return [bytes(row.raw) for row in collection.aggregate(pipeline, **options)]

    return await database.run_in_thread(Operation("aggregate", name, pipeline[0].get("$match")), run)

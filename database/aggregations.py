"""Aggregation pipelines: what a filter alone cannot ask for."""

from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from database.connection import Operation, bound_database, collection_name
from database.documents import StoredDocument
from database.queries import Pipeline

_RAW = CodecOptions(document_class=RawBSONDocument)


async def aggregate(document: type[StoredDocument], pipeline: Pipeline, *, use_index: str | None = None) -> list[bytes]:
    """Return the documents that a pipeline yields, in order, as bytes.

    The first stage is executed with the index of this name; without one, the server chooses.
    """
    database, name = bound_database(), collection_name(document)
    options: dict[str, Any] = {} if use_index is None else {"hint": use_index}

    def run(client: MongoClient[Any]) -> list[bytes]:
        found = client[database.name].get_collection(name, codec_options=_RAW).aggregate(pipeline, **options)
        return [row.raw for row in found]

    return await database.run_in_thread(Operation("aggregate", name, pipeline[0].get("$match")), run)


def decode_outer(raw: bytes) -> dict[str, Any]:
    """Return the fields of a document; documents inside it stay bytes."""
    outer: RawBSONDocument = bson.decode(raw, codec_options=_RAW)
    return {name: value.raw if isinstance(value, RawBSONDocument) else value for name, value in outer.items()}

"""Aggregations: what a query alone cannot ask for."""

from collections.abc import Sequence
from typing import Any

import bson
from beanie import Document
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from database.connection import bound, collection
from database.queries import Stored

_RAW = CodecOptions(document_class=RawBSONDocument)


async def aggregate(document: type[Document], stages: Sequence[Stored]) -> list[bytes]:
    """The documents that come out of the stages, in order."""
    database, name = bound(), collection(document)

    def work(client: MongoClient[Any]) -> list[bytes]:
        found = client[database.name].get_collection(name, codec_options=_RAW).aggregate(list(stages))
        return [row.raw for row in found]

    return await database.run_in_thread(work)


def opened(raw: bytes) -> Stored:
    """The fields of a document; documents inside it stay the bytes that the server sent."""
    return {name: value.raw if isinstance(value, RawBSONDocument) else value for name, value in _decoded(raw).items()}


def _decoded(raw: bytes) -> RawBSONDocument:
    return bson.decode(raw, codec_options=_RAW)

"""PyMongo's own asynchronous client, which Beanie 2 needs."""

from collections.abc import Sequence
from typing import Any

from beanie import Document
from pymongo import AsyncMongoClient, MongoClient

from database.drivers.choice import AsyncCollection, Clients


class PyMongoDriver:
    """See `database/drivers/choice.py` (`Driver`)."""

    def connect(self, url: str, **options: Any) -> Clients:
        """Return the clients; the blocking one has connections of its own."""
        asynchronous: Any = AsyncMongoClient(url, **options)
        return Clients(asynchronous, MongoClient(url, **options), asynchronous)

    async def close(self, clients: Clients) -> None:
        """Close the connections."""
        client: Any = clients.asynchronous
        await client.close()
        clients.blocking.close()

    async def aggregate(
        self, target: AsyncCollection, pipeline: Sequence[dict[str, Any]], **options: Any
    ) -> list[dict[str, Any]]:
        """Return the documents that a pipeline yields."""
        collection: Any = target
        found: list[dict[str, Any]] = await (await collection.aggregate(pipeline, **options)).to_list(None)
        return found

    def collection_of(self, document: type[Document]) -> AsyncCollection:
        """Return the collection of a document class."""
        bound: Any = document
        collection: AsyncCollection = bound.get_pymongo_collection()
        return collection

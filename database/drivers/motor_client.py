"""Motor: the blocking driver behind a pool of threads. It is maintained until May 2027."""

from collections.abc import Sequence
from typing import Any

from beanie import Document
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from database.drivers.choice import AsyncCollection, Clients


class MotorDriver:
    """See `database/drivers/choice.py` (`Driver`)."""

    def connect(self, url: str, **options: Any) -> Clients:
        """Return the clients; Motor and the blocking driver share their connections."""
        client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(url, **options)
        return Clients(client, client.delegate, AsyncMongoClient(url, **options))

    async def close(self, clients: Clients) -> None:
        """Close the connections."""
        clients.asynchronous.close()
        await clients.finding.close()

    async def aggregate(
        self, target: AsyncCollection, pipeline: Sequence[dict[str, Any]], **options: Any
    ) -> list[dict[str, Any]]:
        """Return the documents that a pipeline yields."""
        return await target.aggregate(pipeline, **options).to_list(None)

    def collection_of(self, document: type[Document]) -> AsyncCollection:
        """Return the collection of a document class."""
        return document.get_motor_collection()

"""Choosing the asynchronous driver. What differs between the two is behind `driver`, and nowhere else."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from beanie import Document
from pymongo import AsyncMongoClient, MongoClient

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase

    # To the type checker it is always Motor; the methods that we use have the same arguments in both drivers.
    AsyncClient = AsyncIOMotorClient[Any]
    AsyncDatabase = AsyncIOMotorDatabase[Any]
    AsyncCollection = AsyncIOMotorCollection[Any]
else:
    AsyncClient = AsyncDatabase = AsyncCollection = Any


class Clients(NamedTuple):
    """Clients of the same server: of the asynchronous driver, of the blocking one, and one for `find_command.py`."""

    asynchronous: AsyncClient
    blocking: MongoClient[Any]
    finding: AsyncMongoClient[Any]


class Driver(Protocol):
    """What differs between the asynchronous drivers."""

    def connect(self, url: str, **options: Any) -> Clients:
        """Return clients of a server, which are not connected yet; `options` as `MongoClient` knows them."""

    async def close(self, clients: Clients) -> None:
        """Close every connection of the clients."""

    async def aggregate(
        self, target: AsyncCollection, pipeline: Sequence[dict[str, Any]], **options: Any
    ) -> list[dict[str, Any]]:
        """Return the documents that a pipeline yields."""

    def collection_of(self, document: type[Document]) -> AsyncCollection:
        """Return the collection of a document class that Beanie has bound to a database."""


def _choose() -> Driver:
    """Return Motor where it is installed, as with Beanie 1; it cannot be used with Beanie 2."""
    if find_spec("motor") is not None:
        from database.drivers.motor_client import MotorDriver

        return MotorDriver()
    from database.drivers.pymongo_client import PyMongoDriver

    return PyMongoDriver()


driver = _choose()

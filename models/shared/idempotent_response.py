"""The first responses to requests that carried an Idempotency-Key."""

from datetime import datetime, timedelta
from typing import ClassVar

from beanie import PydanticObjectId
from pydantic import Field

from database.documents import StoredDocument
from database.queries import Id, index
from database.reads import find_one
from database.writes import Delete

LIFETIME = timedelta(hours=24)


class IdempotentResponse(StoredDocument):
    """A response, stored for 24 hours under who asked, what for, and with which key.

    `fingerprint` tells whether a later request with the key has the same body. Neither it nor the
    id reveals what was sent. `resource` is the id of what was created, `body` the JSON.
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    fingerprint: str
    body: bytes
    resource: str
    owner: PydanticObjectId | None = None
    revision: int
    created_at: datetime

    class Settings:
        """Where responses are stored; the server itself deletes them when they expire."""

        name = "idempotent_responses"
        indexes: ClassVar = [
            index("created_at", name="expired", expireAfterSeconds=int(LIFETIME.total_seconds())),
            index("owner", name="owner", partialFilterExpression={"owner": {"$exists": True}}),
        ]

    @classmethod
    async def by_id(cls, id: str) -> "IdempotentResponse | None":
        """Return the response that is stored under this id, or None."""
        return await find_one(cls, {cls.id: id})

    @classmethod
    def delete_all_write(cls, owner: Id) -> Delete:
        """Return the write that deletes every response to a user."""
        return Delete(cls, {cls.owner: owner}, many=True)

"""The first answers to requests that carried an Idempotency-Key."""

from datetime import datetime, timedelta
from typing import ClassVar

from beanie import Document, PydanticObjectId
from pydantic import Field

from database.queries import index

KEPT = timedelta(hours=24)


class IdempotentResponse(Document):
    """An answer, kept for 24 hours under who asked, what for, and with which key.

    `fingerprint` tells whether a later request with the key is the same one. Neither it
    nor the id can be turned back into what was sent.
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    fingerprint: str
    json_: bytes = Field(alias="json")
    thing: str
    owner: PydanticObjectId | None = None
    revision: int
    created_at: datetime

    class Settings:
        """Where answers are stored; the server itself removes them when their time is over."""

        name = "answers"
        indexes: ClassVar = [
            index("created_at", name="kept", expireAfterSeconds=int(KEPT.total_seconds())),
            index("owner", name="owner", partialFilterExpression={"owner": {"$exists": True}}),
        ]

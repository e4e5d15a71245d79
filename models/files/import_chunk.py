"""The file of an import that runs in the background, in parts."""

from datetime import datetime
from typing import ClassVar

from beanie import PydanticObjectId

from database.commit import commit_atomically
from database.documents import StoredDocument
from database.queries import Id, index
from database.reads import find_one
from database.writes import Delete, Insert

# The server does not accept a document of more than 16 MiB.
CHUNK_BYTES = 4 * 1024 * 1024


class ImportChunk(StoredDocument):
    """A part of the file of an import job; `number` counts the parts from 0."""

    job: PydanticObjectId
    owner: PydanticObjectId
    number: int
    data: bytes
    expires_at: datetime

    class Settings:
        """The collection and its indexes; the server deletes expired chunks."""

        name = "import_chunks"
        indexes: ClassVar = [
            index("job", "number", name="job_number", unique=True),
            index("owner", name="owner"),
            index("expires_at", name="expired", expireAfterSeconds=0),
        ]

    @classmethod
    async def store_file(cls, job: Id, owner: Id, content: bytes, expires_at: datetime) -> None:
        """Store the file of a job that will be created. Each chunk is committed for itself."""
        for number, start in enumerate(range(0, len(content), CHUNK_BYTES)):
            data = content[start : start + CHUNK_BYTES]
            chunk = cls(job=job, owner=owner, number=number, data=data, expires_at=expires_at)
            await commit_atomically([Insert(chunk)])

    @classmethod
    async def read_file(cls, job: Id) -> bytes:
        """Return the file of a job. It is read chunk by chunk, so that other requests are served in between."""
        parts: list[bytes] = []
        while (chunk := await find_one(cls, {cls.job: job, cls.number: len(parts)})) is not None:
            parts.append(chunk.data)
        return b"".join(parts)

    @classmethod
    def delete_file_write(cls, job: Id) -> Delete:
        """Return the write that deletes the file of a job."""
        return Delete(cls, {cls.job: job}, many=True)

    @classmethod
    def delete_all_write(cls, owner: Id) -> Delete:
        """Return the write that deletes every file of a user."""
        return Delete(cls, {cls.owner: owner}, many=True)

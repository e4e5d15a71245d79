"""The file of an import that runs in the background, in parts."""

from datetime import datetime
from typing import ClassVar

from database.commit import commit_atomically
from database.queries import Id
from database.writes import Insert
from models.shared.file_part import FILE_PART_INDEXES, FilePart

# The server does not accept a document of more than 16 MiB.
CHUNK_BYTES = 4 * 1024 * 1024


class ImportChunk(FilePart):
    """A part of the file of an import job."""

    class Settings:
        """The collection and its indexes."""

        name = "import_chunks"
        indexes: ClassVar = list(FILE_PART_INDEXES)

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
        while (data := await cls.find_data(job, len(parts))) is not None:
            parts.append(data)
        return b"".join(parts)

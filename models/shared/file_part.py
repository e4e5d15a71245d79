"""Files of jobs, which are stored in parts."""

from datetime import datetime

from beanie import PydanticObjectId

from database.documents import StoredDocument
from database.queries import Id, index
from database.reads import find_one
from database.writes import Delete

# The indexes of each collection of parts; the server deletes expired parts.
FILE_PART_INDEXES = (
    index("job", "number", name="job_number", unique=True),
    index("owner", name="owner"),
    index("expires_at", name="expired", expireAfterSeconds=0),
)


class FilePart(StoredDocument):
    """A part of the file of a job; `number` counts the parts from 0."""

    job: PydanticObjectId
    owner: PydanticObjectId
    number: int
    data: bytes
    expires_at: datetime

    @classmethod
    async def find_data(cls, job: Id, number: int) -> bytes | None:
        """Return the data of a part, or None."""
        part = await find_one(cls, {cls.job: job, cls.number: number})
        return None if part is None else part.data

    @classmethod
    def delete_file_write(cls, job: Id) -> Delete:
        """Return the write that deletes the file of a job."""
        return Delete(cls, {cls.job: job}, many=True)

    @classmethod
    def delete_all_write(cls, owner: Id, *, except_job: Id | None = None) -> Delete:
        """Return the write that deletes every file of a user, except that of one job if it is given."""
        others = {} if except_job is None else {cls.job: {"$ne": except_job}}
        return Delete(cls, {cls.owner: owner} | others, many=True)

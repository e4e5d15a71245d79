"""The optimistic lock that makes dependent writes of one user follow each other.

Whoever reads something, decides by it and then writes, replaces the user's lock in the same group
of writes. Of two that read the same lock one is refused, and reads again what the other wrote.
"""

from typing import NamedTuple

from database.queries import Id, assign, new_id, only
from database.reads import find_one
from database.writes import Update
from models.accounts.user import User


class UserWriteLock(NamedTuple):
    """The lock of a user as it was read, and the one that is to replace it.

    It is stored in the user's own document: there is nothing to create or delete, and a user who is
    deleted has none.
    """

    user: Id
    current: Id | None
    replacement: Id

    @classmethod
    async def of(cls, user: Id) -> "UserWriteLock | None":
        """Return the lock of a user; None when there is no such user."""
        found = await find_one(User, {User.id: user}, only(User.write_lock))
        return None if found is None else cls(user, found.write_lock, new_id())

    def replace(self) -> Update:
        """Return the write that replaces the lock, refused when another one has been there; put it first."""
        # A filter on null also matches a field that is not stored.
        return Update(
            User,
            {User.id: self.user, User.write_lock: self.current},
            {"$set": assign(User.write_lock, self.replacement)},
        )

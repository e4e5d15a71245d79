"""The optimistic lock that serialises dependent writes of one user.

Whoever reads something, decides by it and then writes, replaces the user's lock in the same group of
writes. Of two that have read the same lock, one is refused, and has to read what the other one wrote.
"""

from typing import NamedTuple

from database.queries import Id, assign, new_id, only
from database.reads import find_one
from database.writes import Update
from models.accounts.user import User


class UserWriteLock(NamedTuple):
    """The lock of a user as it was read, and the one that is to replace it.

    It is a field of the account: there is nothing to create or delete.
    """

    user: Id
    current: Id | None
    replacement: Id

    @classmethod
    async def by_user(cls, user: Id) -> "UserWriteLock | None":
        """Return the lock of a user; None when there is no such user."""
        found = await find_one(User, {User.id: user}, only(User.write_lock))
        return None if found is None else cls(user, found.write_lock, new_id())

    def replace_write(self) -> Update:
        """Return the write that replaces the lock; refused when another one has replaced it. Put it first."""
        # A filter on null also matches a field that is not stored.
        return Update(
            User,
            {User.id: self.user, User.write_lock: self.current},
            {"$set": assign(User.write_lock, self.replacement)},
        )

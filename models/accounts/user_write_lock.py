"""Turns: what makes two groups of writes of one person follow each other.

Whoever reads something, decides by it and then writes, takes the person's next turn in the same
group of writes. Of two who go on from the same turn one is refused, and reads again what the
other wrote.
"""

from datetime import datetime
from typing import NamedTuple

from database.commit import change
from database.connection import bound
from database.queries import Id, Stored, new_id
from database.reads import decode, page
from database.writes import Update
from models.accounts.user import User


class UserWriteLock(NamedTuple):
    """Whose turn it is to be, what it is known by, and the `last` one before it.

    The last one is kept in the person's own document: there is nothing to make first and nothing
    to remove, and a person who is gone has no turn. `since` says that somebody is in the middle
    of the last one. On a replica set nobody ever sees that, for the group is a transaction;
    elsewhere it stands until `over`.
    """

    owner: Id
    id: Id
    last: Id | None = None
    since: datetime | None = None

    @classmethod
    async def of(cls, owner: Id) -> "UserWriteLock | None":
        """The next turn of a person; None when there is no such person."""
        found = await page(User, {"_id": owner}, None, 1, {"turn": 1})
        if not found:
            return None
        last = decode(found[0]).get("turn") or {}
        return cls(owner, new_id(), last.get("id"), last.get("since"))

    def taking(self, now: datetime) -> Update:
        """The write that takes this turn, refused when another was taken meanwhile; put it first in its group."""
        # What is not there is found by a comparison with null.
        match = {"_id": self.owner, "turn.id": self.last, "turn.since": self.since}
        turn: Stored = {"id": self.id} if bound().transactions else {"id": self.id, "since": now}
        return Update(User, match, {"$set": {"turn": turn}})

    async def over(self) -> None:
        """Say that the group which took this turn is done, or was refused."""
        if not bound().transactions:
            await change(User, {"_id": self.owner, "turn.id": self.id}, {"$unset": {"turn.since": ""}})

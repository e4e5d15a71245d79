"""Who a token stands for, known without reading the database for every request."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from database.queries import Id, as_id
from models.user import Role, User
from planner.errors import InvalidToken

# An account that is gone or disabled must be noticed within two seconds. What is known
# is older than this by at most the time the read itself takes.
KNOWN_SECONDS = 1.5
REMEMBERED = 50_000


class Identity(NamedTuple):
    """Who is calling."""

    id: Id
    role: Role


class Identities:
    """Knows accounts for a moment after reading them; one read serves all who ask meanwhile."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known: dict[str, tuple[Identity, float]] = {}
        self._reading: dict[str, asyncio.Task[Identity]] = {}

    async def of(self, subject: str) -> Identity:
        """The account a token names; raises `InvalidToken` when it is gone or disabled."""
        known = self._known.get(subject)
        if known is not None and self._monotonic() < known[1]:
            return known[0]
        task = self._reading.get(subject)
        if task is None:
            task = self._reading[subject] = asyncio.create_task(self._read(subject))
            task.add_done_callback(lambda _: self._reading.pop(subject, None))
        # Shielded: a caller who hangs up must not cancel it for those who wait along.
        return await asyncio.shield(task)

    def forget(self, subject: str) -> None:
        """Read the account anew the next time it is asked for; for changes made in this process."""
        self._known.pop(subject, None)

    async def _read(self, subject: str) -> Identity:
        # Counted from before the read: what it finds may change the moment after.
        until = self._monotonic() + KNOWN_SECONDS
        self._known.pop(subject, None)
        id = as_id(subject)
        standing = await User.standing(id) if id else None
        if id is None or standing is None or standing["disabled"]:
            raise InvalidToken("The account of this access token is gone or disabled.")
        identity = Identity(id, standing["role"])
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[subject] = (identity, until)
        return identity

"""What the profiler of the server says that each command has read, and which commands read too much."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pymongo.database import Database

from models.events.event import Event
from models.events.event_search import MAX_CANDIDATES
from tests.routes.all_routes.plans.others import COPIES

# For what it returns, a query may read so many times as many entries of an index, and documents; and so many besides,
# because each branch of a query reads one entry too many.
MULTIPLE, BESIDES = 3, 60
PROFILE_BYTES = 64 * 1024 * 1024


class Executed(NamedTuple):
    """A command that was executed: its shape, its plan, and how much it read and returned."""

    command: dict[str, Any]
    collection: str
    plan: str
    keys: int
    documents: int
    returned: int

    @property
    def allowed(self) -> int:
        """How many index entries, and how many documents, the command may read."""
        text = str(self.command)
        if "$facet" in text:
            # A search by words returns a document for each of its parts, with what it has ranked.
            return MAX_CANDIDATES + BESIDES
        if "email_key" in text and "$gte" in text:
            # The accounts whose address or username begins so are sorted by their ids; the copies all begin alike.
            return COPIES
        if cells := text.count(f"'{Event.cells}': {{'$in'"):
            # Each branch of the query reads an entry of each cell that covers the circle.
            return MULTIPLE * self.returned + cells * BESIDES
        return MULTIPLE * self.returned + BESIDES

    @property
    def fault(self) -> str | None:
        """What is wrong with the command, or None."""
        what = f"{self.command} read {self.keys} keys and {self.documents} documents for {self.returned}: {self.plan}"
        if "COLLSCAN" in self.plan and self.documents > self.returned + 1:
            return f"{what}: no index was used"
        return f"{what}: at most {self.allowed} are allowed" if max(self.keys, self.documents) > self.allowed else None


@contextmanager
def profiled(database: Database[Any]) -> Iterator[list[Executed]]:
    """Yield a list that has, after the block, the commands that the server has executed in it."""
    database.drop_collection("system.profile")
    database.create_collection("system.profile", capped=True, size=PROFILE_BYTES)
    found: list[Executed] = []
    database.command("profile", 2)
    try:
        yield found
    finally:
        database.command("profile", 0)
    found += filter(None, map(_describe, database["system.profile"].find()))


def _describe(noted: dict[str, Any]) -> Executed | None:
    collection = noted["ns"].partition(".")[2]
    if collection.startswith(("system.", "$cmd")) or "docsExamined" not in noted:
        return None
    changed = sum(noted.get(name, 0) for name in ("nMatched", "ndeleted", "nUpserted"))
    command = noted.get("originatingCommand") or noted.get("command", {})
    return Executed(
        {name: value for name, value in command.items() if name not in ("lsid", "$clusterTime", "$db", "txnNumber")},
        collection,
        str(noted.get("planSummary", "")),
        noted.get("keysExamined", 0),
        noted["docsExamined"],
        noted.get("nreturned", 0) + changed,
    )

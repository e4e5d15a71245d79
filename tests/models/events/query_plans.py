"""The plan that the database server has for a query."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pymongo.database import Database

from database.queries import Filter


class Query(NamedTuple):
    """A query; a limit of 0 is none."""

    collection: str
    match: Filter
    order: list[tuple[str, int]] | None = None
    limit: int = 0


class Plan(NamedTuple):
    """The stages of a query, and how much was read for it."""

    names: set[str]
    returned: int
    keys: int
    documents: int

    @property
    def uses_index(self) -> bool:
        """Whether nothing was scanned that an index does not point at, and nothing sorted."""
        found = self.names & {"IXSCAN", "IDHACK", "EXPRESS_IXSCAN", "EXPRESS_IDHACK"}
        return bool(found) and not self.names & {"COLLSCAN", "SORT"}


def explain(database: Database[Any], asked: Query) -> Plan:
    """Return the plan of the server for a query, which runs for that."""
    command: dict[str, Any] = {"find": asked.collection, "filter": asked.match, "limit": asked.limit}
    if asked.order:
        command["sort"] = dict(asked.order)
    plan = database.command("explain", command, verbosity="executionStats")
    stats = plan["executionStats"]
    names = set(_stages(plan["queryPlanner"]["winningPlan"]))
    return Plan(names, stats["nReturned"], stats["totalKeysExamined"], stats["totalDocsExamined"])


def _stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for part in plan.values():
            yield from _stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from _stages(part)

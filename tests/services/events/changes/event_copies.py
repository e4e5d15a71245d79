"""A client that keeps a copy of the events that it sees by requesting what changed."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.support.clients import Person, ok


@dataclass
class EventCopy:
    """A copy of what one person sees with this query, such as `scope=all&tag=books`; `known` is by id."""

    person: Person
    query: str = ""
    limit: int = 50
    token: str | None = None
    known: dict[str, Any] = field(default_factory=dict)

    async def fetch_page(self) -> int:
        """Request one page of changes, and return how many there were."""
        since = "" if self.token is None else f"&since={self.token}"
        response = await self.person.get(f"/events/changes?limit={self.limit}&{self.query}{since}")
        answer = ok(response)
        self.token = answer["next"]
        assert not {item["id"] for item in answer["items"]} & set(answer["deleted"])
        assert len(answer["items"]) + len(answer["deleted"]) <= self.limit
        self.known |= {item["id"]: item for item in answer["items"]}
        for id in answer["deleted"]:
            self.known.pop(id, None)
        assert ("link" in response.headers) <= (len(answer["items"]) + len(answer["deleted"]) > 0)
        return len(answer["items"]) + len(answer["deleted"])

    async def fetch_all(self) -> None:
        """Request changes until there are none."""
        while await self.fetch_page():
            pass

    async def fetch_until(self, until: asyncio.Event) -> None:
        """Request changes again and again until the event is set."""
        while not until.is_set():
            await self.fetch_page()

    async def list_events(self) -> dict[str, Any]:
        """Return the events of the list, by id."""
        found: dict[str, Any] = {}
        cursor = ""
        while True:
            page = ok(await self.person.get(f"/events?limit=200&{self.query}{cursor}"))
            found |= {item["id"]: item for item in page["items"]}
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

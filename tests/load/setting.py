"""The planner under load, its accounts and its events."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from models.events.event import Event
from models.events.event_draft import build_content
from models.events.event_schema import EventCreate
from models.events.public_event_index import copy_public_event
from planner.clock import SystemClock
from planner.domain.times import resolve_times
from tests.bench.cores import processor_seconds
from tests.bench.load import request
from tests.bench.sides import EVENT, Api, sign_up
from tests.support.servers import RunningServer, running

DATABASE = "load_planner"
READERS = 8
SETTINGS = {"SECRET_KEY": "only ever used by the tests of load: 5e02f6a1", "ACCESS_TOKEN_MINUTES": "1440"}
HEALTH = request("GET", "/healthz")


def database_url(mongo: str) -> str:
    """Return the address of the database of this package on a server."""
    return mongo.replace("/?", f"/{DATABASE}?")


class LoadedPlanner:
    """A planner that runs, with accounts that have events."""

    def __init__(self, server: RunningServer, mongo: str) -> None:
        self.server = server
        self._mongo = mongo
        self.tokens = [sign_up(self.port, f"reader{n}") for n in range(READERS)]
        api = Api(self.port, self.tokens[0])
        self.event = str(api.ask("POST", "/events", EVENT)["id"])
        self.user = str(api.ask("GET", "/users/me")["id"])
        api.close()

    @property
    def port(self) -> int:
        return self.server.port

    def processor_seconds(self) -> float:
        """Return the processor time that the process which was started has used; its workers do not count."""
        assert self.server.process is not None
        return processor_seconds(self.server.process.pid)

    @property
    def get(self) -> bytes:
        """The request that reads one event."""
        return self.ask("GET", f"/events/{self.event}")

    def ask(self, method: str, path: str, body: bytes = b"", reader: int = 0) -> bytes:
        """Return the request of a reader."""
        return request(method, f"/api/v1{path}", self.tokens[reader], body)

    def store_public_events(self, number: int) -> None:
        """Store so many public events, which all have the same words."""
        draft = EventCreate.model_validate(EVENT | {"start": "2026-11-15T10:00:00Z", "visibility": "public"})
        times = resolve_times(draft.start, draft.end, None, draft.time_zone)
        now = SystemClock().now()
        first = Event.new(ObjectId(self.user), build_content(draft, times, None), now=now)  # type: ignore[arg-type]
        copied = copy_public_event(first)
        assert copied is not None
        with MongoClient[dict[str, Any]](self._mongo) as client:
            database = client[DATABASE]
            for stored, name in ((first.to_stored(), "events"), (copied.to_stored(), "public_event_index")):
                at = stored["key"].index(" ") + 1 if " " in stored["key"] else len(stored["key"]) - 24
                copies = (
                    stored | {"_id": id, "key": f"{stored['key'][:at]}{id}"}
                    for id in (ObjectId(f"{n:024x}") for n in range(1, number + 1))
                )
                database[name].insert_many(copies, ordered=False)


@contextmanager
def running_planner(folder: Path, mongo: str, *arguments: str, **settings: str) -> Iterator[LoadedPlanner]:
    """Run a planner on a database of its own, with rate limits off."""
    with running(folder, arguments, **(SETTINGS | {"DATABASE_URL": database_url(mongo)} | settings)) as server:
        yield LoadedPlanner(server, mongo)

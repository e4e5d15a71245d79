"""The two servers under test, what is stored in each beforehand, and the requests they are sent."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from bson import ObjectId
from pymongo import MongoClient

from tests.bench import cores
from tests.bench.load import request
from tests.support.servers import ROOT, RunningServer, free_port

DATABASE = "bench_planner"
PASSWORD = "correct horse battery staple"
CONNECTIONS = 16
AUTHORS = 64  # four to a connection, so that no two connections write the same account at once
EACH = 120  # what each author has created
READABLE = 60  # what the account that reads has created: more than a page
SIGN_INS = 8
EVENT = {
    "title": "Harbour walk with the rowing club",
    "description": "We meet at the boathouse, walk along the quays to the lighthouse and are back before dark. "
    "Bring something warm, and somebody who has never seen the harbour from the water side.",
    "image": "https://example.com/pictures/harbour.jpg",
    "tags": ["outdoors", "rowing", "harbour"],
    "location": "Boathouse, Quay 4",
}
BODY = json.dumps(EVENT).encode()


class Side(Protocol):
    """A server and the requests of the operations that both have; `create` holds those of each connection.

    `tokens` are those of the authors.
    """

    @property
    def port(self) -> int: ...

    @property
    def pid(self) -> int: ...

    get: bytes
    page: bytes
    create: list[list[bytes]]
    tokens: list[str]


class Api:
    """One caller, one request at a time; for what is stored beforehand and what is timed one by one."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        raw = None if body is None else json.dumps(body).encode()
        kind = {} if raw is None else {"content-type": "application/json"}
        try:
            answer = self._send(method, path, raw, self._headers | kind)
        except http.client.RemoteDisconnected:
            # The server has closed the connection, which was idle while data were stored for the measurement.
            answer = self._send(method, path, raw, self._headers | kind)
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {content[:300]!r}")
        return json.loads(content) if content else None

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request(method, "/api/v1" + path, body, headers)
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()


def sign_up(port: int, name: str) -> str:
    """Create an account with a planner, and return a token of its own."""
    who = {"email": f"{name}@example.com", "password": PASSWORD}
    api = Api(port)
    api.ask("POST", "/auth/signup", who)
    token = str(api.ask("POST", "/auth/signin", who)["access_token"])
    api.close()
    return token


def build_sign_in(name: str) -> bytes:
    """Return the request by which an account of `sign_up` signs in."""
    form = {"grant_type": "password", "username": f"{name}@example.com", "password": PASSWORD}
    kind = "application/x-www-form-urlencoded"
    return request("POST", "/api/v1/auth/token", "", urlencode(form).encode(), kind)


class FloorSide:
    """The bare callable."""

    port: int
    get: bytes
    page: bytes
    create: list[list[bytes]]
    tokens: list[str]
    authors: list[ObjectId]

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, mongo: str) -> None:
        """Fill its database and wait until it listens."""
        # Here, because it needs Motor, which is not there with Beanie 2; what else is in this module does not.
        from tests.bench import floor

        users = [ObjectId() for _ in range(AUTHORS + 1)]
        with MongoClient[dict[str, Any]](mongo) as client:
            database = client[floor.DATABASE]
            database.users.insert_many({"_id": id, "events": []} for id in users)
            events = [EVENT | {"_id": ObjectId(), "creator": users[0]} for _ in range(READABLE)]
            database.events.insert_many(events)
            database.events.create_index([("creator", 1), ("_id", 1)])
        self.port = free_port()
        tokens = [floor.token(id) for id in users]
        self.get = request("GET", f"/events/{events[0]['_id']}", tokens[0])
        self.page = request("GET", "/events", tokens[0])
        self.tokens, self.authors = tokens[1:], users[1:]
        self.create = creations("/events", self.tokens)
        with cores.starting_on(cores.SERVER):
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", "tests.bench.floor:app", "--port", str(self.port)),
                    *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
                ],
                cwd=ROOT,
                env=os.environ | {floor.URL: mongo},
                # As the planner is started: Linux may share a busy core out among sessions.
                start_new_session=True,
            )
        _wait_for(self.port, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


class PlannerSide:
    """The planner, as `python -m planner serve` starts it, on the same mongod."""

    get: bytes
    page: bytes
    create: list[list[bytes]]
    tokens: list[str]
    authors: list[ObjectId]
    sign_in: bytes
    small: str
    large: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings: dict[str, str] = {}
        self._server: RunningServer | None = None

    def start(self, mongo: str) -> None:
        """Make its accounts and events, and wait until it answers."""
        self._settings = {
            "DATABASE_URL": mongo.replace("/?", f"/{DATABASE}?"),
            "SECRET_KEY": "only ever used by the benchmark: 77b1c1f3",
            # Tokens outlive a change of port, and a long run.
            "PUBLIC_URL": "http://planner.bench",
            "ACCESS_TOKEN_MINUTES": "1440",
            "RATE_LIMITS": "off",
        }
        # The accounts are made at the least cost of a password, and the server measured at the usual one.
        self._launch({"PASSWORD_ROUNDS": "10"})
        reader, self.tokens = self.sign_up("reader"), [self.sign_up(f"author{n}") for n in range(AUTHORS)]
        self.authors = [self._find_id(token) for token in self.tokens]
        self.small, self.large = self.sign_up("small"), self.sign_up("large")
        api = Api(self.port, reader)
        events = [api.ask("POST", "/events", EVENT) for _ in range(READABLE)]
        api.close()
        self.get = request("GET", f"/api/v1/events/{events[0]['id']}", reader)
        self.page = request("GET", "/api/v1/events?limit=50", reader)
        self.create = creations("/api/v1/events", self.tokens)
        self.stop()
        self._launch({"PASSWORD_ROUNDS": "12"})
        self.sign_up("guest")
        self.sign_in = build_sign_in("guest")

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.port

    @property
    def pid(self) -> int:
        assert self._server is not None and self._server.process is not None
        return self._server.process.pid

    @contextmanager
    def beside(self, folder: Path, workers: int) -> Iterator[RunningServer]:
        """Run another planner on the same data, with so many workers on all cores."""
        server = RunningServer(folder, ["--workers", str(workers)], **self._settings)
        with cores.starting_on(cores.ANY):
            server.launch()
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()

    def _launch(self, settings: dict[str, str]) -> None:
        self._server = RunningServer(self._folder, **self._settings | settings)
        with cores.starting_on(cores.SERVER):
            self._server.launch()
        self._server.wait_until_ready()

    def sign_up(self, name: str) -> str:
        """A new account; returns a token of its own."""
        return sign_up(self.port, name)

    def _find_id(self, token: str) -> ObjectId:
        api = Api(self.port, token)
        id = ObjectId(api.ask("GET", "/users/me")["id"])
        api.close()
        return id

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()


def _wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def creations(path: str, tokens: list[str]) -> list[list[bytes]]:
    """Requests that create an event for each of these accounts, dealt out to the connections."""
    requests = [request("POST", path, token, BODY) for token in tokens]
    return [requests[n::CONNECTIONS] for n in range(min(CONNECTIONS, len(tokens)))]

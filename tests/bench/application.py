"""What a request costs the application alone, without a server; `python -m tests.bench.application`.

The application is called in this process, by 16 tasks at the same time. The least processor time of many short rounds
is printed: other programs on the machine affect it least. Beside it stands the same without the counting of metrics, in
rounds by turns.
"""

import asyncio
import gc
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvloop
from bson import ObjectId
from fastapi import FastAPI

from database.embedded.server import EmbeddedMongo
from planner.app import create_app
from planner.settings import load
from planner.telemetry.metrics import Metrics
from tests.bench.people import seed_planner
from tests.bench.sides import DATABASE, PASSWORD

PEOPLE, TASKS, REQUESTS, ROUNDS = 16, 16, 640, 25
JSON = (b"content-type", b"application/json")
OPERATIONS = ("healthz", "get", "any", "own")


async def call(app: FastAPI, method: str, url: str, token: str = "", body: bytes = b"") -> Any:
    """Call the application as a server does, and return the JSON of the response."""
    path, _, query = url.partition("?")
    headers = [(b"host", b"planner.bench"), (b"authorization", f"Bearer {token}".encode()), JSON]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
    }
    scope |= {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": ""}
    scope |= {"headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] < 300, sent
    return sent[1]["body"]


async def sign_up(app: FastAPI, number: int) -> tuple[str, ObjectId]:
    """Return a token of a new account, and its id."""
    who = json.dumps({"email": f"author{number}@example.com", "password": PASSWORD}).encode()
    await call(app, "POST", "/api/v1/auth/signup", body=who)
    found = json.loads(await call(app, "POST", "/api/v1/auth/signin", body=who))
    return found["access_token"], ObjectId(found["user"]["id"])


def requests(operation: str, tokens: list[str], ids: list[list[ObjectId]]) -> Iterator[tuple[str, str]]:
    """Yield addresses, each with the token of who asks for it."""
    chance, turn = random.Random(1), 0
    while True:
        turn = (turn + 1) % PEOPLE
        events = {"get": "/api/v1/events/" + str(ids[0][0]), "own": "/api/v1/events?limit=50", "healthz": "/healthz"}
        url = events.get(operation) or f"/api/v1/events/{chance.choice(ids[turn])}"
        yield url, tokens[0 if operation == "get" else turn]


@contextmanager
def without_metrics() -> Iterator[None]:
    """Count neither requests nor operations of the database."""
    with ExitStack() as stack:
        for name in ("begin_request", "end_request", "count_operation"):
            stack.enter_context(patch.object(Metrics, name, lambda *_: None))
        yield


async def measure(mongo: str) -> None:
    """Print the processor time of each operation."""
    app = create_app(load())
    async with app.router.lifespan_context(app):
        people = [await sign_up(app, number) for number in range(PEOPLE)]
        tokens, ids = [token for token, _ in people], seed_planner(mongo, [id for _, id in people])
        gc.collect()
        gc.freeze()
        for operation in OPERATIONS:
            asked = requests(operation, tokens, ids)
            taken: dict[bool, list[float]] = {True: [], False: []}

            async def ask(asked: Iterator[tuple[str, str]] = asked) -> None:
                for _ in range(REQUESTS // TASKS):
                    await call(app, "GET", *next(asked))

            for counts in [True, False] * ROUNDS:
                with nullcontext() if counts else without_metrics():
                    begun = time.process_time()
                    await asyncio.gather(*(ask() for _ in range(TASKS)))
                    taken[counts].append((time.process_time() - begun) / REQUESTS * 1e6)
            print(
                f"{operation:8} {min(taken[True]):5.1f} µs of processor time for a request, "
                f"{min(taken[False]):5.1f} without metrics",
                flush=True,
            )


def main() -> None:
    """Start a MongoDB, and measure."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="planner-bench-")))
        mongo = stack.enter_context(EmbeddedMongo(folder / "mongo")).url
        os.environ["DATABASE_URL"] = mongo.replace("/?", f"/{DATABASE}?")
        os.environ |= {"SECRET_KEY": "only ever used by the benchmark: 77b1c1f3", "DATA_DIR": str(folder)}
        os.environ |= {"PASSWORD_ROUNDS": "10", "RATE_LIMITS": "off", "PUBLIC_URL": "http://planner.bench"}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measure(mongo))


if __name__ == "__main__":
    main()

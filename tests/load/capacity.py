"""Twice as many requests as a server of a known capacity can answer, whatever else the machine does.

The protocol and the admission are those of the planner. The application only waits: so the load takes nothing from it.
"""

import asyncio
from dataclasses import dataclass
from time import perf_counter

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState as UvicornState

from planner.load.admission import Admission
from planner.load_settings import LoadSettings
from planner.telemetry.metrics import Metrics
from routes.server.connections import Connections
from routes.server.protocol import BoundedProtocol, ServerState
from tests.bench.load import request
from tests.load.clients import HOST, Answers, SteadyLoad

SLOTS, TAKES = 8, 0.04
CAPACITY = SLOTS / TAKES
SECONDS = 8.0


@dataclass
class Capacity:
    """What came of the requests."""

    answers: Answers
    seconds: float

    @property
    def ratio(self) -> float:
        """The part of what the server can answer that it did answer."""
        return len(self.answers.with_status("2")) / self.seconds / CAPACITY

    def __str__(self) -> str:
        return (
            f"twice the load of a server that can answer {CAPACITY:.0f}/s: {self.answers.count()}; accepted and "
            f"answered {self.ratio:.2f} of what it can; p50 {self.answers.quantile(0.5, '2') * 1000:.0f}, "
            f"p99 {self.answers.quantile(0.99, '2') * 1000:.0f} ms; "
            f"refused with p99 {self.answers.quantile(0.99, '503') * 1000:.0f} ms"
        )


async def measure(seconds: float = SECONDS) -> Capacity:
    """Offer twice as much as the server can answer."""
    most = LoadSettings.model_fields["max_requests"].default
    metrics = Metrics()
    shared = ServerState(Connections(4096, metrics), Admission(most, metrics))
    slots = asyncio.Semaphore(SLOTS)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun = perf_counter()
        async with slots:
            await asyncio.sleep(TAKES)
        shared.admission.note_answer(perf_counter() - begun)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, http=BoundedProtocol, lifespan="off", log_config=None, timeout_keep_alive=60)
    config.load()
    state, loop = UvicornState(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedProtocol(config, state, shared.to_lifespan(), loop), HOST, 0)
    try:
        load = SteadyLoad(server.sockets[0].getsockname()[1], 1_500)
        return Capacity(await load.send([request("GET", "/")], 2 * CAPACITY, seconds), seconds)
    finally:
        server.close()

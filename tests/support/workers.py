"""Connections to each of the worker processes of a planner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from tests.support.clients import Person, Planner, sign_up
from tests.support.servers import RunningServer

ROUNDS = 40
RACERS = 20


def one_connection(server: RunningServer) -> Planner:
    """Return a client that uses one connection, and so one worker."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
    return httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits)


def worker_at(server: RunningServer, port: int) -> int:
    """Return the process that serves the client whose connection has this port, as Linux shows it."""
    ends = (f":{server.port:04X}", f":{port:04X}")
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])}
    assert server.process is not None
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        for file in Path(f"/proc/{child}/fd").iterdir():
            try:
                if str(file.readlink()) in sockets:
                    return int(child)
            except FileNotFoundError:
                continue  # Closed meanwhile.
    raise AssertionError("no worker serves this connection")


@asynccontextmanager
async def both_workers(server: RunningServer) -> AsyncIterator[list[Planner]]:
    """Yield a client of each of the two workers, after opening connections until both have one."""
    found: dict[int, Planner] = {}
    async with AsyncExitStack() as stack:
        for _ in range(ROUNDS):
            # Several at once, for an idle worker may be quick enough to take every single one.
            clients = [await stack.enter_async_context(one_connection(server)) for _ in range(8)]
            ports = await asyncio.gather(*(port_of(server, client) for client in clients))
            for client, port in zip(clients, ports, strict=True):
                found.setdefault(worker_at(server, port), client)
            if len(found) == 2:
                yield list(found.values())
                return
    raise AssertionError("all connections went to one worker")


async def port_of(server: RunningServer, client: Planner) -> int:
    """Return the port of the client's end of its connection, which is opened if need be."""
    async with client.stream("GET", f"{server.root}/healthz") as response:
        await response.aread()
        return int(response.extensions["network_stream"].get_extra_info("client_addr")[1])


@asynccontextmanager
async def racing_clients(server: RunningServer) -> AsyncIterator[list[Person]]:
    """Yield a new user with `RACERS` connections to both workers of a server, one client each."""
    async with AsyncExitStack() as stack:
        clients = await stack.enter_async_context(both_workers(server))
        clients += [await stack.enter_async_context(one_connection(server)) for _ in range(RACERS - len(clients))]
        user = await sign_up(clients[0], f"{uuid4().hex}@example.com")
        yield [Person(client, user.id, user.email, user.token) for client in clients]

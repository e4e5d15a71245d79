"""The failures of a database and of workers that a planner must come through."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.failures.failover.replica_set import ReplicaSet
from tests.support.processes import worker_processes
from tests.support.servers import RunningServer

WORKERS = 2


@dataclass
class Scene:
    """What a failure happens to."""

    database: ReplicaSet
    server: RunningServer
    # When writes became possible again for a member that can be elected, if that was later than the failure.
    majority_at: float | None = None
    # Workers that were killed or stopped, and must be replaced.
    lost_workers: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Failure:
    """What happens (`begin`), and how it ends (`end`), by default by letting all members of the replica set run.

    `writes_go_on` says whether writes are possible again before the end.
    """

    name: str
    begin: Callable[[Scene], Awaitable[None]]
    writes_go_on: bool = True
    # How long it lasts, when no write is possible before its end.
    seconds: float = 12.0


async def kill_primary(scene: Scene) -> None:
    """Kill the primary."""
    primary = await asyncio.to_thread(scene.database.primary)
    primary.kill()


async def stop_primary(scene: Scene) -> None:
    """Stop the primary: its machine hangs."""
    primary = await asyncio.to_thread(scene.database.primary)
    primary.send_sigstop()


async def kill_secondary(scene: Scene) -> None:
    """Kill one secondary."""
    (await asyncio.to_thread(scene.database.secondaries))[0].kill()


async def stop_secondary(scene: Scene) -> None:
    """Stop one secondary."""
    (await asyncio.to_thread(scene.database.secondaries))[0].send_sigstop()


async def step_down(scene: Scene) -> None:
    """Have the primary give up its part."""
    await asyncio.to_thread(scene.database.step_down)


async def kill_two_secondaries(scene: Scene) -> None:
    """Kill both secondaries: no write gets a majority, and the primary gives up after a while."""
    for member in await asyncio.to_thread(scene.database.secondaries):
        member.kill()


async def kill_primary_and_a_secondary(scene: Scene) -> None:
    """Kill the primary and one secondary: the one that is left cannot be elected."""
    primary = await asyncio.to_thread(scene.database.primary)
    (await asyncio.to_thread(scene.database.secondaries))[0].kill()
    primary.kill()


async def lose_what_has_no_majority(scene: Scene) -> None:
    """Kill both secondaries, let clients repeat what gets no majority, kill the primary too, and start the others.

    The primary has then written what no other member has, and must undo it when it is started again.
    """
    primary = await asyncio.to_thread(scene.database.primary)
    others = await asyncio.to_thread(scene.database.secondaries)
    for member in others:
        member.kill()
    # Longer than a request waits for a majority, and shorter than the primary goes on without one.
    await asyncio.sleep(8)
    primary.kill()
    for member in others:
        await asyncio.to_thread(member.start)
    scene.majority_at = time.monotonic()


async def kill_worker(scene: Scene) -> None:
    """Kill one worker."""
    worker = min(worker_processes(scene.server))
    scene.lost_workers.add(worker)
    os.kill(worker, signal.SIGKILL)


async def stop_worker(scene: Scene) -> None:
    """Stop one worker: it has connections and requests, and does nothing with them."""
    worker = min(worker_processes(scene.server))
    scene.lost_workers.add(worker)
    os.kill(worker, signal.SIGSTOP)


async def kill_all_members_and_a_worker(scene: Scene) -> None:
    """Kill the whole replica set, and then a worker."""
    for member in scene.database.members:
        member.kill()
    await kill_worker(scene)


FAILURES = [
    Failure("primary killed", kill_primary),
    Failure("secondary killed", kill_secondary),
    Failure("primary stopped (SIGSTOP)", stop_primary),
    Failure("secondary stopped (SIGSTOP)", stop_secondary),
    Failure("primary steps down", step_down),
    Failure("both secondaries killed", kill_two_secondaries, writes_go_on=False),
    Failure("primary and a secondary killed", kill_primary_and_a_secondary, writes_go_on=False),
    Failure("primary killed after both secondaries", lose_what_has_no_majority),
    Failure("worker killed", kill_worker),
    Failure("worker stopped (SIGSTOP)", stop_worker),
    Failure("all three and a worker killed", kill_all_members_and_a_worker, writes_go_on=False, seconds=20.0),
]

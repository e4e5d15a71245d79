"""More idle connections than the system lets a process open files."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.load.clients import HOST, Answers, ask_all, ask_once
from tests.load.setting import HEALTH
from tests.support.servers import RunningServer

FILES, IDLE, NEW = 1_024, 1_200, 50


@dataclass
class Descriptors:
    """What became of new connections while many were idle, and of the idle ones."""

    files: int
    new: Answers
    open: int
    idle: int
    logged: int

    def __str__(self) -> str:
        return (
            f"descriptors: {self.files:,} files and {self.idle:,} idle connections: of {len(self.new.all)} new ones "
            f"{self.new.count()}, the slowest {self.new.quantile(1):.2f} s; {self.open:,} idle ones stay open, "
            f"{self.logged} lines in the log"
        )


@contextmanager
def running_with_files(files: int, folder: Path, **settings: str) -> Iterator[RunningServer]:
    """Run a planner that may open so many files."""
    server = RunningServer(folder, **settings)
    try:
        server.launch()
        assert server.process is not None
        # It reads the limit when it starts to serve, long after this.
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (files, files))
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


async def measure(server: RunningServer, files: int = FILES, idle: int = IDLE, new: int = NEW) -> Descriptors:
    """Open idle connections, and then ask on new ones."""
    connections = [await asyncio.open_connection(HOST, server.port) for _ in range(idle)]
    ends = [asyncio.create_task(reader.read()) for reader, _ in connections]
    # Those that were opened less than a second ago are not closed for new ones.
    await asyncio.sleep(1.5)
    answers = Answers()
    for _ in range(new // 2):
        answers.all.append(await ask_once(server.port, HEALTH))
    answers.all += (await ask_all(server.port, [HEALTH] * (new - new // 2))).all
    await asyncio.sleep(1.5)
    remaining = sum(not end.done() for end in ends)
    for _, writer in connections:
        writer.close()
    await asyncio.gather(*ends, return_exceptions=True)
    return Descriptors(files, answers, remaining, idle, server.output.count("connections are open"))

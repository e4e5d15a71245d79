"""The process that starts the workers, and starts another one for each that ends."""

import logging
import time
from socket import socket

from uvicorn import Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from planner.telemetry.metrics import forget_worker

log = logging.getLogger("planner.workers")
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A worker that does not respond for so long is killed, and one that is not ready after so long.
RESPONSE_SECONDS = 5.0
START_SECONDS = 60.0
# How long the supervisor looks at a worker that is starting, before it looks at the next one.
LOOK_SECONDS = 0.1


class Supervisor(Multiprocess):
    """Keeps so many workers running until a signal stops it, however often they end.

    A worker that ends before it was ready, such as while the database is unavailable, is started again after a pause,
    which doubles each time.
    """

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        # By the place of a worker in `processes`: how often it ended before it was ready, and when to start it again.
        self._failures: dict[int, int] = {}
        self._start_at: dict[int, float] = {}
        # By the ids of processes: those that are ready, and when each of the others was started.
        self._ready: set[int | None] = set()
        self._started_at: dict[int | None, float] = {}
        self.was_told_to_stop = False

    def keep_subprocess_alive(self) -> None:
        """Start another process for each one that has ended, does not respond, or is not ready in time."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if place in self._start_at:
                if time.monotonic() >= self._start_at[place]:
                    del self._start_at[place]
                    self._start(place)
            elif process.pid in self._ready:
                if not process.is_alive(timeout=RESPONSE_SECONDS):
                    self._end(place, process)
            elif not self._is_starting(place, process):
                self._end(place, process)

    def _is_starting(self, place: int, process: Process) -> bool:
        """Return whether a worker that is not known to be ready is still starting, or is ready now."""
        started_at = self._started_at.setdefault(process.pid, time.monotonic())
        if not process.process.is_alive() or time.monotonic() > started_at + START_SECONDS:
            return False
        if process.is_ready(timeout=LOOK_SECONDS):
            self._ready.add(process.pid)
            del self._started_at[process.pid]
            if place in self._failures:
                log.warning("worker %s serves requests", process.pid)
                del self._failures[place]
        return True

    def _end(self, place: int, process: Process) -> None:
        process.kill()
        process.join()
        pid, status = process.pid, process.exitcode
        if pid is not None:
            forget_worker(pid)
        was_ready = pid in self._ready
        self._ready.discard(pid)
        self._started_at.pop(pid, None)
        failures = self._failures[place] = 0 if was_ready else self._failures.get(place, 0) + 1
        pause = min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS) if failures else 0.0
        ended = f"by signal {-status}" if status is not None and status < 0 else f"with status {status}"
        log.warning("worker %s ended %s; another one starts in %.0f s", pid, ended, pause)
        self._start_at[place] = time.monotonic() + pause

    def _start(self, place: int) -> None:
        process = Process(self.config, self.sockets)
        process.start()
        self.processes[place] = process

    def handle_int(self) -> None:
        """Stop all workers, because of Ctrl-C."""
        self.was_told_to_stop = True
        super().handle_int()

    def handle_term(self) -> None:
        """Stop all workers, because of SIGTERM."""
        self.was_told_to_stop = True
        super().handle_term()

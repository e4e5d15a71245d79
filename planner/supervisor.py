"""The process that starts the workers, and starts another one for each that ends."""

import logging
import time
from socket import socket

from uvicorn import Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from planner.metrics import forget_worker

log = logging.getLogger("planner.workers")
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A worker that does not respond for so long is killed.
RESPONSE_SECONDS = 5.0


class Supervisor(Multiprocess):
    """Keeps so many workers running until it is told to stop, however often they end.

    A worker that ends before it was ready, such as while the database is unavailable, is started again after a pause,
    which doubles each time.
    """

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        # By the place of a worker in `processes`: since when it is ready is not known before it says so.
        self._failures: dict[int, int] = {}
        self._ready: set[int | None] = set()
        self._start_at: dict[int, float] = {}
        self.was_told_to_stop = False

    def keep_subprocess_alive(self) -> None:
        """Start another process for each one that has ended or does not respond."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if place in self._start_at:
                if time.monotonic() >= self._start_at[place]:
                    del self._start_at[place]
                    self._start(place)
            elif process.is_alive(timeout=RESPONSE_SECONDS):
                self._note_ready(place, process)
            else:
                self._end(place, process)

    def _note_ready(self, place: int, process: Process) -> None:
        if process.pid not in self._ready and process.is_ready():
            self._ready.add(process.pid)
            if place in self._failures:
                log.warning("worker %s serves requests", process.pid)
                del self._failures[place]

    def _end(self, place: int, process: Process) -> None:
        process.kill()
        process.join()
        pid, status = process.pid, process.exitcode
        if pid is not None:
            forget_worker(pid)
        was_ready = pid in self._ready
        self._ready.discard(pid)
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

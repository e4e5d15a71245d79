"""The process that starts the workers, and starts another one for each that ends."""

import logging
import signal
import time
from socket import socket
from types import FrameType

import uvicorn
from uvicorn import Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from planner.serving.ending import end_process
from planner.telemetry.metrics import forget_worker

log = logging.getLogger("planner.workers")
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# A worker that does not respond for so long is killed, and one that is not ready after so long. Until it has responded
# for the first time, only the second limit counts.
RESPONSE_SECONDS = 5.0
START_SECONDS = 60.0


class Server(uvicorn.Server):
    """A server that a signal ends at any time, and that is never interrupted while it ends."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, because of a signal. In the middle of the start, it is given up: it may wait for the database."""
        if not self.started:
            raise KeyboardInterrupt
        super().handle_exit(sig, frame)
        # A second Ctrl-C would end it without the end of what it is doing.
        self.force_exit = False


class Worker(Process):
    """A process that serves requests."""

    @property
    def server(self) -> Server:
        """The server of this process."""
        if self._server is None:
            self._server = Server(config=self.config)
        assert isinstance(self._server, Server)
        return self._server

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve until a signal comes, and end the process; with status 3 if it could not start."""
        status = 0
        try:
            super().target(sockets)
        except KeyboardInterrupt:
            pass
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        end_process(status)

    def start(self) -> None:
        """Start the process; until it serves, Ctrl-C, which is meant for the supervisor, does not reach it."""
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            super().start()
        finally:
            signal.signal(signal.SIGINT, handler)


class Supervisor(Multiprocess):
    """Keeps so many workers running until a signal stops it, however often they end.

    A worker that ends before it was ready, such as while the database is unavailable, is started again after a pause,
    which doubles each time. It never waits for a worker: while one does not respond, the others are looked after, and
    signals are handled. A worker that is told to stop has `stop_seconds` to end.
    """

    def __init__(self, config: Config, sockets: list[socket], stop_seconds: float) -> None:
        super().__init__(config, sockets)
        self._stop_seconds = stop_seconds
        # By the place of a worker in `processes`: how often it ended before it was ready, and when to start it again.
        self._failures: dict[int, int] = {}
        self._start_at: dict[int, float] = {}
        self._watches: dict[Process, _Watch] = {}
        # The places of workers that are to be replaced, the one that replaces the first of them when it is ready, and
        # those that were told to stop and have not ended yet, with the time at which they are killed.
        self._to_replace: list[int] = []
        self._successor: Process | None = None
        self._stopping: dict[Process, float] = {}
        self._is_replacing = False
        self.was_asked_to_stop = False

    def keep_subprocess_alive(self) -> None:
        """Start another process for each one that has ended, does not respond, or is not ready in time."""
        if self.should_exit.is_set():
            return
        for place, process in enumerate(self.processes):
            if place in self._start_at:
                if time.monotonic() >= self._start_at[place]:
                    del self._start_at[place]
                    self.processes[place] = self._start()
                continue
            watch = self._watch(process)
            if watch.has_failed():
                self._end(place, process)
            elif watch.is_ready and place in self._failures:
                log.warning("worker %s serves requests", process.pid)
                del self._failures[place]
        self._replace_next()

    def _watch(self, process: Process) -> "_Watch":
        return self._watches.setdefault(process, _Watch(process))

    def _start(self) -> Process:
        process = Worker(self.config, self.sockets)
        process.start()
        return process

    def init_processes(self) -> None:
        """Start the workers."""
        self.processes = [self._start() for _ in range(self.processes_num)]

    def _end(self, place: int, process: Process) -> None:
        watch = self._watch(process)
        was_ready = watch.is_ready
        if reason := watch.explain_kill():
            log.warning("worker %s %s and is killed", process.pid, reason)
        self._kill(process)
        failures = self._failures[place] = 0 if was_ready else self._failures.get(place, 0) + 1
        pause = min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS) if failures else 0.0
        status = process.exitcode
        ended = f"by signal {-status}" if status is not None and status < 0 else f"with status {status}"
        log.warning("worker %s ended %s; another one starts in %.0f s", process.pid, ended, pause)
        self._start_at[place] = time.monotonic() + pause

    def _kill(self, process: Process) -> None:
        process.kill()
        process.join()
        self._forget(process)

    def _forget(self, process: Process) -> None:
        self._watches.pop(process, None)
        if process.pid is not None:
            forget_worker(process.pid)

    def restart_all(self) -> None:
        """Begin to replace the workers, one after the other: each goes on until the one that replaces it is ready.

        One that is starting already is given up: it may have read settings that have changed since.
        """
        self._drop_successor()
        self._to_replace = list(range(len(self.processes)))
        self._is_replacing = True
        log.info("the workers are replaced by new ones: %d", len(self.processes))

    def _replace_next(self) -> None:
        """Take the next step of replacing the workers, if there is one to take now."""
        for process, kill_at in list(self._stopping.items()):
            if not process.process.is_alive():
                del self._stopping[process]
                self._forget(process)
            elif time.monotonic() > kill_at:
                log.warning("worker %s did not stop in time and is killed", process.pid)
                process.kill()
        if self._successor is None:
            if self._to_replace:
                self._successor = self._start()
            elif self._is_replacing and not self._stopping:
                log.info("all workers are new ones, and the old ones have ended: %d", len(self.processes))
                self._is_replacing = False
            return
        self._watch_successor(self._successor)

    def _watch_successor(self, successor: Process) -> None:
        """Let a new worker replace the first of those that are to be replaced, when it is ready."""
        watch = self._watch(successor)
        if watch.has_failed():
            log.error("new worker %s was not ready; the workers that run are kept", successor.pid)
            self._drop_successor()
            self._to_replace.clear()
            self._is_replacing = False
        elif watch.is_ready:
            place = self._to_replace.pop(0)
            self._stop(place)
            self.processes[place], self._successor = successor, None

    def _stop(self, place: int) -> None:
        """Tell a worker to stop, and forget what its place was waiting for."""
        process = self.processes[place]
        process.terminate()
        self._stopping[process] = time.monotonic() + self._stop_seconds
        self._start_at.pop(place, None)
        self._failures.pop(place, None)

    def _drop_successor(self) -> None:
        if self._successor is not None:
            self._kill(self._successor)
            self._successor = None

    def terminate_all(self) -> None:
        """Tell the workers to stop, and kill those that are not ready, such as while they wait for the database."""
        for process in self._list_processes():
            if self._watch(process).is_ready:
                process.terminate()
            else:
                process.kill()

    def join_all(self) -> None:
        """Wait until the workers have ended, and kill those that have not in time, such as one that hangs."""
        deadline = time.monotonic() + self._stop_seconds
        for process in self._list_processes():
            process.process.join(max(deadline - time.monotonic(), 0))
            if process.process.is_alive():
                log.warning("worker %s did not stop in time and is killed", process.pid)
                process.kill()
                process.join()

    def _list_processes(self) -> list[Process]:
        """Return all processes: the workers, those that are stopping, and the one that replaces the next worker."""
        return [*self.processes, *self._stopping, *([self._successor] if self._successor else [])]

    def handle_ttou(self) -> None:
        """Run one worker less, because of SIGTTOU, if it is not the only one."""
        place = len(self.processes) - 1
        if not place:
            return
        self._stop(place)
        self.processes.pop()
        self.processes_num -= 1
        if place in self._to_replace:
            self._to_replace.remove(place)
            if not self._to_replace:
                self._drop_successor()

    def handle_int(self) -> None:
        """Stop all workers, because of Ctrl-C."""
        self.was_asked_to_stop = True
        super().handle_int()

    def handle_term(self) -> None:
        """Stop all workers, because of SIGTERM."""
        self.was_asked_to_stop = True
        super().handle_term()


class _Watch:
    """What a worker has said of itself, and since when it says nothing."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._started_at = time.monotonic()
        self._asked_at: float | None = None
        self._has_responded = False
        self.is_ready = False

    def has_failed(self) -> bool:
        """Ask the worker whether it is ready, or read what it has said; return whether it has ended or is too late."""
        if not self._process.process.is_alive():
            return True
        now, connection = time.monotonic(), self._process.parent_conn
        try:
            if self._asked_at is None:
                self._asked_at = now
                connection.send(b"ping")
            elif connection.poll(0):
                self.is_ready = bool(connection.recv())
                self._has_responded, self._asked_at = True, None
        except (OSError, EOFError):
            pass  # It ends at this moment, or it never responds, and then its time will be up.
        return self.explain_kill() is not None

    def explain_kill(self) -> str | None:
        """Return what is wrong with a worker that has not ended and is too late, or None."""
        if not self._process.process.is_alive():
            return None
        now = time.monotonic()
        if self._has_responded and self._asked_at is not None and now > self._asked_at + RESPONSE_SECONDS:
            return f"has not responded for {now - self._asked_at:.0f} s"
        if not self.is_ready and now > self._started_at + START_SECONDS:
            return f"was not ready after {now - self._started_at:.0f} s"
        return None

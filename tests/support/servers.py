"""The planner as its users run it: a process, listening on a port."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.waiting import DEADLINE_SECONDS, wait_until

ROOT = Path(__file__).parents[2]
# Below the ports that the system gives to outgoing connections: one of these, also of tests that run at the same time
# in another process, could otherwise take the port before its server does.
PORTS = range(10_000, 32_000)


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class RunningServer:
    """A planner process; `url` is where its API is, `output` what it printed."""

    def __init__(self, data_dir: Path, arguments: Sequence[str] = (), **settings: str) -> None:
        self.port = free_port()
        self.data_dir = data_dir
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/api/v1"
        # The process must see no variable of the environment in which the tests run, and no .env.
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self._environment = inherited | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "PASSWORD_ROUNDS": "10",
            "RATE_LIMITS": "off",
        }
        self._environment |= settings
        self._arguments = arguments
        self._log = data_dir.with_name(f"{data_dir.name}.{self.port}.log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def launch(self) -> None:
        """Start the process without waiting for it."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "planner", "serve", *self._arguments],
                env=self._environment,
                cwd=self._log.parent,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(self, *command: str) -> None:
        """Run a command of the planner, such as `admin create`, with the settings of this server."""
        arguments = [sys.executable, "-m", "planner", *command]
        subprocess.run(arguments, env=self._environment, cwd=self._log.parent, check=True, stdin=subprocess.DEVNULL)

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.launch()
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until the planner is ready. Raises AssertionError, with what it printed, when it ends instead."""
        assert self.process is not None
        process = self.process

        def is_ready() -> bool:
            assert process.poll() is None, f"the planner ended with {process.returncode}:\n{self.output}"
            try:
                return httpx.get(f"{self.root}/readyz", timeout=2).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(is_ready, seconds)

    def kill(self) -> None:
        """Kill the process, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the process this signal, wait until it ends, and return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def running(data_dir: Path, arguments: Sequence[str] = (), **settings: str) -> Iterator[RunningServer]:
    """Run a planner for as long as the block runs."""
    server = RunningServer(data_dir, arguments, **settings)
    try:
        server.start()
        yield server
    except BaseException as error:
        # Why a request failed is said there and nowhere else.
        error.add_note(server.output[-8000:])
        raise
    finally:
        if server.process is not None:
            server.stop()

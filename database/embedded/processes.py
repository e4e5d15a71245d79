"""Child processes that end with their parent, and those that outlived theirs.

`end_with_parent` turns a command into one that the kernel ends together with us; `end_holder` stops
a process that an earlier run left behind. The module is also the small program that
`end_with_parent` puts in front of the command: see `_become`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.01


def end_with_parent(command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` and ends it, with SIGTERM, when the calling thread ends.

    Only Linux can promise that; elsewhere `command` comes back as it is, and the next start finds what was left.
    Spawn it from a thread that lives as long as the process should: the kernel watches the thread, not the process.
    """
    if sys.platform != "linux":
        return list(command)
    # A program in between, not preexec_fn: Python code run between fork and exec can deadlock a threaded parent.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def try_lock(descriptor: int) -> bool:
    """Take the exclusive flock of an open file, or return False when somebody else has it."""
    import fcntl  # not at the top, so that Windows, which has no embedded server, can import its caller

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def command_line(pid: int) -> str:
    """Return the arguments of a running process joined by spaces; empty when there is none, or only its zombie."""
    if os.path.exists("/proc/self/cmdline"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="surrogateescape")
        except OSError:
            return ""
    ps = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
    return ps.stdout.decode(errors="surrogateescape")


def end_holder(lock: Path, marker: str, patience: float) -> None:
    """Return once nobody holds the flock of `lock`, a file with its holder's process id in it.

    A holder with `marker` in its command line is ours: it gets SIGTERM, and SIGKILL when `patience` seconds did not
    do. Any other is waited for and never touched. Raises TimeoutError when the lock is still held after that.
    """
    # The lock is the fact to wait for, not the process: it is freed last, when every file of the data is closed.
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience
        was_signalled = False
        while time.monotonic() < deadline:
            if not _is_locked(lock):
                return
            pid = _pid_in(lock)
            if not was_signalled and pid and marker in command_line(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                was_signalled = True
            time.sleep(POLL_SECONDS)
    raise TimeoutError(f"process {_pid_in(lock)} holds {lock} and does not let go of it")


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not try_lock(file.fileno())
    except FileNotFoundError:
        return False


def _pid_in(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def die_with_parent() -> None:
    """Ask the kernel to send us SIGTERM when the thread that started us ends; only Linux can."""
    if sys.platform != "linux":
        return
    import ctypes

    # Should the kernel refuse, we still run: an orphan is dealt with at the next start.
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)


def _become(parent: int, command: list[str]) -> None:
    """Replace this process by `command`, bound to the thread that started it."""
    die_with_parent()
    # A parent that died before the call above sends no signal; then we already belong to another process.
    if os.getppid() == parent:
        os.execv(command[0], command)


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])

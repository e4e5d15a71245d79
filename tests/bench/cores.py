"""Which core does what: the server under test has one to itself, mongod and the load share another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Cores = frozenset[int]
ANY: Cores = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else frozenset()
# With a single core, or where the system offers no way to choose, everything runs everywhere.
SERVER: Cores = frozenset(sorted(ANY)[:1]) if len(ANY) > 1 else ANY
OTHERS: Cores = frozenset(sorted(ANY)[1:2]) if len(ANY) > 1 else ANY


def keep_to(cores: Cores) -> None:
    """Let this thread, and what it starts from now on, run on these cores only."""
    if cores:
        os.sched_setaffinity(0, cores)


@contextmanager
def starting_on(cores: Cores) -> Iterator[None]:
    """What is started inside runs on these cores."""
    keep_to(cores)
    try:
        yield
    finally:
        keep_to(OTHERS)


def processor_seconds(pid: int) -> float:
    """What a process and its threads have used so far; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def described() -> str:
    if SERVER == OTHERS:
        return "everything on the same core or cores"
    return f"servers on core {min(SERVER)}, mongod and load on core {min(OTHERS)}"

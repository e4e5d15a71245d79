"""The processes of a planner, as Linux shows them."""

from pathlib import Path

from database.embedded.processes import command_line
from tests.support.servers import RunningServer


def children_of(pid: int) -> set[int]:
    """Return the processes that this one started and that still run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in parentheses and may contain anything; the parent is the second field after it.
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if int(parent) == pid and state != "Z":
            found.add(int(entry.parent.name))
    return found


def family_of(pid: int) -> set[int]:
    """Return the process and everything that descends from it."""
    return {pid}.union(*(family_of(child) for child in children_of(pid)))


def worker_processes(server: RunningServer) -> set[int]:
    """Return the processes in which a planner with `--workers` serves requests."""
    assert server.process is not None
    return {pid for pid in children_of(server.process.pid) if "spawn_main" in command_line(pid)}


def import_processes(server: RunningServer) -> set[int]:
    """Return the processes in which a planner reads the files of imports."""
    assert server.process is not None
    return {pid for pid in family_of(server.process.pid) if "import_worker" in command_line(pid)}


def have_ended(pids: set[int]) -> bool:
    return not any(command_line(pid) for pid in pids)

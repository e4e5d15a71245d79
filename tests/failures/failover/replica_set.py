"""A replica set of mongods on this machine."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.support.mongod import Standalone, make_key_file
from tests.support.waiting import wait_until

NAME = "failover"
# The user of the planner, who may do what operating.md lets it do, and nothing else.
PLANNER, PLANNER_PASSWORD = "planner", "that-of-the-planner"
# What docs/reliability.md recommends. A new primary waits two seconds, and not ten, for what a member that hangs may
# have written; and no secondary reads from another one, which may hang.
SETTINGS = {"catchUpTimeoutMillis": 2000, "chainingAllowed": False}

# A member that must undo what it has written without a majority takes up to a minute for it: MongoDB goes through all
# that has changed since its last checkpoint.
WHOLE_SECONDS = 180.0


class Member(Standalone):
    """One of them. It runs, is stopped (SIGSTOP), or has been killed."""

    is_stopped = False

    @property
    def responds(self) -> bool:
        return self.process is not None and self.process.poll() is None and not self.is_stopped

    def send_sigstop(self) -> None:
        """Stop it: its connections stay open, and nothing on them is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        self.is_stopped = True

    def send_sigcont(self) -> None:
        """Let it continue."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.is_stopped = False

    def find_state(self) -> str:
        """Return "primary", "secondary" or "other", as it says itself."""
        if not self.responds:
            return "other"
        try:
            with MongoClient[dict[str, Any]](self.url, directConnection=True, timeoutMS=1000) as client:
                hello = client.admin.command("hello")
        except PyMongoError:
            return "other"
        return "primary" if hello.get("isWritablePrimary") else "secondary" if hello.get("secondary") else "other"


class ReplicaSet:
    """So many members, with access control. `url` has the user of the planner.

    An election begins when the primary has been silent for `election_seconds`.
    """

    def __init__(self, folder: Path, election_seconds: float, size: int) -> None:
        self._election_seconds = election_seconds
        folder.mkdir(parents=True, exist_ok=True)
        options = ("--replSet", NAME, *make_key_file(folder))
        self.members = [Member(folder / str(n), *options) for n in range(size)]
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        self.url = f"mongodb://{PLANNER}:{PLANNER_PASSWORD}@{hosts}/planner?replicaSet={NAME}"

    def start(self) -> None:
        """Start and configure the members, wait until one is primary and the others follow it, and create the users."""
        for member in self.members:
            member.start()
        hosts = [{"_id": n, "host": f"127.0.0.1:{member.port}"} for n, member in enumerate(self.members)]
        settings = SETTINGS | {"electionTimeoutMillis": int(self._election_seconds * 1000)}
        with self.members[0].connect() as client:
            client.admin.command("replSetInitiate", {"_id": NAME, "members": hosts, "settings": settings})
        self.wait_until_whole()
        primary = self.primary()
        primary.create_operator()
        with primary.connect_as_operator() as client:
            client.planner.command("createUser", PLANNER, pwd=PLANNER_PASSWORD, roles=["readWrite"])

    def wait_until_whole(self) -> None:
        """Wait until one member is primary and the others are secondaries."""
        states = ["primary"] + ["secondary"] * (len(self.members) - 1)
        wait_until(lambda: sorted(member.find_state() for member in self.members) == states, WHOLE_SECONDS)

    def primary(self) -> Member:
        """Return the primary, as soon as there is one."""

        found: list[Member] = wait_until(lambda: [m for m in self.members if m.find_state() == "primary"])
        return found[0]

    def secondaries(self) -> list[Member]:
        """Return the members that are not the primary; all must run."""
        primary = self.primary()
        return [member for member in self.members if member is not primary]

    def find_last_election(self) -> float:
        """Return when the election of the primary began, by `time.monotonic`."""
        with self.primary().connect_as_operator() as client:
            metrics = client.admin.command("replSetGetStatus")["electionCandidateMetrics"]
        began: datetime = metrics["lastElectionDate"].replace(tzinfo=UTC)
        return time.monotonic() - (time.time() - began.timestamp())

    def step_down(self) -> None:
        """Have the primary give up its part, as a maintenance of its machine does."""
        with self.primary().connect_as_operator() as client:
            client.admin.command("replSetStepDown", 20)

    def heal(self) -> float:
        """Let all members run again; return when a majority did, by `time.monotonic`."""
        for member in self.members:
            if member.is_stopped:
                member.send_sigcont()
        moment = time.monotonic()
        for member in self.members:
            if not member.responds:
                was_majority = sum(other.responds for other in self.members) * 2 > len(self.members)
                member.start()
                moment = moment if was_majority else time.monotonic()
        return moment

    def stop(self) -> None:
        """End all members."""
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                member.kill()


@contextmanager
def replica_set(folder: Path, election_seconds: float = 10.0, size: int = 3) -> Iterator[ReplicaSet]:
    """Run a replica set for as long as the block runs."""
    members = ReplicaSet(folder, election_seconds, size)
    try:
        members.start()
        yield members
    finally:
        members.stop()

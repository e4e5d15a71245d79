"""An account with very many events, exported and deleted: `python -m tests.bench.endurance.large_account`."""

import argparse
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

from bson import ObjectId

from database.queries import Id, new_id
from models.accounts.user import event_ids_by_bucket
from models.events.event import Event
from planner.domain.times import build_order_key
from tests.bench.endurance.setting import resident_megabytes, running_planner
from tests.bench.sides import EVENT, PASSWORD, Api
from tests.support.documents import build_event_document, insert_events
from tests.support.servers import RunningServer

BATCH = 2_000


class Others:
    """Somebody who reads an event all the time; `milliseconds` is how long each read took."""

    def __init__(self, port: int, token: str) -> None:
        self._api = Api(port, token)
        self._id = self._api.ask("POST", "/events", EVENT)["id"]
        self.milliseconds: list[float] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopped.wait(0.02):
            begun = time.perf_counter()
            self._api.ask("GET", f"/events/{self._id}")
            self.milliseconds.append((time.perf_counter() - begun) * 1000)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Print how long something took, and how long the reads took meanwhile."""
        self.milliseconds.clear()
        begun = time.monotonic()
        yield
        took, reads = time.monotonic() - begun, list(self.milliseconds)
        p99 = quantiles(reads, n=100)[-1] if len(reads) > 1 else float("nan")
        print(f"{what}: {took:.1f} s; others' reads p50 {median(reads or [0]):.1f}, p99 {p99:.1f} ms", flush=True)


def store(database: Any, creator: ObjectId, number: int, change_number: int = 1) -> None:
    """Store the events of the account, all with this change number; every second one is public."""
    kinds = [build_event_document(Id(creator), **EVENT, visibility=each) for each in ("public", "private")]
    ids: list[Id] = []
    for start in range(0, number, BATCH):
        events = []
        for each in range(start, min(start + BATCH, number)):
            kind, id = kinds[each % 2], new_id()
            events.append(kind.with_stored({Event.id: id, Event.key: build_order_key(kind.begins, str(id))}))
        ids += [event.id for event in events]
        insert_events(database, events, change_number)
    database.users.update_one({"_id": creator}, {"$set": {"events": event_ids_by_bucket(ids)}})


def measure(server: RunningServer, database: Any, number: int) -> None:
    """Print what the export and the deletion of an account with so many events take."""
    assert server.process is not None
    api, ids, tokens = Api(server.port), [], []
    for name in ("large", "other"):
        who = {"email": f"{name}@example.com", "password": PASSWORD}
        ids.append(ObjectId(api.ask("POST", "/auth/signup", who)["id"]))
        tokens.append(str(api.ask("POST", "/auth/signin", who)["access_token"]))
    api.close()
    begun = time.monotonic()
    store(database, ids[0], number)
    print(f"{number:,} events were stored in {time.monotonic() - begun:.0f} s", flush=True)
    others = Others(server.port, tokens[1])
    pid = server.process.pid
    try:
        before = resident_megabytes(pid)
        with others.during("export, sent at once"):
            size = export(server.port, tokens[0])
        print(f"  {size / 2**20:.0f} MiB; memory {before:.0f} MB before, {resident_megabytes(pid):.0f} MB after")
        with others.during("export, in the background"):
            job = export_in_background(server.port, tokens[0])
        print(f"  {job['size'] / 2**20:.0f} MiB; memory {resident_megabytes(pid):.0f} MB after")
        with others.during("deletion, until the response"):
            Api(server.port, tokens[0]).ask("DELETE", "/users/me", {"password": PASSWORD})
        listed = len(Api(server.port, tokens[1]).ask("GET", "/events?scope=public")["items"])
        left = database.events.count_documents({}, limit=number)
        with others.during("deletion, the rest in the background"):
            while database.closed_accounts.count_documents({}):
                time.sleep(0.1)
        print(f"  {left:,} events were left at the response, and others saw {listed} of them")
        print(f"  left now: {database.events.count_documents({}) - 1} events; memory {resident_megabytes(pid):.0f} MB")
    finally:
        others.stop()


def export(port: int, token: str) -> int:
    """Read the export as it is sent; return its size."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/api/v1/users/me/export", headers={"authorization": f"Bearer {token}"})
    answer, size = connection.getresponse(), 0
    while part := answer.read(2**16):
        size += len(part)
    connection.close()
    return size


def export_in_background(port: int, token: str) -> Any:
    """Ask for an export, and return its job when it is done."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"authorization": f"Bearer {token}", "prefer": "respond-async"}
    connection.request("GET", "/api/v1/users/me/export", headers=headers)
    job = json.loads(connection.getresponse().read())
    connection.close()
    while job["status"] not in ("done", "failed"):
        time.sleep(0.1)
        job = Api(port, token).ask("GET", f"/exports/{job['id']}")
    assert job["status"] == "done"
    return job


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure the export and the deletion of an account with many events.")
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    with running_planner("large-account") as (server, database, _):
        measure(server, database, options.events)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

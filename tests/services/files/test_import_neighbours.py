"""While a large file is imported, other requests are served."""

from typing import Any

import httpx
import pytest

from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import send
from tests.support.clients import Person, ok, sign_up
from tests.support.servers import RunningServer

pytestmark = [pytest.mark.real_server("the import runs in a process of its own"), pytest.mark.slow]

ENTRIES = 3_000
# At least so often is somebody else served while the import goes on: an import that blocks the event loop is done as
# a whole from one response to the next. `make bench` measures in seconds how long others wait.
MIN_RESPONSES = 10


async def entries_between_responses(importing: Person, job: Any, reading: Person, paths: list[str]) -> list[int]:
    """Read the paths in turn until the job is done, and return how many entries were done from each to the next."""
    done, steps = 0, []
    while job["status"] != "done":
        for path in paths:
            ok(await reading.get(path))
        job = ok(await importing.get(f"/imports/{job['id']}"))
        steps.append(job["done"] - done)
        done = job["done"]
    assert done == ENTRIES
    return steps


async def test_other_requests_are_served_while_a_large_file_is_imported(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        ada, ben = await sign_up(client, "neighbour@example.com"), await sign_up(client, "reader@example.com")
        id = (await ben.event())["id"]
        text = file(*(event("RRULE:FREQ=WEEKLY;COUNT=9", f"SUMMARY:{n}", uid=f"{n}@x") for n in range(ENTRIES)))
        for _ in ("created", "unchanged"):
            job = ok(await send(ada, text, prefer="respond-async"), 202)
            steps = await entries_between_responses(ada, job, ben, [f"/events/{id}", "/events"])
            assert len([step for step in steps if step]) >= MIN_RESPONSES

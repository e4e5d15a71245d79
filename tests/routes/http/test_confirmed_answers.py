"""A request that finds its change made already is answered when that is confirmed; none waits long for the database."""

import time
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from database import connection
from database.commit import Commits, confirm_reads, note_commits
from database.connection import limit_request, seconds_for_operation
from routes.http import route
from tests.domain.ics.samples import event, file
from tests.services.files.test_importer import send
from tests.support.clients import Person, ok

KEY = {"Idempotency-Key": "one"}
TITLE = {"title": "Book launch"}


@pytest.fixture
def without_majority(monkeypatch: pytest.MonkeyPatch) -> None:
    """The primary has lost its majority: what was read cannot be confirmed."""

    async def wait_in_vain() -> None:
        raise ServerSelectionTimeoutError("no majority")

    monkeypatch.setattr(route, "confirm_reads", wait_in_vain)


@pytest.mark.usefixtures("without_majority")
async def test_the_stored_response_to_a_repeated_request_is_not_sent_while_it_may_be_undone(ada: Person) -> None:
    ok(await ada.post("/events", json=TITLE, headers=KEY), 201)
    again = await ada.post("/events", json=TITLE, headers=KEY)
    assert again.status_code == 503
    assert int(again.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("without_majority")
async def test_an_import_that_changes_nothing_is_not_acknowledged_while_that_may_be_undone(
    ada: Person,
) -> None:
    text = file(event("SUMMARY:Book launch", uid="one@x"))
    ok(await send(ada, text))
    assert (await send(ada, text)).status_code == 503


@pytest.mark.usefixtures("without_majority")
async def test_what_only_reads_needs_no_confirmation(ada: Person) -> None:
    created = await ada.event()
    ok(await ada.get(f"/events/{created['id']}"))
    assert (await ada.patch("/events/000000000000000000000000", json={"title": "None"})).status_code == 404


async def test_a_repeated_request_gets_the_first_response_when_it_is_confirmed(ada: Person) -> None:
    first = ok(await ada.post("/events", json=TITLE, headers=KEY), 201)
    assert ok(await ada.post("/events", json=TITLE, headers=KEY), 201) == first


@pytest.mark.usefixtures("database")
async def test_what_was_read_is_confirmed_by_a_server_with_a_majority() -> None:
    with note_commits() as commits:
        await confirm_reads()
    assert commits == Commits(were_made=False)


def test_the_operations_of_a_request_share_its_time_until_the_response_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    whole: Any = connection.OPERATION_SECONDS
    assert seconds_for_operation() == whole
    with limit_request() as limit:
        assert seconds_for_operation() == whole
        now += 4
        assert seconds_for_operation() == connection.REQUEST_SECONDS - 4
        limit.extend()
        assert seconds_for_operation() == whole
        limit.lift()
        now += 100
        assert seconds_for_operation() == whole
    assert seconds_for_operation() == whole

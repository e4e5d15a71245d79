"""Unreasonable files are refused with a bounded amount of work and memory."""

import gzip
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pytest

from tests.domain.ics.samples import always, event, file
from tests.support.clients import PASSWORD
from tests.support.servers import RunningServer
from tests.support.waiting import must_finish

pytestmark = [
    pytest.mark.real_server("it measures a real process"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

MIB = 1024 * 1024
# Besides the body itself.
MAX_MEMORY = 60 * MIB


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    """The access token of a new user."""
    login = {"email": "ada@example.com", "password": PASSWORD}
    assert httpx.post(f"{server.url}/auth/signup", json=login).status_code == 201
    return str(httpx.post(f"{server.url}/auth/signin", json=login).json()["access_token"])


def memory(server: RunningServer, name: str = "VmRSS") -> int:
    """Return how many bytes of memory the planner uses."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def post(server: RunningServer, token: str, content: bytes, *headers: str) -> tuple[int, dict[str, object]]:
    """Send a file over a plain connection, because the response may come before all of it was sent."""
    head = [
        *("POST /api/v1/events/import HTTP/1.1", "Host: planner", f"Authorization: Bearer {token}"),
        *("Content-Type: text/calendar", f"Content-Length: {len(content)}", "Connection: close", *headers, "", ""),
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        response = b""
        with suppress(OSError):  # The server may close the connection early.
            connection.sendall("\r\n".join(head).encode() + content)
        with suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                response += part
    start, _, body = response.partition(b"\r\n\r\n")
    return int(start.split()[1]), orjson.loads(body)


def two_million_lines() -> bytes:
    lines = b"BEGIN:VCALENDAR\r\n" + b"X-A:1234\r\n" * 2_000_000
    return lines[: 20 * MIB]


def nested() -> bytes:
    return b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VALARM\r\n" * 400_000


def packed() -> bytes:
    return gzip.compress(b"X" * (200 * MIB), 1)


REFUSED: dict[str, tuple[Callable[[], bytes], tuple[str, ...], int]] = {
    "a zip bomb": (packed, ("Content-Encoding: gzip",), 415),
    "a zip bomb without a Content-Encoding": (packed, (), 422),
    "two million lines": (two_million_lines, (), 413),
    "a line of 20 MiB": (lambda: b"BEGIN:VCALENDAR\r\nX-A:" + b"a" * (19 * MIB), (), 413),
    "a file that is too large": (lambda: b"X-A:1\r\n" * (4 * MIB), (), 413),
    "a hundred thousand entries": (lambda: b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 100_000, (), 413),
    "components in components": (nested, (), 422),
    "zeroes": (lambda: bytes(MIB), (), 422),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_unreasonable_file_is_refused_and_takes_no_memory(server: RunningServer, token: str, what: str) -> None:
    make, headers, status = REFUSED[what]
    content = make()
    # The first import loads modules, which is not part of the cost.
    post(server, token, file(event()).encode())
    before = memory(server)
    with must_finish():
        actual_status, body = post(server, token, content, *headers)
    assert actual_status == status, body
    assert memory(server) - before < MAX_MEMORY


def entry_failures(server: RunningServer, token: str, content: str) -> list[object]:
    status, body = post(server, token, content.encode())
    assert status == 200, body
    failed = body["failed"]
    assert isinstance(failed, list)
    return failed


ENDLESS = [
    event("RRULE:FREQ=DAILY;COUNT=1000000000", uid="count"),
    event("RRULE:FREQ=DAILY;COUNT=" + "9" * 5_000, uid="digits"),
    event("RRULE:FREQ=HOURLY;BYMINUTE=" + ",".join(map(str, range(60))), uid="minutes"),
    event("RRULE:FREQ=DAILY;BYSECOND=" + ",".join(map(str, range(60))) + ";BYHOUR=1,2", uid="seconds"),
    event("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", uid="never"),
    event("RDATE:" + ",".join(["20260601T180000Z"] * 60_000), uid="dates"),
    event("EXDATE:" + ",".join(["20260601T180000Z"] * 60_000), uid="exceptions"),
    event("RRULE:FREQ=HOURLY", *[f"EXRULE:FREQ=HOURLY;COUNT={n}" for n in range(9_000)], uid="many"),
]
# These cost an event no more than a line, or are bounded.
BOUNDED = [
    event("SEQUENCE:" + "9" * 100_000, uid="sequence"),
    event("DURATION:P" + "9" * 100_000 + "D", uid="duration"),
    event("RRULE:FREQ=HOURLY", *[f"RRULE:FREQ=HOURLY;BYMINUTE={n};INTERVAL={n}" for n in range(1, 5)], uid="rules"),
    event("RRULE:FREQ=HOURLY", *[f"EXRULE:FREQ=HOURLY;BYMINUTE={n}" for n in range(1, 5)], uid="exrules"),
    event("RRULE:FREQ=DAILY", *["EXDATE:tomorrow"] * 20_000, uid="warnings"),
    event(*["no property"] * 100_000, uid="lines"),
]


def test_rules_and_numbers_of_any_size_cost_nothing(server: RunningServer, token: str) -> None:
    before = memory(server)
    # Going through a billion dates, or a number of so many digits, would take hours.
    with must_finish():
        failed = entry_failures(server, token, file(*ENDLESS, *BOUNDED))
    assert len(failed) == len(ENDLESS)
    assert memory(server) - before < MAX_MEMORY


def test_many_time_zones_cost_little(server: RunningServer, token: str) -> None:
    zones = [always(f"Z{n}", f"+01{n % 60:02}") for n in range(400)]
    entries = [event(uid=f"z{n}", start=f"DTSTART;TZID=Z{n % 400}:{1000 + n}0501T180000") for n in range(3_000)]
    # Each zone with each of the entries would be more than a million.
    with must_finish(120):
        failed = entry_failures(server, token, file(*zones, *entries))
    assert failed == []

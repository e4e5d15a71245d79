"""What nobody would import in earnest costs nothing: it is refused soon, and takes no memory."""

import gzip
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pytest

from tests.domain.ics.samples import always, event, file
from tests.support.clients import PASSWORD
from tests.support.servers import RunningServer

pytestmark = [
    pytest.mark.real_server("it measures a real process"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

MIB = 1024 * 1024
# Beside what the body itself takes; generous, for the tests share two cores.
MOST_MEMORY = 60 * MIB
AT_ONCE, WITH_A_PROCESS = 3.0, 20.0


@pytest.fixture(scope="module")
def token(server: RunningServer) -> str:
    """Somebody's access token."""
    login = {"email": "ada@example.com", "password": PASSWORD}
    assert httpx.post(f"{server.url}/auth/signup", json=login).status_code == 201
    return str(httpx.post(f"{server.url}/auth/signin", json=login).json()["access_token"])


def memory(server: RunningServer, name: str = "VmRSS") -> int:
    """The bytes of memory that the planner has."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def post(server: RunningServer, token: str, content: bytes, *headers: str) -> tuple[int, dict[str, object]]:
    """Send a file over a bare connection: the answer may come while it is still being sent."""
    head = [
        *("POST /api/v1/events/import HTTP/1.1", "Host: planner", f"Authorization: Bearer {token}"),
        *("Content-Type: text/calendar", f"Content-Length: {len(content)}", "Connection: close", *headers, "", ""),
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        answer = b""
        with suppress(OSError):  # It has heard enough.
            connection.sendall("\r\n".join(head).encode() + content)
        with suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                answer += part
    start, _, body = answer.partition(b"\r\n\r\n")
    return int(start.split()[1]), orjson.loads(body)


def two_million_lines() -> bytes:
    lines = b"BEGIN:VCALENDAR\r\n" + b"X-A:1234\r\n" * 2_000_000
    return lines[: 20 * MIB]


def nested() -> bytes:
    return b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VALARM\r\n" * 400_000


def packed() -> bytes:
    return gzip.compress(b"X" * (200 * MIB), 1)


REFUSED: dict[str, tuple[Callable[[], bytes], tuple[str, ...], int, float]] = {
    "a zip bomb": (packed, ("Content-Encoding: gzip",), 415, AT_ONCE),
    "a zip bomb that does not say so": (packed, (), 400, WITH_A_PROCESS),
    "two million lines": (two_million_lines, (), 413, AT_ONCE),
    "a line of 20 MiB": (lambda: b"BEGIN:VCALENDAR\r\nX-A:" + b"a" * (19 * MIB), (), 413, AT_ONCE),
    "a file that is too large": (lambda: b"X-A:1\r\n" * (4 * MIB), (), 413, AT_ONCE),
    "a hundred thousand entries": (lambda: b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 100_000, (), 413, AT_ONCE),
    "components in components": (nested, (), 422, WITH_A_PROCESS),
    "zeroes": (lambda: bytes(MIB), (), 422, WITH_A_PROCESS),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_too_much_is_refused_soon_and_takes_no_memory(server: RunningServer, token: str, what: str) -> None:
    make, headers, status, seconds = REFUSED[what]
    content = make()
    post(server, token, file(event()).encode())  # what is loaded by the first import is no cost of this one
    before, begun = memory(server), time.monotonic()
    answered, body = post(server, token, content, *headers)
    taken = time.monotonic() - begun
    assert answered == status, body
    assert taken < seconds
    assert memory(server) - before < MOST_MEMORY


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
    event("SEQUENCE:" + "9" * 100_000, uid="sequence"),
    event("DURATION:P" + "9" * 100_000 + "D", uid="duration"),
]


def test_rules_and_numbers_without_end_cost_nothing(server: RunningServer, token: str) -> None:
    before, begun = memory(server), time.monotonic()
    failed = entry_failures(server, token, file(*ENDLESS))
    assert time.monotonic() - begun < WITH_A_PROCESS
    assert len(failed) == len(ENDLESS)
    assert memory(server) - before < MOST_MEMORY


def test_zones_without_number_cost_little(server: RunningServer, token: str) -> None:
    zones = [always(f"Z{n}", f"+01{n % 60:02}") for n in range(400)]
    entries = [event(uid=f"z{n}", start=f"DTSTART;TZID=Z{n % 400}:{1000 + n}0501T180000") for n in range(3_000)]
    begun = time.monotonic()
    failed = entry_failures(server, token, file(*zones, *entries))
    assert time.monotonic() - begun < 40
    assert len(failed) > 2_500

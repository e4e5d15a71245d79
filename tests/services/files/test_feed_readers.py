"""Feeds and files, read by calendar programs: khal and vdirsyncer, with a running planner."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import icalendar
import pytest

from tests.support.clients import PASSWORD, ok
from tests.support.servers import RunningServer

pytestmark = [pytest.mark.real_server("a planner of its own"), pytest.mark.slow]

VDIRSYNCER = """
[general]
status_path = "{home}/status"
[pair feed]
a = "here"
b = "there"
collections = null
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "{home}/feed"
fileext = ".ics"
[storage there]
type = "http"
url = "{url}"
"""
KHAL = """
[calendars]
[[feed]]
path = {home}/feed
type = calendar
[locale]
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {home}/khal.db
[default]
default_calendar = feed
"""
LINE = "{start-long} to {end-long} {title}"

WEEKLY = {
    "title": "Reading circle; with tea, and cake",
    "description": "One chapter each.\nBring a cup — größer is besser 🎉",
    "location": "Town library",
    "start": "2026-12-01T18:00:00",
    "end": "2026-12-01T20:00:00",
    "time_zone": "Europe/Berlin",
    "tags": ["books", "a,b"],
    "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=4"},
}
SHOWN = [
    "2026-12-01 18:00 to 2026-12-01 20:00 Reading circle; with tea, and cake",
    "2026-12-03 to 2026-12-04 Two days off",
    "2026-12-09 19:30 to 2026-12-09 21:00 Reading circle, later",
    "2026-12-10 03:00 to 2026-12-10 04:00 Call with Tokyo",
    "2026-12-22 18:00 to 2026-12-22 20:00 Reading circle; with tea, and cake",
]


class Tools:
    """The programs, with the configuration and the data of one user."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        (home / "feed").mkdir()
        (home / "vdirsyncer").write_text(VDIRSYNCER.format(home=home, url=url))
        (home / "khal").write_text(KHAL.format(home=home))

    def run(self, program: str, arguments: Sequence[str], stdin: str = "") -> str:
        # They are installed beside the interpreter. No configuration of who runs the tests may affect them.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        command = [str(Path(sys.executable).with_name(program)), "-c", str(self.home / program), *arguments]
        done = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def list_occurrences(self) -> list[str]:
        """Return what khal displays for December, one line for each occurrence."""
        shown = self.run("khal", ["list", "--format", LINE, "--day-format", "", "2026-12-01", "31d"])
        return sorted({line for line in shown.splitlines() if line.strip()})

    def read_vevents(self) -> list[Any]:
        """Return every VEVENT that is in the collection of the programs now."""
        files = [icalendar.Calendar.from_ical(file.read_bytes()) for file in (self.home / "feed").glob("*.ics")]
        return [event for file in files for event in file.walk("VEVENT")]


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """A client of the running planner, signed in as a new user."""
    name = f"ada{os.urandom(4).hex()}@example.com"
    with httpx.Client(base_url=server.url, timeout=30) as client:
        ok(client.post("/auth/signup", json={"email": name, "password": PASSWORD}), 201)
        signed_in = ok(client.post("/auth/signin", json={"email": name, "password": PASSWORD}))
        client.headers["authorization"] = f"Bearer {signed_in['access_token']}"
        yield client


@pytest.fixture
def weekly(client: httpx.Client) -> Any:
    """A weekly event of which one occurrence was moved and one deleted; the user has other events, too."""
    event = ok(client.post("/events", json=WEEKLY), 201)
    path = f"/events/{event['id']}/occurrences"
    moved = {"start": "2026-12-09T19:30:00", "end": "2026-12-09T21:00:00", "title": "Reading circle, later"}
    ok(client.patch(f"{path}/2026-12-08T18:00:00", json=moved))
    ok(client.delete(f"{path}/2026-12-15T18:00:00"), 204)
    call = {"start": "2026-12-10T11:00:00", "end": "2026-12-10T12:00:00", "time_zone": "Asia/Tokyo"}
    ok(client.post("/events", json={"title": "Call with Tokyo", "reminders": [10]} | call), 201)
    ok(client.post("/events", json={"title": "Two days off", "start": "2026-12-03", "end": "2026-12-05"}), 201)
    ok(client.post("/events", json={"title": "Some day"}), 201)
    return event


@pytest.fixture
def address(client: httpx.Client, server: RunningServer) -> str:
    """The address of a feed of the user, at the port on which this planner listens."""
    url = str(ok(client.post("/feeds", json={"name": "Ada"}), 201)["url"])
    return f"{server.url}/feeds/{url.rpartition('/')[2]}"


def test_khal_imports_a_file_and_shows_each_event_at_its_time(
    client: httpx.Client, weekly: Any, tmp_path: Path
) -> None:
    tools = Tools(tmp_path, "")
    file = tmp_path / "export.ics"
    file.write_bytes(client.get("/events.ics").content)
    tools.run("khal", ["import", "--batch", "-a", "feed", str(file)])
    assert tools.list_occurrences() == SHOWN


def test_khal_imports_a_file_of_one_event(client: httpx.Client, weekly: Any, tmp_path: Path) -> None:
    tools = Tools(tmp_path, "")
    file = tmp_path / "export.ics"
    file.write_bytes(client.get(f"/events/{weekly['id']}.ics").content)
    tools.run("khal", ["import", "--batch", "-a", "feed", str(file)])
    assert tools.list_occurrences() == [line for line in SHOWN if "Reading" in line]


def test_vdirsyncer_copies_a_feed_and_khal_shows_each_event_at_its_time(
    client: httpx.Client, weekly: Any, address: str, tmp_path: Path
) -> None:
    tools = Tools(tmp_path, address)
    tools.run("vdirsyncer", ["discover", "feed"], "y\n")
    tools.run("vdirsyncer", ["sync"])
    assert tools.list_occurrences() == SHOWN
    ok(client.patch(f"/events/{weekly['id']}", json={"title": "Reading circle, renamed"}))
    tools.run("vdirsyncer", ["sync"])
    assert [line for line in tools.list_occurrences() if "renamed" in line] == [
        line.replace("; with tea, and cake", ", renamed") for line in SHOWN if "cake" in line
    ]
    ok(client.delete(f"/events/{weekly['id']}"), 204)
    tools.run("vdirsyncer", ["sync"])
    assert tools.list_occurrences() == [line for line in SHOWN if "Reading" not in line]


def test_a_subscribed_event_has_every_field_of_the_event(
    client: httpx.Client, weekly: Any, address: str, tmp_path: Path
) -> None:
    tools = Tools(tmp_path, address)
    tools.run("vdirsyncer", ["discover", "feed"], "y\n")
    tools.run("vdirsyncer", ["sync"])
    (event,) = [found for found in tools.read_vevents() if "RRULE" in found]
    assert str(event["SUMMARY"]) == WEEKLY["title"]
    assert str(event["DESCRIPTION"]) == WEEKLY["description"]
    assert str(event["LOCATION"]) == WEEKLY["location"]
    assert [str(tag) for tag in event["CATEGORIES"].cats] == WEEKLY["tags"]
    assert event["DTSTART"].dt.isoformat() == weekly["start"]
    assert event["RRULE"].to_ical() == b"FREQ=WEEKLY;COUNT=4"
    assert event["EXDATE"].dts[0].dt.isoformat() == "2026-12-15T18:00:00+01:00"
    (moved,) = [found for found in tools.read_vevents() if "RECURRENCE-ID" in found]
    assert moved["RECURRENCE-ID"].dt.isoformat() == "2026-12-08T18:00:00+01:00"
    (call,) = [found for found in tools.read_vevents() if str(found["SUMMARY"]) == "Call with Tokyo"]
    assert [alarm["TRIGGER"].dt.total_seconds() for alarm in call.walk("VALARM")] == [-600]


def imported(client: httpx.Client, files: Iterable[Path]) -> dict[str, int]:
    """Import files, and return the sums of their results."""
    total: dict[str, int] = {}
    for file in files:
        response = client.post("/events/import", content=file.read_bytes(), headers={"content-type": "text/calendar"})
        for name, count in ok(response).items():
            total[name] = total.get(name, 0) + (len(count) if name in ("failed", "warnings") else count)
    return total


def test_the_files_of_vdirsyncer_are_imported_as_the_same_events(
    client: httpx.Client, weekly: Any, address: str, tmp_path: Path
) -> None:
    tools = Tools(tmp_path, address)
    tools.run("vdirsyncer", ["discover", "feed"], "y\n")
    tools.run("vdirsyncer", ["sync"])
    # vdirsyncer gives the events of a feed new UIDs, so these are created as further events with the same content.
    before = ok(client.get("/events"))["items"]
    found = imported(client, (tmp_path / "feed").glob("*.ics"))
    assert found == {"created": 3, "updated": 0, "unchanged": 0, "failed": 0, "warnings": 0}
    ids = {event["id"] for event in before}
    created = [event for event in ok(client.get("/events"))["items"] if event["id"] not in ids]
    server_fields = {"id", "uid", "revision", "created_at", "updated_at"}
    same = [{name: value for name, value in event.items() if name not in server_fields} for event in created]
    for event in before:
        if event["start"] is not None:
            assert {name: value for name, value in event.items() if name not in server_fields} in same


def test_the_files_of_khal_are_imported_as_the_same_events(client: httpx.Client, weekly: Any, tmp_path: Path) -> None:
    tools = Tools(tmp_path, "")
    (tmp_path / "export.ics").write_bytes(client.get("/events.ics").content)
    tools.run("khal", ["import", "--batch", "-a", "feed", str(tmp_path / "export.ics")])
    found = imported(client, (tmp_path / "feed").glob("*.ics"))
    assert found == {"created": 0, "updated": 0, "unchanged": 3, "failed": 0, "warnings": 0}


def test_the_token_of_a_feed_is_in_no_log_line(
    client: httpx.Client, weekly: Any, address: str, server: RunningServer
) -> None:
    token = address.rpartition("/")[2].removesuffix(".ics")
    with httpx.Client() as nobody:
        assert nobody.get(address).status_code == 200
        assert nobody.post(address).status_code == 405
        assert nobody.get(address, headers={"if-none-match": "nonsense"}).status_code == 400
        assert nobody.get(address.removesuffix(".ics")).status_code == 405
        feed = ok(client.get("/feeds"))["items"][0]
        ok(client.delete(f"/feeds/{feed['id']}"), 204)
        assert nobody.get(address).status_code == 404
    assert server.output, "the server has logged nothing"
    assert token not in server.output

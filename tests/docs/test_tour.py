"""The README keeps its word: every command of its tour is run, in order, against a planner as its users run it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from planner.cli import main
from tests.docs.shell import blocks, run_commands
from tests.support.servers import ROOT, RunningServer, free_port, running

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
# Ports that the tour takes for its own programs; here others may have taken them.
PORTS = ("9400", "9401")

# Notes the status of each answer beside the request, whatever else is asked of curl.
HARNESS = r"""
set -euo pipefail
curl() {
  local head status=0
  head=$(mktemp)
  command curl -D "$head" "$@" || status=$?
  printf '%s ' "$(grep -a ^HTTP/ "$head" | tail -1 | cut -d' ' -f2)" "$@" | tr '\n' ' ' >> requests
  echo >> requests
  return $status
}
# The tour waits a moment for a mail. However slow the machine is, it is waited for until it is there.
sleep() {
  if [ "$1" = 1 ]; then until grep -qs reset-password .planner/outbox/*.eml; do command sleep 0.05; done
  else command sleep "$1"; fi
}
"""
# What does not succeed, and is not meant to: the stale change, the page that a reader of the tour has not
# written, and what they have already.
REFUSED = {"Too late": "412", "state=mine": "404", "--etag-compare": "304"}


class Asked(NamedTuple):
    """A request of the tour."""

    status: str
    command: str


class Tour(NamedTuple):
    """The tour after it was run: each request, and what was printed."""

    asked: list[Asked]
    printed: str

    def status_of(self, part: str) -> list[str]:
        """The statuses of the requests that hold `part`."""
        return [asked.status for asked in self.asked if part in asked.command]


def script(server: RunningServer) -> str:
    """The whole tour, for this server."""
    tour = "\n".join(blocks(README, "sh"))
    for port in PORTS:
        tour = tour.replace(port, str(free_port()))
    assert ADDRESS in tour
    return HARNESS + tour.replace(ADDRESS, server.root)


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """The tour, run in one shell in a directory that looks like a checkout's."""
    missing = [program for program in ("bash", "curl", "openssl") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the tour needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("tour")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "tmp").mkdir()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")}
    try:
        with running(folder / ".planner", RATE_LIMITS="on") as server:
            yield run(script(server), folder, environment)
    finally:
        shutil.rmtree(folder)


def run(commands: str, folder: Path, environment: dict[str, str]) -> Tour:
    status, printed = run_commands(commands, folder, environment, seconds=60)
    requests = folder / "requests"
    asked = [Asked(*line.split(" ", 1)) for line in requests.read_text().splitlines()] if requests.exists() else []
    assert status == 0, f"the tour ended with {status} after {asked[-1:]}:\n{printed[-2000:]}"
    return Tour(asked, printed)


@pytest.mark.real_server("the tour is taken with the embedded server")
def test_every_request_of_the_tour_has_the_status_that_the_readme_expects(tour: Tour) -> None:
    for asked in tour.asked:
        if "/readyz" in asked.command:
            continue  # It is asked for until it answers.
        meant = next((status for part, status in REFUSED.items() if part in asked.command), "2..")
        assert re.fullmatch(meant, asked.status), asked


@pytest.mark.real_server("the tour is taken with the embedded server")
def test_every_command_of_the_tour_is_run(tour: Tour) -> None:
    written = sum(len(re.findall(r"\bcurl ", block)) for block in blocks(README, "sh"))
    asked = [one for one in tour.asked if "/readyz" not in one.command]
    waited = len(re.findall(r"until curl ", "\n".join(blocks(README, "sh"))))
    assert len(asked) == written - waited > 10


@pytest.mark.real_server("the tour is taken with the embedded server")
def test_the_tour_prints_what_the_readme_says(tour: Tour) -> None:
    assert tour.status_of("auth/signup") == ["201"]
    assert tour.status_of('"title": "Book launch"') == ["201"]
    (location,) = re.findall(r"^location: (/api/v1/events/\w+)\s*$", tour.printed, re.MULTILINE | re.IGNORECASE)
    id = location.rpartition("/")[2]
    assert '"revision":1' in tour.printed
    assert '"revision":2' in tour.printed
    assert f'"events":["{id}"]' in tour.printed
    assert tour.status_of("-X DELETE") == ["204"]
    assert tour.status_of("Too late") == ["412"]
    # The feed holds the moved occurrence, and goes in again as what it came from.
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261027T180000" in tour.printed
    assert "DTSTART;TZID=Europe/Berlin:20261028T190000" in tour.printed
    assert '{"created":0,"updated":0,"unchanged":1,"failed":[],"warnings":[]}' in tour.printed
    # The end before the start is left out, and the response says so. The event is found by the beginning of a word.
    assert re.search(
        r'"created":1,.*"warnings":\[\{"uid":"odd@example.com","reason":"[^"]*DTEND is before', tour.printed
    )
    assert '"title":"Afterwork in der Straße"' in tour.printed
    assert '"act":"restored"' in tour.printed


@pytest.mark.real_server("the tour is taken with the embedded server")
def test_the_tour_fails_with_a_command_that_fails(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    for broken in (f"curl -s http://127.0.0.1:{free_port()}/", "TOKEN=$(echo nothing | grep token | cut -c1-3)"):
        with pytest.raises(AssertionError, match="the tour ended with"):
            run(HARNESS + broken + "\necho went on\n", tmp_path, environment)
        assert "went on" not in (tmp_path / "printed").read_text()


def test_the_make_targets_that_the_readme_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    in_blocks = [line for block in blocks(README, "console") for line in block.splitlines() if line]
    assert "make run" in in_blocks
    assert "make test" in in_blocks
    named = set(re.findall(r"`make ([a-z-]+)`", README))
    for line in in_blocks:
        command = re.fullmatch(r"make ([a-z-]+)", line)
        assert command, f"the README asks for {line!r}, which this test does not know"
        named.add(command[1])
    assert named <= targets


def test_the_commands_that_the_readme_names_exist(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"python -m planner ([a-z][a-z-]*)((?: [a-z][a-z-]*)?)(?: [A-Z-]|[^ a-z])", README))
    assert ("serve", "") in named
    for command, further in named:
        with pytest.raises(SystemExit) as caught:
            main([command, *further.split(), "--help"])
        assert caught.value.code == 0
    capsys.readouterr()


def test_every_code_block_of_the_readme_names_its_language() -> None:
    fences = re.findall(r"^```(.*)$", README, re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= {"sh", "console", ""}
    assert set(fences[1::2]) == {""}

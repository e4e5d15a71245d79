"""The page on operating: its commands are run, and what its alerts and its dashboard name exists."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient

from database.embedded.server import find_mongod
from tests.docs.shell import blocks, run_commands
from tests.support.clients import Person, Planner
from tests.support.mongod import initiate_replica_set
from tests.support.servers import ROOT, free_port

PAGE = (ROOT / "docs" / "operating.md").read_text()
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "operating" / "alerts.yml").read_text())
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs" / "operating" / "grafana.json").read_text())
SAMPLES_OF = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def roles_of(user: str) -> list[Any]:
    """Return the roles with which the page creates a user of the database."""
    (roles,) = re.findall(rf'createUser\(\{{ user: "{user}",.*?roles: (\[.*?\]) \}}\)', PAGE, re.DOTALL)
    return list(yaml.safe_load(roles))


@contextmanager
def database_as_described(folder: Path) -> Iterator[str]:
    """Run MongoDB with the configuration of the page, as a set of one member, and yield the planner's URL."""
    (text,) = (block for block in blocks(PAGE, "yaml") if "replSetName" in block)
    port, key = free_port(), folder / "mongod.key"
    key.write_text("a key of the tests, which is base64".replace(" ", "").replace(",", "") + "\n")
    key.chmod(0o400)
    (folder / "db").mkdir()
    for described, here in {
        "/var/lib/mongodb": f"{folder}/db",
        "port: 27017": f"port: {port}\n  unixDomainSocket: {{ enabled: false }}",
        "0.0.0.0": "127.0.0.1",
        "/etc/mongod.key": str(key),
        "/var/log/mongodb/mongod.log": f"{folder}/log",
    }.items():
        assert described in text
        text = text.replace(described, here)
    (folder / "mongod.conf").write_text(text)
    command = [str(find_mongod()), "--config", str(folder / "mongod.conf")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        with MongoClient[Any](f"mongodb://127.0.0.1:{port}/?directConnection=true") as first:
            initiate_replica_set(first, "rs0", port)
            first.admin.command("createUser", "root", pwd="secret", roles=["root"])
        with MongoClient[Any](f"mongodb://root:secret@127.0.0.1:{port}/?directConnection=true") as root:
            root.planner.command("createUser", "planner", pwd="secret", roles=roles_of("planner"))
        (url,) = re.findall(r"`(mongodb://planner:PASSWORD@\S+)`", PAGE)
        yield re.sub(r"PASSWORD@[^/]+", f"secret@127.0.0.1:{port}", url)
    finally:
        server.terminate()
        server.wait(30)


class Operated(NamedTuple):
    """What the commands of the page printed, and the log of the first planner."""

    printed: str
    log: list[dict[str, Any]]


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Operated:
    """The commands of the page, run in one shell in a folder that looks like a copy of the source code."""
    missing = [program for program in ("bash", "curl", "grep") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the commands need {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("operated")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "mongo").mkdir()
    with database_as_described(folder / "mongo") as url:
        script = "set -euo pipefail\n" + "\n".join(blocks(PAGE, "sh"))
        assert "mongodb://127.0.0.1:27017/planner?replicaSet=rs0" in script
        script = script.replace("mongodb://127.0.0.1:27017/planner?replicaSet=rs0", url)
        for port in ("8001", "8002"):
            script = script.replace(port, str(free_port()))
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        environment |= {"PASSWORD_ROUNDS": "10", "DRAIN_SECONDS": "0.2"}
        script += "\nkill $PLANNER $SECOND; wait\n"
        status, printed = run_commands(script, folder, environment, seconds=300)
    assert status == 0, f"the commands ended with {status}:\n{printed[-3000:]}"
    lines = (folder / "planner.log").read_text().splitlines()
    return Operated(printed, [json.loads(line) for line in lines if line.startswith("{")])


@pytest.mark.slow
@pytest.mark.real_server("the commands start planners")
def test_the_commands_of_the_page_do_what_it_says(operated: Operated) -> None:
    assert "The settings are valid." in operated.printed
    assert "admin@example.com has an account now, and is an admin." in operated.printed
    assert re.search(r"backups/[\d-]+\.backup has \d+ documents", operated.printed)
    assert re.search(r"\d+ documents were restored", operated.printed)
    assert re.search(r"^planner_database_up.* 1\.0$", operated.printed, re.MULTILINE)
    assert "Traceback" not in operated.printed


def test_the_user_that_replaces_another_one_has_the_same_roles() -> None:
    assert roles_of("planner2") == roles_of("planner")


@pytest.mark.slow
@pytest.mark.real_server("the commands start planners")
def test_the_line_of_a_request_has_the_fields_that_the_page_shows(operated: Operated) -> None:
    (line,) = (line for line in operated.log if line.get("request_id") == "look-for-me")
    shown = json.loads(blocks(PAGE, "json")[0])
    assert line.keys() == shown.keys()
    assert (line["route"], line["status"]) == ("/api/v1/events", 401)


@pytest.fixture
async def families(api: Planner, ada: Person) -> dict[str, str]:
    """The metrics that a planner gives, with their types."""
    await ada.get("/events")
    text = (await api.get("http://planner.test/metrics")).text
    return {family.name: family.type for family in text_string_to_metric_families(text)}


def expressions_of_the_dashboard() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("file", ["alerts.yml", "grafana.json"])
async def test_every_metric_that_is_asked_for_exists(file: str, families: dict[str, str]) -> None:
    samples = {name + end for name, type in families.items() for end in SAMPLES_OF.get(type, ())}
    asked = [rule["expr"] for rule in RULES] if file == "alerts.yml" else expressions_of_the_dashboard()
    named = {name for expression in asked for name in re.findall(r"\bplanner_\w+", expression)}
    assert len(named) > 5
    assert named - samples == set()


async def test_every_queue_that_an_alert_leaves_out_exists(api: Planner) -> None:
    text = (await api.get("http://planner.test/metrics")).text
    left_out = {queue for rule in RULES for queue in re.findall(r'queue!="([^"]+)"', rule["expr"])}
    assert left_out <= set(re.findall(r'^planner_queue_length\{queue="([^"]+)"\}', text, re.MULTILINE))


async def test_the_page_describes_every_metric(families: dict[str, str]) -> None:
    section = PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    described = set(re.findall(r"`(planner_\w+)`", section))
    ours = {name for name in families if name.startswith("planner_")}
    assert described == {name + ("_total" if families[name] == "counter" else "") for name in ours}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_has_a_section_that_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    section = PAGE.partition(f"\n### {rule['alert']}\n")[2].partition("\n#")[0]
    assert len(section.split()) > 10


def test_no_section_is_about_an_alert_that_does_not_exist() -> None:
    section = PAGE.partition("\n## Alerts, and what to do\n")[2]
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_the_dashboard_has_what_grafana_needs() -> None:
    assert DASHBOARD["title"] and DASHBOARD["uid"] and DASHBOARD["schemaVersion"] >= 36
    assert [variable["type"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids)) > 5
    for panel in DASHBOARD["panels"]:
        assert panel["type"] and panel["title"] and panel["gridPos"].keys() == {"x", "y", "w", "h"}
        assert panel["targets"] and all(target["refId"] and target["expr"] for target in panel["targets"])
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_every_heading_that_the_page_links_to_exists() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) - headings == set()

"""The Dockerfile and compose.yaml: what they promise to those who run the planner in containers."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from database.connection import REQUEST_SECONDS
from database.embedded.server import find_mongod
from planner.settings import Settings
from planner.version import COMMIT_VARIABLE
from tests.support.mongod import initiate_replica_set, standalone
from tests.support.servers import ROOT, free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
EXACT_VERSION = r"\d+\.\d+\.\d+(-[\w.-]+)?(@sha256:[0-9a-f]{64})?"


class StrictLoader(yaml.SafeLoader):
    """Loads YAML, and refuses a key that stands twice in a mapping, which YAML itself does not allow."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        assert len(keys) == len(set(keys)), f"a key stands twice: {sorted(keys)}"
        return super().construct_mapping(node, deep)


COMPOSE: dict[str, Any] = yaml.load(COMPOSE_TEXT, StrictLoader)
MONGO, PLANNER = COMPOSE["services"]["mongo"], COMPOSE["services"]["planner"]


def instruction(name: str) -> str:
    """The arguments of the first instruction of the Dockerfile with this name."""
    found, *_ = re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)
    return str(found)


def test_no_key_stands_twice_in_the_compose_file() -> None:
    with pytest.raises(AssertionError, match="twice"):
        yaml.load("a: 1\nb: 2\na: 3\n", StrictLoader)
    assert set(COMPOSE["services"]) == {"mongo", "planner"}


@pytest.mark.parametrize("service", [MONGO, PLANNER], ids=["mongo", "planner"])
def test_a_service_is_started_again_and_its_log_has_a_limit(service: dict[str, Any]) -> None:
    assert service["restart"] == "unless-stopped"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_the_planner_has_the_time_that_it_needs_to_stop() -> None:
    (longest,) = [rule.le for rule in Settings.model_fields["drain_seconds"].metadata if hasattr(rule, "le")]
    allowed = int(PLANNER["stop_grace_period"].removesuffix("s"))
    grace = Settings.model_fields["grace_seconds"].default
    assert allowed > longest + grace + 2 * REQUEST_SECONDS


def test_images_have_exact_versions() -> None:
    assert re.fullmatch(rf"python:{EXACT_VERSION}", instruction("FROM"))
    assert re.fullmatch(rf"mongo:{EXACT_VERSION}", MONGO["image"])


def test_the_port_is_the_one_of_the_setting_everywhere() -> None:
    assert PLANNER["ports"] == ["127.0.0.1:${PORT:-8000}:${PORT:-8000}"]
    assert PLANNER["environment"]["PORT"] == "${PORT:-8000}"
    assert instruction("EXPOSE") == "$PORT"
    assert " PORT=8000 " in instruction("ENV")
    assert "os.environ['PORT']" in instruction("HEALTHCHECK")
    assert "8000" not in instruction("HEALTHCHECK")


def test_the_container_writes_to_a_volume_that_belongs_to_its_user() -> None:
    user, volume = instruction("USER"), instruction("VOLUME")
    assert re.search(rf"install -d -m 700 -o {user} -g {user} {volume}$", DOCKERFILE, re.MULTILINE)
    assert f"DATA_DIR={volume}" in instruction("ENV")
    assert PLANNER["environment"]["DATA_DIR"] == volume
    assert PLANNER["volumes"] == [f"data:{volume}"]


def test_the_image_knows_the_commit_that_it_was_built_from() -> None:
    assert COMMIT_VARIABLE in PLANNER["build"]["args"]
    assert re.search(rf"^ENV {COMMIT_VARIABLE}=\${COMMIT_VARIABLE}$", DOCKERFILE, re.MULTILINE)


def test_settings_that_have_no_line_reach_the_container_by_the_env_file() -> None:
    assert PLANNER["env_file"] == [{"path": ".env", "required": False}]
    assert "WORKERS" in PLANNER["environment"]


def test_the_command_of_the_container_is_one_of_the_planner() -> None:
    assert yaml.safe_load(instruction("CMD")) == ["python", "-m", "planner", "serve"]


def test_nobody_connects_to_the_database_without_the_password() -> None:
    password = MONGO["environment"]["MONGO_INITDB_ROOT_PASSWORD"]
    assert password.startswith("${MONGO_PASSWORD:?")
    assert "root:${MONGO_PASSWORD}@mongo:27017" in PLANNER["environment"]["DATABASE_URL"]
    assert all(port.startswith("127.0.0.1:") for port in [*MONGO["ports"], *PLANNER["ports"]])


@pytest.mark.real_server("it starts mongod as the container does")
def test_the_command_of_the_database_makes_a_replica_set_that_needs_the_password(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "db"
    # The image creates the user root with a server of its own, before it starts the command.
    with standalone(data) as first, MongoClient[Any](first.url) as client:
        client.admin.command("createUser", "root", pwd="secret", roles=["root"])
    server = start_as_the_container_does(tmp_path, port, ["--dbpath", str(data), "--logpath", str(tmp_path / "log")])
    try:
        url = f"mongodb://root:secret@127.0.0.1:{port}/planner?authSource=admin"
        with MongoClient[Any](url + "&directConnection=true") as client:
            initiate_replica_set(client, "rs0", port)
        with MongoClient[Any](url + "&replicaSet=rs0") as client:
            assert client.planner.anything.insert_one({}).acknowledged
        anybody = MongoClient[Any](f"mongodb://127.0.0.1:{port}/?directConnection=true")
        with anybody, pytest.raises(OperationFailure, match="requires authentication"):
            anybody.planner.anything.find_one()
    finally:
        server.terminate()
        server.wait(30)


def start_as_the_container_does(folder: Path, port: int, options: list[str]) -> subprocess.Popen[bytes]:
    """Run the entry point of the compose file, with programs of its image in `folder`, which know the port."""
    shell, flag, script = MONGO["entrypoint"]
    script = script.replace("/etc/mongod.key", str(folder / "mongod.key")).replace("--bind_ip_all", "")
    programs = folder / "programs"
    programs.mkdir()
    mongod = shlex.join([str(find_mongod()), "--port", str(port), "--nounixsocket", *options])
    for name, line in {"chown": "exit 0", "docker-entrypoint.sh": f'shift; exec {mongod} "$@"'}.items():
        (programs / name).write_text(f"#!/bin/bash\n{line}\n")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    return subprocess.Popen([shell, flag, script], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)

"""A database that cannot be used: each command says in one sentence why and what to do, and its exit status is 1."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import dns.resolver
import pytest

from database import connection
from tests.planner.operators import Operator
from tests.planner.starting.faulty_servers import PASSWORD, FaultyServers, faulty_servers, old_server
from tests.support.servers import free_port

SECRET = "known to the tests of failing starts alone: 0c7be2f1"
STARTS = (["serve", "--port", "PORT"], ["serve", "--port", "PORT", "--workers", "2"], ["check"])
pytestmark = pytest.mark.real_server("it starts servers that cannot be used")


class Hurry(logging.Handler):
    """A clock that is an hour later as soon as the log says what the planner waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._hours = 0

    def emit(self, record: logging.LogRecord) -> None:
        # Until the first response of a server is there, that is all there is to say.
        if "it does not respond" not in record.getMessage():
            self._hours += 1

    def monotonic(self) -> float:
        return time.monotonic() + self._hours * 3600


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What may end by itself is waited for only until the log has said so."""
    handler, logger = Hurry(), logging.getLogger("planner.database")
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=handler.monotonic))
    monkeypatch.setattr(connection, "FIRST_SECONDS", 0.3)
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyServers]:
    with faulty_servers(tmp_path_factory.mktemp("servers")) as started:
        yield started


Fails = Callable[..., str]


@pytest.fixture(params=STARTS, ids=["serve", "workers", "check"])
def fails(request: pytest.FixtureRequest, operator: Operator) -> Fails:
    """Run a command that must fail, with a URL; return its one sentence about it."""

    def run(url: str, *, waits: bool = False) -> str:
        arguments = [part.replace("PORT", str(free_port())) for part in request.param]
        return sentence_of(operator, arguments, url, waits=waits)

    return run


def sentence_of(operator: Operator, arguments: list[str], url: str, *, waits: bool = False) -> str:
    """Return the one sentence of a command that fails; if it `waits`, a line of the log says for what."""
    ended = operator.runs(*arguments, DATABASE_URL=url, SECRET_KEY=SECRET)
    assert ended.status == 1
    assert "Traceback" not in ended.err and "is at" not in ended.out
    assert PASSWORD not in ended.err and "whisper" not in ended.err + ended.out
    *logged, sentence = ended.err.splitlines()
    logged = [line for line in logged if "it does not respond" not in line]
    assert [line for line in logged if "waiting for the database" not in line] == []
    assert len(logged) == waits
    assert re.fullmatch(r"planner: [^;]+; [^;]+\.", sentence), sentence
    return sentence.removeprefix("planner: ")


@pytest.mark.parametrize(
    ("error", "said", "waits"),
    [
        (dns.resolver.NXDOMAIN, "the name db.example.com has no SRV record; correct the name", False),
        (dns.resolver.NoAnswer, "the name db.example.com has no SRV record; correct the name", False),
        (dns.resolver.NoNameservers, "the SRV record of db.example.com cannot be looked up; check", True),
    ],
)
def test_an_srv_name_that_does_not_resolve(
    fails: Fails, monkeypatch: pytest.MonkeyPatch, error: type[Exception], said: str, waits: bool
) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    sentence = fails("mongodb+srv://ada:whisper@db.example.com/planner", waits=waits)
    assert sentence.startswith(f"DATABASE_URL cannot be used: {said}")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bad_file_of_certificates(fails: Fails, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    sentence = fails(f"mongodb://127.0.0.1/planner?tls=true&tlsCAFile={file}")
    assert sentence.startswith("DATABASE_URL cannot be used: ")
    assert str(file) in sentence if content is None else "tlsCAFile" in sentence


def test_a_malformed_url(fails: Fails) -> None:
    sentence = fails("mongodb://ada:whi/whisper@127.0.0.1/planner")
    assert sentence.startswith("DATABASE_URL cannot be used: it is not a valid address of a MongoDB server; ")
    assert "percent-encoded" in sentence


def test_a_user_who_may_only_read(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://reader:{PASSWORD}@127.0.0.1:{servers.plain}/planner?authSource=admin")
    assert "its user may not createCollection, createIndex, insert, remove, update in the database planner" in sentence
    assert "give the user the role readWrite" in sentence


def test_a_user_of_another_database(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://writer:{PASSWORD}@127.0.0.1:{servers.plain}/other?authSource=admin")
    lacking = "its user lacks rights; give the user the role readWrite on the database other."
    assert sentence.endswith(lacking) or "in the database other" in sentence


def test_a_wrong_password(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://writer:whisper@127.0.0.1:{servers.plain}/planner?authSource=admin")
    assert f"127.0.0.1:{servers.plain} cannot be used: it refuses the user or the password; correct them" in sentence


def test_no_user_where_one_is_required(fails: Fails, servers: FaultyServers) -> None:
    assert "it requires a user; add a user and a password" in fails(f"mongodb://127.0.0.1:{servers.plain}/planner")


def test_tls_to_a_server_without(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://127.0.0.1:{servers.plain}/planner?tls=true")
    assert "it does not speak TLS; take tls=true out of DATABASE_URL" in sentence


def test_no_tls_to_a_server_that_requires_it(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://localhost:{servers.tls}/planner")
    assert "it requires TLS; add tls=true to DATABASE_URL" in sentence


def test_a_certificate_that_is_not_trusted(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://localhost:{servers.tls}/planner?tls=true")
    assert "its TLS certificate is not trusted; set tlsCAFile" in sentence


def test_a_certificate_for_another_name(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://127.0.0.1:{servers.tls}/planner?tls=true&tlsCAFile={servers.certificate}")
    assert "its TLS certificate is for another name" in sentence


def test_a_replica_set_that_was_not_initiated(fails: Fails, servers: FaultyServers) -> None:
    options = f"tls=true&tlsCAFile={servers.certificate}"
    sentence = fails(f"mongodb://localhost:{servers.tls}/planner?replicaSet=rs0&{options}", waits=True)
    place = f"localhost:{servers.tls}"
    assert re.match(f"No database at {place} after (30|5) s: its replica set is not initiated; run rs.init", sentence)


def test_the_name_of_a_replica_set_that_the_server_is_not_in(fails: Fails, servers: FaultyServers) -> None:
    sentence = fails(f"mongodb://127.0.0.1:{servers.plain}/planner?replicaSet=rs7")
    assert "it is not a member of a replica set named rs7; correct replicaSet" in sentence


def test_the_name_of_another_replica_set(fails: Fails, mongo_url: str) -> None:
    assert "it belongs to another replica set; correct replicaSet" in fails(f"{mongo_url}&replicaSet=rs7")


def test_a_host_that_cannot_be_resolved(fails: Fails) -> None:
    sentence = fails("mongodb://ada:whisper@nothing.invalid/planner", waits=True)
    assert "nothing.invalid cannot be resolved; correct the host in DATABASE_URL" in sentence


def test_a_port_where_nothing_listens(fails: Fails) -> None:
    port = free_port()
    sentence = fails(f"mongodb://ada:whisper@127.0.0.1:{port}/planner", waits=True)
    assert re.match(f"No database at 127.0.0.1:{port} after (30|5) s: nothing listens there; start Mongo", sentence)


@pytest.mark.parametrize("wire_version", [6, 13])
def test_a_server_that_is_too_old(fails: Fails, wire_version: int) -> None:
    with old_server(wire_version) as port:
        assert "it is older than MongoDB 6; use MongoDB 6 or newer" in fails(f"mongodb://127.0.0.1:{port}/planner")


@pytest.mark.parametrize(
    "command",
    [
        ["stats"],
        ["migrate"],
        ["send-due"],
        ["admin", "create", "ada@example.com"],
        ["backup", "file"],
        ["restore", "file"],
    ],
    ids=" ".join,
)
def test_every_other_command_says_the_same(operator: Operator, servers: FaultyServers, command: list[str]) -> None:
    url = f"mongodb://writer:whisper@127.0.0.1:{servers.plain}/planner?authSource=admin"
    assert "it refuses the user or the password; correct them" in sentence_of(operator, command, url)


def test_a_backup_needs_no_more_than_reading(operator: Operator, servers: FaultyServers) -> None:
    url = f"mongodb://reader:{PASSWORD}@127.0.0.1:{servers.plain}/planner?authSource=admin"
    assert operator.runs("backup", "file", DATABASE_URL=url, SECRET_KEY=SECRET)[::2] == (0, "")


def test_check_accepts_a_user_who_may_read_and_write(operator: Operator, servers: FaultyServers) -> None:
    url = f"mongodb://writer:{PASSWORD}@127.0.0.1:{servers.plain}/planner?authSource=admin"
    ended = operator.runs("check", DATABASE_URL=url, SECRET_KEY=SECRET)
    assert (ended.status, ended.err) == (0, "")
    assert "The database is reachable" in ended.out

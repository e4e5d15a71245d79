"""Opening the database: it is waited for, and what is said about it names no password."""

import logging
from types import SimpleNamespace

import pytest

from database import connection
from database.connection import hosts_of, open_database
from database.errors import DatabaseUnavailable
from tests.support.servers import free_port

SECRETS = ("ada", "s3cret")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("mongodb://127.0.0.1:27017/planner", "127.0.0.1:27017"),
        ("mongodb://ada:s3cret@db.example.com/planner", "db.example.com"),
        ("mongodb://ada:s3cret@db.example.com", "db.example.com"),
        ("mongodb://ada:s3cret@one:1,two:2/planner?replicaSet=rs0", "one:1,two:2"),
        ("mongodb://ada:s3cret@db.example.com?authSource=admin", "db.example.com"),
        ("mongodb+srv://ada:s3cret@cluster.example.com/planner", "cluster.example.com"),
        ("mongodb://ada:s3cret%40ada@db.example.com/planner", "db.example.com"),
        ("mongodb://ada:s3cret@ada@db.example.com/planner", "db.example.com"),
        ("mongodb://%2Ftmp%2Fmongod.sock/planner", "/tmp/mongod.sock"),
        ("ada:s3cret@db.example.com", ""),
    ],
)
def test_the_hosts_of_a_url_are_named_without_its_credentials(url: str, place: str) -> None:
    assert hosts_of(url) == place


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try is over within a tenth of a second."""
    monkeypatch.setattr(connection, "OPERATION_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
async def test_an_unavailable_database_is_named_after_the_wait_without_its_password() -> None:
    port = free_port()
    with pytest.raises(DatabaseUnavailable) as caught:
        await open_database(f"mongodb://ada:s3cret@127.0.0.1:{port}/planner", wait=0)
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "nothing listens there; start MongoDB" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.usefixtures("impatient")
async def test_what_is_waited_for_is_logged_once_and_the_pauses_grow(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, pauses = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        pauses.append(seconds)
        now += seconds

    # In that module alone: the driver has clocks of its own.
    monkeypatch.setattr(connection, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: now))
    port = free_port()
    with caplog.at_level(logging.WARNING), pytest.raises(DatabaseUnavailable, match="after 3 s"):
        await open_database(f"mongodb://ada:s3cret@127.0.0.1:{port}/planner", wait=3)
    assert pauses == [0.25, 0.5, 1]
    messages = [record.getMessage() for record in caplog.records if record.name == "planner.database"]
    assert messages == [f"waiting for the database at 127.0.0.1:{port}: nothing listens there"]


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "mongodb://ada:s3cret@",
        "mongodb://ada:s3cret@db.example.com:notaport/planner",
        "mongodb://ada:s3cret@db.example.com:99999/planner",
        "mongodb://ada:s3cret@one@db.example.com/planner",
        "mongodb://ada:s3%ret@db.example.com/planner",
        "mongodb://ada:s3cret@one,two/planner?directConnection=true",
        "mongodb://ada:s3cret@db.example.com/plan ner",
        "postgres://ada:s3cret@db.example.com/planner",
        "",
    ],
)
async def test_an_invalid_url_is_refused_at_once_and_not_repeated(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL cannot be used") as caught:
        await open_database(url, wait=0)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.real_server("the mock is not connected to")
async def test_an_open_database_responds_and_has_the_name_in_its_url(mongo_url: str) -> None:
    head, _, query = mongo_url.partition("?")
    for path, name in (("", "planner"), ("elsewhere", "elsewhere")):
        database = await open_database(f"{head.rstrip('/')}/{path}?{query}")
        try:
            assert database.name == name
            await database.ping()
        finally:
            await database.close()


@pytest.mark.real_server("the mock is not connected to")
async def test_the_embedded_server_has_transactions(mongo_url: str) -> None:
    database = await open_database(mongo_url)
    try:
        assert database.transactions
    finally:
        await database.close()


@pytest.mark.usefixtures("impatient")
async def test_an_option_that_is_ignored_is_logged_once_without_credentials(caplog: pytest.LogCaptureFixture) -> None:
    options = "tls=perhaps&whatever=1&authMechanismProperties=s3cret:1&readPreference=ada"
    with caplog.at_level(logging.WARNING), pytest.raises(DatabaseUnavailable):
        await open_database(f"mongodb://ada:s3cret@127.0.0.1:{free_port()}/planner?{options}", wait=0.5)
    ignored = [line for line in caplog.messages if line.startswith("an option of DATABASE_URL is ignored: ")]
    assert len(ignored) == len(set(ignored)) == 2
    assert "tls" in ignored[0] and "whatever" in ignored[1]
    assert not any(secret in line for line in caplog.messages for secret in SECRETS)

"""What the tests share: a database of their own for each, and the planner on it."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from pymongo import IndexModel, MongoClient
from pymongo.database import Database as MongoDatabase

from database.connection import Database, bind, open_database
from database.embedded.server import EmbeddedMongo
from models import DOCUMENTS
from planner import background
from planner.app import create_app
from planner.services.mail.transports import MailTransport
from planner.settings import Settings
from tests.support import hypothesis_profiles  # noqa: F401 - it registers the profiles
from tests.support.clients import Person, Planner, sign_up
from tests.support.clocks import MovableClock, freeze_clock
from tests.support.mailbox import Mailbox
from tests.support.servers import RunningServer, running
from tests.support.services import services_of
from tests.support.stored_documents import find_violations, indexes_of, name_of

SECRET = "a key of the tests, and of nothing else: 1f0c7b9a"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=["real", "mock"], default="real", help="a real mongod, or mongomock-motor")


def repeats_the_same_lines(item: pytest.Item) -> bool:
    """Return whether a test sends requests by the thousand, or is given examples by the hundred."""
    return "all_routes" in item.path.parts or getattr(getattr(item, "obj", None), "is_hypothesis_test", False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        # Of several processes none should begin the longest modules when the others have nothing left to do.
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if repeats_the_same_lines(item):
            # Measuring them as well would make the run a third longer, and show next to nothing.
            item.add_marker(pytest.mark.no_cover)
    if config.getoption("--engine") == "mock":
        for item in items:
            if marker := item.get_closest_marker("real_server"):
                reason = marker.args[0] if marker.args else "it needs a real MongoDB"
                item.add_marker(pytest.mark.skip(reason=f"the mock cannot: {reason}"))


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--engine"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    """The address of a real MongoDB: TEST_DATABASE_URL, or an embedded one for this run."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="planner-tests-"))
    try:
        with EmbeddedMongo(folder) as mongo:
            yield mongo.url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url_of(server: str, name: str) -> str:
    """The URL of the database `name` on a server."""
    head, _, query = server.partition("?")
    return f"{head.rstrip('/')}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def settings_changes() -> dict[str, Any]:
    """Settings that have other values in a test; it overrides or parametrizes this."""
    return {}


@pytest.fixture(scope="session")
def default_settings() -> Settings:
    """Settings that no environment variable or .env changes. To check them takes longer than many a test."""
    return Settings(_env_file=None, secret_key=SecretStr(SECRET))


@pytest.fixture
def settings(tmp_path: Path, default_settings: Settings, settings_changes: dict[str, Any]) -> Settings:
    """The default settings, with cheap passwords and a data folder for this test."""
    changes = {"data_dir": tmp_path / "data", "password_rounds": 4, "public_url": "http://planner.test"}
    return default_settings.model_copy(update=changes | {"rate_limits": "off"} | settings_changes)


def create_indexes_with_all_their_options(self: Any, indexes: Sequence[IndexModel], session: Any = None) -> list[str]:
    """What the mock's own does, which forgets that an index may be partial."""
    options = [dict(index.document) for index in indexes]
    return [self.create_index(list(option.pop("key").items()), **option) for option in options]


@pytest.fixture(scope="session")
def shared_database(mongo_url: str) -> Iterator[MongoDatabase[Any]]:
    """A database for this run, with all indexes."""
    name = f"test_{uuid4().hex[:12]}"
    with MongoClient[Any](mongo_url) as client:
        for document in DOCUMENTS:
            if indexes := indexes_of(document):
                client[name][name_of(document)].create_indexes(indexes)
        yield client[name]
        client.drop_database(name)


def find_used_collections(database: MongoDatabase[Any]) -> list[str]:
    """Return the names of the collections that hold something, by one query."""
    names = [name for name in database.list_collection_names() if not name.startswith("system.")]
    first, *others = names or ["none"]

    def name_if_used(name: str) -> list[dict[str, Any]]:
        return [{"$limit": 1}, {"$project": {"_id": 0, "name": {"$literal": name}}}]

    pipeline = name_if_used(first) + [{"$unionWith": {"coll": name, "pipeline": name_if_used(name)}} for name in others]
    return [found["name"] for found in database[first].aggregate(pipeline)]


@pytest.fixture
async def open_database_for_test(
    engine: str, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[[], Awaitable[Database]]]:
    """Opens a database in which nothing is but what the test puts there."""
    if engine == "mock":
        # Here, because it needs Motor, which is not there with Beanie 2.
        import mongomock
        from mongomock_motor import AsyncMongoMockClient

        handle: Any = AsyncMongoMockClient(tz_aware=True)["test"]

        async def mock() -> Database:
            return Database(handle=handle, transactions=False)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mongomock.Collection, "create_indexes", create_indexes_with_all_their_options)
            yield mock
        return
    database: MongoDatabase[Any] = request.getfixturevalue("shared_database")
    # Emptied, not dropped: making the collections and their indexes anew takes a hundred times longer.
    for name in find_used_collections(database):
        database[name].delete_many({})
    url = url_of(request.getfixturevalue("mongo_url"), database.name)
    yield lambda: open_database(url)
    if request.node.get_closest_marker("foreign_documents") is None:
        violations = find_violations(database, DOCUMENTS)
        assert violations == [], "this test has stored what the document classes do not declare"


@pytest.fixture
async def database(open_database_for_test: Callable[[], Awaitable[Database]]) -> AsyncIterator[Database]:
    """A database of this test's own, with the documents bound to it."""
    opened = await open_database_for_test()
    await bind(opened, DOCUMENTS)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def server(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner as a process of its own, on a database of its own."""
    data, name = tmp_path_factory.mktemp("planner") / "data", f"test_{uuid4().hex[:12]}"
    with running(data, DATABASE_URL=url_of(mongo_url, name), SECRET_KEY=SECRET) as server:
        yield server
    with MongoClient[Any](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture
def mail_transport() -> MailTransport | None:
    """Where the planner hands its mails; None for its outbox. Modules override it."""
    return None


@pytest.fixture
def without_background_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what is due to the test: the planner's background loop does nothing."""

    async def wait_forever(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(background, "run_due_work", wait_forever)


@pytest.fixture
async def app(
    settings: Settings,
    open_database_for_test: Callable[[], Awaitable[Database]],
    mail_transport: MailTransport | None,
) -> AsyncIterator[FastAPI]:
    """The planner, started."""
    clock = MovableClock()
    application = create_app(settings, open_database=open_database_for_test, mail_transport=mail_transport, clock=clock)
    application.state.clock = clock
    async with application.router.lifespan_context(application):
        if isinstance(mail_transport, Mailbox):
            mail_transport.delivery = services_of(application).mail_delivery
        yield application


@pytest.fixture
def clock(app: FastAPI) -> MovableClock:
    """The clock that the planner goes by."""
    return freeze_clock(app)


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Planner]:
    """A client of the planner, in this process, signed in as nobody."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1") as client:
        yield client


@pytest.fixture
async def ada(api: Planner) -> Person:
    """Somebody with an account."""
    return await sign_up(api, "ada@example.com")


@pytest.fixture
async def ben(api: Planner) -> Person:
    """Somebody else with an account."""
    return await sign_up(api, "ben@example.com")

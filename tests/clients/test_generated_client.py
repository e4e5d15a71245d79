"""A client that openapi-python-client generates from the OpenAPI document works as it is."""

import datetime
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.clients import PASSWORD
from tests.support.servers import RunningServer

pytestmark = pytest.mark.real_server("it is a process of its own")
PACKAGE = "generated_planner_client"
# Nothing else may be left out: the generator has no type for iCalendar files.
LEFT_OUT = {"import_events"}


@pytest.fixture(scope="module")
def package(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Generate the client, and make it importable."""
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")
    subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--url", f"{server.root}/openapi.json", "--output-path", folder / PACKAGE, "--config", config),
        ],
        check=True,
        timeout=60,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder / PACKAGE


@pytest.fixture
def load(package: Path) -> Callable[[str], Any]:
    """Return what imports a module of the client."""
    return lambda name: importlib.import_module(f"{PACKAGE}.{name}")


def test_every_operation_has_a_function(server: RunningServer, package: Path) -> None:
    document = httpx.get(f"{server.root}/openapi.json").json()
    operations = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    generated = {file.stem for file in (package / "api").glob("*/*.py")}
    assert operations - generated == LEFT_OUT


def test_it_signs_up_and_in_and_creates_lists_patches_and_expands_events(
    server: RunningServer, load: Callable[[str], Any]
) -> None:
    models, email = load("models"), f"ada{uuid4().hex}@example.com"
    with load("client").Client(base_url=server.root, raise_on_unexpected_status=True) as anybody:
        form = models.SignUpRequest(email=email, password=PASSWORD)
        assert load("api.authentication.sign_up").sync(client=anybody, body=form).email == email
        signed_in = load("api.authentication.sign_in").sync(
            client=anybody, body=models.SignInRequest(email=email, password=PASSWORD)
        )
        wrong = load("api.authentication.sign_in").sync(
            client=anybody, body=models.SignInRequest(email=email, password="wrong")
        )
        assert (wrong.status, wrong.title) == (401, "Unauthorized")
    with load("client").AuthenticatedClient(
        base_url=server.root, token=signed_in.access_token, raise_on_unexpected_status=True
    ) as client:
        assert load("api.accounts.get_current_user").sync(client=client).email == email
        draft = models.EventCreate.from_dict(
            {
                "title": "Choir",
                "start": "2026-12-01T18:00:00",
                "end": "2026-12-01T20:00:00",
                "time_zone": "Europe/Berlin",
                "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"},
            }
        )
        event = load("api.events.create_event").sync(client=client, body=draft)
        assert event.title == "Choir"
        patch = models.EventPatch(location="Town library")
        changed = load("api.events.update_event").sync(event.id, client=client, body=patch)
        assert (changed.location, changed.title) == ("Town library", "Choir")
        page = load("api.events.list_events").sync(client=client)
        assert [item.id for item in page.items] == [event.id]
        occurrences = load("api.occurrences.list_occurrences").sync(
            client=client, from_="2026-12-01T00:00:00Z", to="2026-12-31T00:00:00Z"
        )
        assert len(occurrences.items) == 3
        assert json.dumps(occurrences.to_dict())
        assert isinstance(event.created_at, datetime.datetime)

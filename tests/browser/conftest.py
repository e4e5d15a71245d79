"""What the browser tests share: one planner and one Chromium for each process of the run, and visits.

Only the tests of the form itself sign up with it: the other ones get an account and its cookie with two requests.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.accounts import sign_in, sign_up
from tests.browser.chromium import ADVICE, DESKTOP, LOOKS, Look, find_chromium
from tests.browser.sample_account import SampleAccount, create_sample_account
from tests.browser.visits import Visit
from tests.conftest import SECRET, url_of
from tests.support.clients import PASSWORD, ok
from tests.support.servers import RunningServer, running

# Two processes, each with a planner, a MongoDB and a Chromium, share two cores: a page may take a while.
PATIENCE = 15_000

# No sandbox: containers, in which a continuous integration server works, do not permit it. All pages share a process:
# to start one for each takes a fifth of the time.
_ARGUMENTS = ["--no-sandbox", "--renderer-process-limit=1"]


@pytest.fixture(scope="session")
def planner(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A planner, as people start it."""
    data = tmp_path_factory.mktemp("planner") / "data"
    with running(data, DATABASE_URL=url_of(mongo_url, f"browser_{uuid4().hex[:12]}"), SECRET_KEY=SECRET) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium without a window."""
    executable = find_chromium()
    assert executable, ADVICE
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        yield browser
        browser.close()


Visitor = Callable[..., Visit]


@pytest.fixture
def visitor(planner: RunningServer, chromium: Browser) -> Iterator[Visitor]:
    """Opens visits, each with cookies of its own; a test fails if a browser complained of one of its pages."""
    visits: list[Visit] = []

    def open_visit(look: Look = DESKTOP, storage: Any = None) -> Visit:
        context = chromium.new_context(**look.options, storage_state=storage)
        context.set_default_timeout(PATIENCE)
        visits.append(Visit(context, planner.root, look))
        return visits[-1]

    yield open_visit
    complaints = [complaint for visit in visits for complaint in visit.watcher.complaints]
    for visit in visits:
        visit.context.close()
    assert complaints == [], "a browser complained"


@pytest.fixture
def member(visitor: Visitor, email: str) -> Visitor:
    """Opens visits of somebody with a new account, whose address is `email`."""
    cookies: list[Any] = []

    def open_visit(look: Look = DESKTOP) -> Visit:
        visit = visitor(look)
        if cookies:
            visit.context.add_cookies(cookies)
        else:
            sign_up(visit.context.request, visit.root, email)
            cookies.extend(visit.context.cookies())
        return visit

    return open_visit


@pytest.fixture
def visit(member: Visitor) -> Visit:
    """A visit of somebody with a new account, in a large window."""
    return member()


@pytest.fixture(params=LOOKS, ids=str)
def look(request: pytest.FixtureRequest) -> Look:
    """Each of the looks."""
    found: Look = request.param
    return found


@pytest.fixture(scope="session")
def sample(planner: RunningServer) -> SampleAccount:
    """An account with everything that a page can show; tests only look at it."""
    return create_sample_account(planner.url, f"ada.{uuid4().hex[:6]}@example.com")


@pytest.fixture(scope="session")
def signed_in(
    planner: RunningServer, chromium: Browser, sample: SampleAccount, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The cookies of a browser that is signed in to that account."""
    return store_cookies(planner, chromium, sample.email, tmp_path_factory.mktemp("cookies") / "person.json")


@pytest.fixture(scope="session")
def admin_signed_in(planner: RunningServer, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of a browser that is signed in as an admin."""
    email = f"admin.{uuid4().hex[:6]}@example.com"
    account = {"email": email, "password": PASSWORD}
    ok(httpx.post(f"{planner.url}/auth/signup", json=account), 201)
    planner.run("admin", "create", email)
    return store_cookies(planner, chromium, email, tmp_path_factory.mktemp("cookies") / "admin.json")


def store_cookies(planner: RunningServer, chromium: Browser, email: str, file: Path) -> Path:
    """Sign in, and return the file with the cookies."""
    context = chromium.new_context()
    sign_in(context.request, planner.root, email)
    context.storage_state(path=file)
    context.close()
    return file


@pytest.fixture
def email() -> str:
    """An address that nobody has signed up with."""
    return f"{uuid4().hex[:12]}@example.com"

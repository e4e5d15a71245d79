"""What is true of every page: nobody is hindered, nothing is too wide, nothing is heavy."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import DESKTOP, NARROWEST
from tests.browser.page_checks import (
    require_contrast,
    require_light_assets,
    require_no_loss_when_enlarged,
    require_no_sideways_scrolling,
    require_no_violations,
)
from tests.browser.sample_account import ADMIN_PAGES, PAGES, PUBLIC_PAGES, SampleAccount
from tests.browser.visits import Visit
from tests.support.servers import RunningServer

# Kept when something of the page has been painted.
_PAINTED = """new Promise(resolve => new PerformanceObserver(list =>
    list.getEntriesByName('first-contentful-paint').length && resolve()).observe({type: 'paint', buffered: true}))"""
LOOKED_AT = [
    *((page, "nobody") for page in PUBLIC_PAGES),
    *((page, "person") for page in PAGES),
    *((page, "admin") for page in ADMIN_PAGES),
]
Opener = Callable[[str, str], Visit]


@pytest.fixture(scope="module")
def readers(
    planner: RunningServer, chromium: Browser, signed_in: Path, admin_signed_in: Path
) -> Iterator[dict[str, Visit]]:
    """Visits that only look at pages: of nobody, of the person with the sample account, and of an admin."""
    cookies = {"nobody": None, "person": signed_in, "admin": admin_signed_in}
    contexts = {who: chromium.new_context(**DESKTOP.options, storage_state=file) for who, file in cookies.items()}
    yield {who: Visit(context, planner.root, DESKTOP) for who, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.fixture
def open_page(readers: dict[str, Visit], sample: SampleAccount) -> Iterator[Opener]:
    """Opens a page in a large window with the light theme; a test fails if the browser complained of it."""
    opened: list[Visit] = []

    def open_page(page: str, who: str) -> Visit:
        visit = readers[who]
        opened.append(visit)
        visit.look_as(DESKTOP)
        visit.watcher.forget()
        return visit.go(page.format(**sample.ids))

    yield open_page
    assert [complaint for visit in opened for complaint in visit.watcher.complaints] == [], "a browser complained"


@pytest.mark.parametrize(("page", "who"), LOOKED_AT)
def test_nobody_is_hindered_in_either_theme_or_at_the_least_width(open_page: Opener, page: str, who: str) -> None:
    visit = open_page(page, who)
    require_light_assets(visit)
    require_no_violations(visit)
    visit.look_as(DESKTOP._replace(theme="dark"))
    require_contrast(visit)
    require_no_loss_when_enlarged(visit)
    visit.look_as(NARROWEST)
    require_no_sideways_scrolling(visit)
    require_no_violations(visit)


@pytest.mark.parametrize("page", ["/calendar/month/2026-12", "/events/new", "/search?q=choir"])
def test_a_page_is_painted_before_any_script_has_arrived(open_page: Opener, page: str) -> None:
    visit = open_page("/search", "person")
    visit.page.route("**/*.js", lambda route: None)  # Neither answered nor refused.
    visit.page.goto(visit.root + page, wait_until="commit")
    visit.page.evaluate(_PAINTED)
    assert visit.page.get_by_role("heading", level=1).is_visible()
    visit.page.unroute_all()

"""What is true of every page: nobody is hindered, nothing is too wide, nothing is heavy."""

from pathlib import Path

import pytest

from tests.browser.chromium import DARK_DESKTOP, DESKTOP, NARROWEST, Look
from tests.browser.conftest import Visitor
from tests.browser.page_checks import require_light_assets, require_no_sideways_scrolling, require_no_violations
from tests.browser.sample_account import ADMIN_PAGES, PAGES, PUBLIC_PAGES, SampleAccount
from tests.browser.visits import Visit

# Kept when something of the page has been painted.
_PAINTED = """new Promise(resolve => new PerformanceObserver(list =>
    list.getEntriesByName('first-contentful-paint').length && resolve()).observe({type: 'paint', buffered: true}))"""
LOOKED_AT = [
    *((page, "nobody") for page in PUBLIC_PAGES),
    *((page, "person") for page in PAGES),
    *((page, "admin") for page in ADMIN_PAGES),
]


@pytest.fixture
def open_page(visitor: Visitor, sample: SampleAccount, signed_in: Path, admin_signed_in: Path) -> Visitor:
    """Opens a page as nobody, as the person with the sample account, or as an admin."""
    cookies = {"nobody": None, "person": signed_in, "admin": admin_signed_in}

    def open_page(look: Look, page: str, who: str) -> Visit:
        address = page.format(**sample.ids)
        return visitor(look, cookies[who]).go(address)

    return open_page


@pytest.mark.parametrize(("page", "who"), LOOKED_AT)
def test_nobody_is_hindered_in_either_theme(open_page: Visitor, page: str, who: str) -> None:
    for look in (DESKTOP, DARK_DESKTOP):
        visit = open_page(look, page, who)
        require_no_violations(visit)
        require_light_assets(visit)


@pytest.mark.parametrize(("page", "who"), LOOKED_AT)
def test_at_the_least_width_nobody_is_hindered_or_has_to_scroll_sideways(
    open_page: Visitor, page: str, who: str
) -> None:
    visit = open_page(NARROWEST, page, who)
    require_no_sideways_scrolling(visit)
    require_no_violations(visit)


@pytest.mark.parametrize("page", ["/calendar/month/2026-12", "/events/new", "/search?q=choir"])
def test_a_page_is_painted_before_any_script_has_arrived(open_page: Visitor, page: str) -> None:
    visit = open_page(DESKTOP, "/search", "person")
    visit.page.route("**/*.js", lambda route: None)  # Neither answered nor refused.
    visit.page.goto(visit.root + page, wait_until="commit")
    visit.page.evaluate(_PAINTED)
    assert visit.page.get_by_role("heading", level=1).is_visible()

"""What is true of every page: nobody is hindered, nothing is too wide, nothing is heavy."""

from pathlib import Path

import pytest

from tests.browser.chromium import DARK_DESKTOP, DESKTOP, NARROWEST, Look
from tests.browser.conftest import Visitor
from tests.browser.furnishing import PAGES, PUBLIC_PAGES, Furnished
from tests.browser.page_checks import require_light_assets, require_no_sideways_scrolling, require_no_violations
from tests.browser.visits import Visit

# Kept when something of the page has been painted.
_PAINTED = """new Promise(resolve => new PerformanceObserver(list =>
    list.getEntriesByName('first-contentful-paint').length && resolve()).observe({type: 'paint', buffered: true}))"""
LOOKED_AT = [(page, False) for page in PUBLIC_PAGES] + [(page, True) for page in PAGES]


@pytest.fixture
def open_page(visitor: Visitor, furnished: Furnished, signed_in: Path) -> Visitor:
    """Opens a page of the furnished account, or of nobody."""

    def open_page(look: Look, page: str, is_of_account: bool) -> Visit:
        address = page.format(**furnished.events, deleted=furnished.deleted)
        return visitor(look, signed_in if is_of_account else None).go(address)

    return open_page


@pytest.mark.parametrize(("page", "is_of_account"), LOOKED_AT)
def test_nobody_is_hindered_in_either_theme(open_page: Visitor, page: str, is_of_account: bool) -> None:
    for look in (DESKTOP, DARK_DESKTOP):
        visit = open_page(look, page, is_of_account)
        require_no_violations(visit)
        require_light_assets(visit)


@pytest.mark.parametrize(("page", "is_of_account"), LOOKED_AT)
def test_at_the_least_width_nobody_is_hindered_or_has_to_scroll_sideways(
    open_page: Visitor, page: str, is_of_account: bool
) -> None:
    visit = open_page(NARROWEST, page, is_of_account)
    require_no_sideways_scrolling(visit)
    require_no_violations(visit)


@pytest.mark.parametrize("page", ["/calendar/month/2026-12", "/events/new", "/search?q=choir"])
def test_a_page_is_painted_before_any_script_has_arrived(open_page: Visitor, page: str) -> None:
    visit = open_page(DESKTOP, "/search", True)
    visit.page.route("**/*.js", lambda route: None)  # Neither answered nor refused.
    visit.page.goto(visit.root + page, wait_until="commit")
    visit.page.evaluate(_PAINTED)
    assert visit.page.get_by_role("heading", level=1).is_visible()

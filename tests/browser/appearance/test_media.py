"""How pages look on paper, with large letters, with the colours of the system, and without motion."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import sign_in
from tests.browser.conftest import Visitor
from tests.browser.sample_account import SampleAccount
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD, bearer, ok
from tests.support.servers import RunningServer

# With weeks that begin on Monday, this month has six of them, so it is as high as a month can be.
LONGEST_MONTH = "2026-08"
MORE_THAN_A_DAY_SHOWS = 8
CHOSEN_OR_COLOURED = ".picks a[aria-current], .item.long, .item.block, button, .button"


@pytest.fixture
def busy(visitor: Visitor, planner: RunningServer, email: str) -> Visit:
    """A visit of somebody with more on each day than a month shows."""
    account = {"email": email, "password": PASSWORD, "time_zone": "Europe/Berlin"}
    with httpx.Client(base_url=planner.url, timeout=30) as api:
        ok(api.post("/auth/signup", json=account), 201)
        api.headers.update(
            bearer(ok(api.post("/auth/signin", json={"email": email, "password": PASSWORD}))["access_token"])
        )
        for number in range(MORE_THAN_A_DAY_SHOWS):
            event = {"title": f"Meeting {number} with a title of several words", "recurrence": {"rrule": "FREQ=DAILY"}}
            ok(api.post("/events", json=event | {"start": f"2026-07-01T{8 + number:02}:00:00"}), 201)
    visit = visitor()
    sign_in(visit.context.request, visit.root, email)
    return visit


def test_a_month_is_printed_on_one_page(busy: Visit) -> None:
    busy.go(f"/calendar/month/{LONGEST_MONTH}").sees("3 more")
    assert count_pages(busy.page) == 1
    busy.page.emulate_media(media="print")
    expect(busy.page.locator("#new-event")).to_be_hidden()
    expect(busy.page.get_by_text("Sign out")).to_be_hidden()


def count_pages(page: Page) -> int:
    """Return on how many pages a browser would print this."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True)))


def test_in_a_week_no_title_is_cut_by_a_time(visitor: Visitor, signed_in: Path) -> None:
    visit = visitor(storage=signed_in).go("/calendar/week/2026-12-07")
    short = visit.page.locator(".hour[data-date='2026-12-08'] a", has_text="Stand-up")
    assert short.evaluate("link => link.scrollWidth <= link.clientWidth")
    assert "10:00" in str(short.text_content())


@pytest.mark.parametrize("address", ["/calendar/month/2026-12", "/calendar/week/2026-12-07"])
def test_with_the_colours_of_the_system_what_is_chosen_or_coloured_has_an_edge(
    visitor: Visitor, signed_in: Path, address: str
) -> None:
    visit = visitor(storage=signed_in)
    visit.page.emulate_media(forced_colors="active")
    visit.go(address)
    without_edge = visit.page.locator(CHOSEN_OR_COLOURED).evaluate_all(
        """all => all.filter(each => each.checkVisibility()).filter(each => {
          const style = getComputedStyle(each);
          return style.outlineStyle === 'none' && style.borderTopStyle === 'none';
        }).map(each => each.outerHTML)"""
    )
    assert without_edge == []
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_nothing_moves_for_who_does_not_want_it(visitor: Visitor, signed_in: Path, sample: SampleAccount) -> None:
    visit = visitor(storage=signed_in)
    for address in ("/calendar/month/2026-12", "/events/new", f"/import/{sample.ids['import_']}"):
        moving = visit.go(address).page.evaluate(
            """[...document.querySelectorAll('*')].map(each => getComputedStyle(each)).filter(style =>
            style.transitionDuration !== '0s' || style.animationName !== 'none' || style.scrollBehavior !== 'auto'
            ).length"""
        )
        assert moving == 0

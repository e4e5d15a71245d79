"""Screenshots of the main pages, to be looked at, in build/screenshots."""

from pathlib import Path

import pytest

from tests.browser.chromium import DARK_DESKTOP, DESKTOP, PHONE, Look
from tests.browser.conftest import Visitor
from tests.browser.sample_account import SampleAccount
from tests.support.servers import ROOT

FOLDER = ROOT / "build" / "screenshots"
MAIN_PAGES = {
    "welcome": "/",
    "month": "/calendar/month/2026-12",
    "week": "/calendar/week/2026-12-07",
    "agenda": "/calendar/agenda/2026-12-07",
    "search": "/search?q=choir",
    "event": "/events/{Choir}",
    "form": "/events/{Choir}/edit",
    "import": "/import/{import_}",
    "account": "/account",
}


@pytest.mark.parametrize("look", [DESKTOP, DARK_DESKTOP, PHONE, Look(360, 740, "dark")], ids=str)
def test_screenshots_of_the_main_pages_are_written(
    visitor: Visitor, sample: SampleAccount, signed_in: Path, look: Look
) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    stranger, person = visitor(look), visitor(look, signed_in)
    for name, address in MAIN_PAGES.items():
        visit = (stranger if name == "welcome" else person).go(address.format(**sample.ids))
        file = FOLDER / f"{name}-{visit.look}.png"
        # Playwright would otherwise hide the caret with a style that the policy of the page forbids.
        visit.page.screenshot(path=file, caret="initial")
        assert file.stat().st_size > 5_000

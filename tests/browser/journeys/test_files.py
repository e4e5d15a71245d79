"""Import a file after its dry run, and subscribe to a feed."""

import re

import httpx
import pytest

from tests.browser.chromium import Look
from tests.browser.conftest import Visitor
from tests.browser.sample_account import CALENDAR
from tests.browser.visits import Visit


@pytest.fixture
def visit(member: Visitor, look: Look) -> Visit:
    """A visit of somebody with a new account, with each of the looks."""
    return member(look)


def choose(visit: Visit, content: bytes) -> Visit:
    visit.go("/import").field("File").set_input_files(
        {"name": "old.ics", "mimeType": "text/calendar", "buffer": content}
    )
    return visit.press("Import")


def test_a_file_is_imported_after_one_has_seen_what_it_would_do(visit: Visit) -> None:
    choose(visit, CALENDAR).sees_heading("This is what the import would do").sees(re.compile(r"New events\s*1"))
    assert "Imported" not in visit.context.request.get(f"{visit.root}/calendar/month/2026-12").text()
    visit.press("Import").sees_heading("The file is imported")
    visit.go("/calendar/month/2026-12").follow(visit.page.get_by_role("grid").get_by_role("link", name="Imported"))
    visit.sees_heading("Imported")


def test_a_file_that_is_no_calendar_is_refused_in_words(visit: Visit) -> None:
    choose(visit, b"<html>no calendar</html>")
    visit.sees(re.compile("could not be imported|iCalendar|File "))
    assert visit.page.get_by_role("heading", level=1).count() == 1


def test_a_feed_gives_its_address_and_a_picture_of_it_to_scan(visit: Visit) -> None:
    visit.go("/feeds").fill(Name="Phone").press("Create feed")
    address = visit.sees("Only this computer can open this address.").field("Address").input_value()
    assert visit.page.get_by_role("img", name="QR code").evaluate("image => image.naturalWidth") > 20
    assert httpx.get(address).text.startswith("BEGIN:VCALENDAR")
    visit.go("/feeds").sees("Phone")
    assert address not in visit.page.content()

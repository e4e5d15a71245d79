"""The calendar by keys alone, and its dialogs."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import DARK_DESKTOP, DESKTOP, Look
from tests.browser.conftest import Visitor
from tests.browser.page_checks import require_no_violations
from tests.browser.visits import Visit

FOCUSED_DATE = "document.activeElement.dataset.date"


def test_an_event_is_created_opened_deleted_and_restored_with_the_keyboard_alone(visit: Visit) -> None:
    visit.go("/calendar/month/2031-12").tab_to(visit.page.locator("#grid [tabindex='0']").first)
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowDown"):
        visit.page.keyboard.press(key)
    day = visit.page.evaluate(FOCUSED_DATE)
    assert day == "2031-12-09"
    visit.page.keyboard.press("n")
    visit.is_at("/events/new").type_into("Title", "Midnight mass").press_by_key("Save")
    visit.go(f"/calendar/month/{day[:7]}").tab_to(visit.page.locator("#grid [tabindex='0']").first)
    visit.type_until("ArrowRight", lambda: visit.page.evaluate(FOCUSED_DATE) == day)
    visit.page.keyboard.press("Enter")
    visit.sees_heading("Midnight mass")
    visit.press_by_key("Delete").sees_heading("was deleted").press_by_key("Undo")
    visit.go(f"/calendar/day/{day}").sees("Midnight mass")


@pytest.mark.parametrize("look", [DESKTOP, DARK_DESKTOP], ids=str)
def test_the_keys_are_listed_in_a_dialog(member: Visitor, look: Look) -> None:
    visit = member(look).go("/calendar")
    visit.page.keyboard.press("?")
    dialog = visit.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    require_no_violations(visit)
    visit.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("look", [DESKTOP, DARK_DESKTOP], ids=str)
def test_an_occurrence_that_is_dragged_asks_which_are_meant(member: Visitor, look: Look) -> None:
    visit = member(look)
    visit.go("/events/new").fill(Title="Walk", Start="2031-12-09T10:00", End="2031-12-09T11:00")
    visit.field("Repeats").select_option(label="Weekly")
    visit.press("Save").go("/calendar/month/2031-12")
    grid = visit.page.get_by_role("grid")
    grid.locator("[data-date='2031-12-16']").get_by_role("link", name="Walk").drag_to(
        grid.locator("[data-date='2031-12-18']")
    )
    dialog = visit.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    require_no_violations(visit)
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(grid.locator("[data-date='2031-12-18']").get_by_role("link", name="Walk")).to_be_visible()
    expect(grid.locator("[data-date='2031-12-16']").get_by_role("link", name="Walk")).to_have_count(0)
    expect(grid.locator("[data-date='2031-12-23']").get_by_role("link", name="Walk")).to_be_visible()

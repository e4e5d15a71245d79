"""The calendar by keys alone, and its dialogs."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import DARK_DESKTOP, DESKTOP, PHONE, Look
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


def test_an_event_is_moved_with_a_finger_that_is_held_on_it(member: Visitor) -> None:
    visit = member(PHONE).go("/events/new").fill(Title="Walk", Start="2031-12-09T10:00", End="2031-12-09T11:00")
    visit.press("Save").go("/calendar/month/2031-12")
    walk = visit.page.get_by_role("link", name="Walk")
    walk.evaluate("link => link.scrollIntoView({ block: 'center' })")
    finger = Finger(visit.page)
    finger.touch(walk)
    expect(visit.page.locator("a.picked")).to_be_visible()
    finger.move_to(visit.page.locator("[data-date='2031-12-07']"))
    finger.lift()
    expect(visit.page.locator("[data-date='2031-12-07']").get_by_role("link", name="Walk")).to_be_visible()
    visit.is_at("/calendar/month/2031-12")


def test_a_finger_that_moves_at_once_scrolls_and_moves_nothing(member: Visitor) -> None:
    visit = member(PHONE).go("/events/new").fill(Title="Walk", Start="2031-12-09T10:00", End="2031-12-09T11:00")
    visit.press("Save").go("/calendar/month/2031-12")
    finger = Finger(visit.page)
    finger.touch(visit.page.get_by_role("link", name="Walk"))
    finger.move_to(visit.page.locator("[data-date='2031-12-05']"))
    visit.page.wait_for_function("window.scrollY > 0")
    finger.lift()
    expect(visit.page.locator("[data-date='2031-12-09']").get_by_role("link", name="Walk")).to_have_count(1)
    expect(visit.page.locator(".picked, .target")).to_have_count(0)


class Finger:
    """A finger on a touch screen (Chrome DevTools Protocol, `Input.dispatchTouchEvent`)."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._at = (0.0, 0.0)

    def touch(self, place: Locator) -> None:
        self._at = _middle(place)
        self._send("touchStart")

    def move_to(self, place: Locator) -> None:
        """Move in small steps, as fingers do."""
        (x, y), (to_x, to_y) = self._at, _middle(place)
        for step in range(1, 11):
            self._at = (x + (to_x - x) * step / 10, y + (to_y - y) * step / 10)
            self._send("touchMove")

    def lift(self) -> None:
        self._session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str) -> None:
        x, y = self._at
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})


def _middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box
    return box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2

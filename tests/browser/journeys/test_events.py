"""Plan, move, delete and restore events with forms."""

from datetime import date, timedelta

import pytest

from tests.browser.chromium import Look
from tests.browser.conftest import Visitor
from tests.browser.visits import Visit

TOMORROW = date.today() + timedelta(1)  # noqa: DTZ011 - the first times of a series are listed from now on
DAY = f"{TOMORROW:%Y-%m-%d}"
MONTH = f"/calendar/month/{TOMORROW:%Y-%m}"


@pytest.fixture
def visit(member: Visitor, look: Look) -> Visit:
    """A visit of somebody with a new account, with each of the looks."""
    return member(look)


def create(visit: Visit, title: str, repeats: str = "") -> Visit:
    """Create an event of an hour tomorrow, beginning with the button on the calendar."""
    visit.go(MONTH).press("New event").fill(Title=title, Start=f"{DAY}T18:00", End=f"{DAY}T19:00")
    if repeats:
        visit.field("Repeats").select_option(label=repeats)
    return visit.press("Save")


def open_day(visit: Visit, day: date, title: str) -> Visit:
    """Open an entry of the calendar."""
    visit.go(f"/calendar/day/{day}")
    return visit.follow(visit.page.get_by_role("grid").get_by_role("link", name=title).first)


def test_an_event_is_created_and_stands_in_the_calendar(visit: Visit) -> None:
    create(visit, "Book launch")
    visit.go(MONTH).follow(visit.page.get_by_role("gridcell").get_by_role("link", name="Book launch"))
    visit.sees_heading("Book launch").sees("18:00")


def test_one_occurrence_of_a_repeating_event_is_moved(visit: Visit) -> None:
    create(visit, "Choir", repeats="Daily")
    second, third = TOMORROW + timedelta(1), TOMORROW + timedelta(2)
    open_day(visit, second, "Choir").press("Edit")
    visit.fill(Start=f"{second}T20:00", End=f"{second}T21:00")
    visit.press_and_answer("Save", "This event")
    open_day(visit, second, "Choir").sees("20:00")
    open_day(visit, third, "Choir").sees("18:00")


def test_a_deleted_event_comes_back_with_undo(visit: Visit) -> None:
    create(visit, "Dentist")
    open_day(visit, TOMORROW, "Dentist").press("Delete").sees_heading("was deleted")
    visit.press("Undo")
    open_day(visit, TOMORROW, "Dentist").sees_heading("Dentist")


def test_an_event_is_changed_and_an_earlier_state_restored(visit: Visit) -> None:
    create(visit, "Lunch")
    open_day(visit, TOMORROW, "Lunch").press("Edit").fill(Title="Dinner", Location="Harbour").press("Save")
    open_day(visit, TOMORROW, "Dinner").sees("Harbour").press("History").sees("Dinner")
    visit.press("Restore revision 1")
    open_day(visit, TOMORROW, "Lunch").sees_heading("Lunch")


def test_what_is_at_the_same_time_is_shown_before_saving(visit: Visit) -> None:
    create(visit, "Lecture")
    create(visit, "Doctor").sees("At this time there is something else").sees("Lecture").press("Save anyway")
    open_day(visit, TOMORROW, "Doctor").sees_heading("Doctor")


def test_a_form_with_an_error_keeps_what_was_typed(visit: Visit) -> None:
    visit.go("/events/new").fill(Title="Trip", Start=f"{DAY}T18:00", End=f"{DAY}T17:00", Location="Sea").press("Save")
    assert visit.field("End").get_attribute("aria-invalid") == "true"
    assert visit.field("Title").input_value() == "Trip"
    assert visit.field("Location").input_value() == "Sea"


def test_an_event_is_found_with_its_words(visit: Visit) -> None:
    create(visit, "Zebra crossing")
    create(visit, "Other").press("Save anyway")
    visit.go("/search").fill(Search="zebra").page.keyboard.press("Enter")
    visit.page.get_by_role("main").get_by_role("link", name="Zebra crossing").click()
    visit.sees_heading("Zebra crossing")
    assert "Other" not in visit.go("/search?q=zebra").text

"""What scripts make quicker in the form of an event, and what is there without them."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import DARK_DESKTOP, PHONE, Look
from tests.browser.conftest import Visitor
from tests.browser.page_checks import require_no_violations
from tests.browser.visits import Visit

FORM = "/events/new?start=2026-12-01T18:00"
TOMORROW = date.today() + timedelta(1)  # noqa: DTZ011 - the next times of a series are listed from now on


def test_the_sentence_follows_what_is_chosen(visit: Visit) -> None:
    visit.go(FORM).field("Repeats").select_option(label="Weekly")
    visit.field("Tuesday").check()
    visit.sees("Repeats every Tuesday.")
    visit.fill(Until_this_day="2027-05-01")
    visit.field("Every how many days, weeks, months or years").fill("2")
    visit.sees("Repeats every second Tuesday until 1 May 2027.")
    visit.field("Repeats").select_option(label="By a rule of its own")
    visit.fill(Rule="FREQ=NEVER")
    visit.sees("must have a FREQ of")
    visit.fill(Rule="FREQ=MONTHLY;BYDAY=-1FR")
    visit.sees("Repeats every month on the last Friday.")


def test_only_what_belongs_to_a_choice_is_shown(visit: Visit) -> None:
    visit.go(FORM)
    expect(visit.field("Monday")).to_be_hidden()
    visit.field("Repeats").select_option(label="Weekly")
    expect(visit.field("Monday")).to_be_visible()
    expect(visit.field("Rule")).to_be_hidden()
    visit.field("Repeats").select_option(label="Monthly")
    expect(visit.field("Monday")).to_be_hidden()
    expect(visit.field("On which day of the month")).to_be_visible()


def test_days_and_times_change_into_each_other_and_the_end_follows_the_start(visit: Visit) -> None:
    visit.go(FORM).fill(Start="2026-12-08T19:30")
    visit.page.keyboard.press("Tab")
    start, end = visit.field("Start"), visit.field("End")
    start.dispatch_event("change")
    expect(end).to_have_value("2026-12-08T20:30")
    visit.field("All day").check()
    expect(start).to_have_value("2026-12-08")
    expect(end).to_have_value("2026-12-08")
    expect(visit.field("Time zone")).to_be_hidden()
    visit.field("All day").uncheck()
    expect(start).to_have_value("2026-12-08T19:30")
    expect(end).to_have_value("2026-12-08T20:30")


def test_enter_saves_and_escape_leaves_what_nobody_has_changed(visit: Visit) -> None:
    visit.go(FORM).fill(Title="Choir").page.keyboard.press("Enter")
    visit.sees_heading("Choir")
    visit.press("Edit").field("Title").focus()
    visit.page.keyboard.press("Escape")
    visit.sees_heading("Choir").press("Edit").fill(Title="Concert").page.keyboard.press("Escape")
    expect(visit.control("Cancel")).to_be_focused()
    expect(visit.field("Title")).to_have_value("Concert")
    visit.field("Description").focus()
    visit.page.keyboard.press("Control+Enter")
    visit.sees_heading("Concert")


@pytest.mark.parametrize(
    "look", [PHONE, Look(width=360, height=740, theme="dark", has_scripts=False), DARK_DESKTOP], ids=str
)
def test_errors_conflicts_and_questions_hinder_nobody(member: Visitor, look: Look) -> None:
    visit = member(look)
    start, end = f"{TOMORROW}T18:00", f"{TOMORROW}T19:00"
    visit.go("/events/new").fill(Title=" ", Start=start, End=start, Latitude="north", Colour="?").press("Save")
    _check(visit.sees("Title must contain more than blanks"))
    visit.fill(Title="Choir", Latitude="", Colour="teal", End=end)
    visit.field("Repeats").select_option(label="Daily")
    visit.press("Save").sees_heading("Choir")
    path = visit.path
    _check(visit)
    visit.go("/events/new").fill(Title="Doctor", Start=start, End=end).press("Save")
    _check(visit.sees("At this time there is something else"))
    visit.go(path).follow(visit.page.get_by_role("main").get_by_role("listitem").first.get_by_role("link"))
    visit.press("Edit").fill(Title="Concert").control("Save").click()
    expect(visit.control("This and following events")).to_be_visible()
    _check(visit)
    visit.press("This and following events").sees_heading("Concert").control("Delete").click()
    expect(visit.page.get_by_role("heading", name="What do you want to delete?")).to_be_visible()
    _check(visit)
    visit.press("All events")
    _check(visit.sees("For 30 days it can be restored."))


def _check(visit: Visit) -> None:
    # axe-core is itself a script.
    if visit.look.has_scripts:
        require_no_violations(visit)


def test_two_tabs_are_told_of_each_other(visit: Visit) -> None:
    visit.go(FORM).fill(Title="Choir").press("Save").press("Edit")
    address, other = visit.page.url, visit.context.new_page()
    other.goto(address)
    other.get_by_label("Location").fill("Harbour")
    other.get_by_role("button", name="Save").click()
    visit.fill(Title="Concert").press("Save").sees("Somebody has changed this meanwhile.")
    expect(visit.field("Location")).to_have_value("Harbour")
    require_no_violations(visit)
    visit.press("Save").sees_heading("Concert").sees("Harbour")

"""What people do with the pages, by the keyboard alone."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.sample_account import CALENDAR, SampleAccount
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD


def test_a_file_is_imported(visit: Visit) -> None:
    visit.go("/import").tab_to(visit.field("File"))
    with visit.page.expect_file_chooser() as chooser:
        visit.page.keyboard.press("Space")
    chooser.value.set_files({"name": "old.ics", "mimeType": "text/calendar", "buffer": CALENDAR})
    visit.press_by_key("Import").sees_heading("This is what the import would do")
    visit.press_by_key("Import").sees_heading("The file is imported").press_by_key("Show the calendar")


def test_a_feed_is_created_copied_and_deleted(visit: Visit) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.go("/feeds").type_into("Name", "Phone").choose_by_key("Events", "both").press_by_key("Create feed")
    address = visit.field("Address").input_value()
    visit.tab_to(visit.control("Copy")).page.keyboard.press("Enter")
    expect(visit.page.get_by_role("status").last).to_have_text("Copied.")
    assert visit.page.evaluate("navigator.clipboard.readText()") == address
    visit.open_by_key("Delete").press_by_key("Delete Phone").sees("The feed was deleted.")


def test_an_account_is_looked_after(visit: Visit, visitor: Visitor, email: str) -> None:
    visit.go("/account").type_into("Name", "Grace").press_by_key("Save").sees("Saved.")
    visit.press_by_key("Tokens").type_into("Name", "Script").tick_by_key("read your account")
    visit.press_by_key("Create token").sees("Your new token")
    visitor().sign_in(email)
    visit.press_by_key("Sessions").press_by_key("End all other sessions").sees("The sessions were ended.")
    visit.press_by_key("Password").type_into("Current password", PASSWORD).type_into("New password", f"{PASSWORD}!")
    visit.press_by_key("Save").sees("Your password is changed.")
    visit.press_by_key("Export and deletion").type_into("Password", f"{PASSWORD}!").press_by_key("Delete")
    visit.sees("The account was deleted.")


def test_a_recurrence_is_put_together(visit: Visit) -> None:
    visit.go("/events/new?start=2031-12-09T18:00").type_into("Title", "Choir").choose_by_key("Repeats", "Weekly")
    visit.type_into("Every how many days, weeks, months or years", "2").tick_by_key("Tuesday")
    visit.type_into("Or so many times", "5").sees("Repeats every second Tuesday, 5 times.")
    visit.press_by_key("Save").sees("Repeats every second Tuesday, 5 times.")


def test_one_occurrence_is_changed_and_another_deleted_and_both_undone(visit: Visit) -> None:
    visit.go("/events/new?start=2031-12-09T18:00").fill(Title="Choir").field("Repeats").select_option("daily")
    visit.press("Save").go("/calendar/day/2031-12-10")
    visit.tab_to(visit.page.locator("#grid [tabindex='0']").first)
    visit.type_until("ArrowDown", lambda: visit.page.evaluate("document.activeElement.dataset.time") == "18:00")
    with visit.page.expect_navigation():
        visit.page.keyboard.press("Enter")
    visit.press_by_key("Edit").type_into("Location", "Harbour").answer_by_key("Save", "This event").sees("Harbour")
    visit.answer_by_key("Delete", "This event").sees_heading("Deleted from").press_by_key("Undo")
    visit.press_by_key("History").press_by_key("Restore revision 1").sees_heading("Choir")


def test_a_question_can_be_left_with_escape_and_the_focus_comes_back(visit: Visit) -> None:
    visit.go("/events/new?start=2031-12-09T18:00").fill(Title="Choir").field("Repeats").select_option("daily")
    event = visit.press("Save").path
    visit.go(f"{event}?occurrence=2031-12-10T18:00:00").tab_to(visit.control("Delete")).page.keyboard.press("Enter")
    dialog = visit.page.get_by_role("dialog", name="What do you want to delete?")
    expect(dialog).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(visit.control("Delete")).to_be_focused()
    visit.sees_heading("Choir")


def test_an_event_is_saved_although_another_is_at_the_same_time(visit: Visit) -> None:
    for title in ("Lecture", "Doctor"):
        visit.go("/events/new?start=2031-12-09T18:00").type_into("Title", title).press_by_key("Save")
    visit.sees("At this time there is something else").tab_to(visit.control("To the button that saves it anyway"))
    visit.page.keyboard.press("Enter")
    visit.press_by_key("Save anyway").sees_heading("Doctor")


def test_an_event_is_found(visit: Visit) -> None:
    visit.go("/events/new?start=2031-12-09T18:00").fill(Title="Zebra crossing", Tags="walks").press("Save")
    visit.go("/calendar").page.keyboard.press("/")
    visit.is_at("/search").type_into("Search", "zebr").open_by_key("More filters").type_into("Tag", "walks")
    found = visit.page.get_by_role("main").get_by_role("link", name="Zebra crossing")
    expect(found).to_be_visible()
    visit.tab_to(found)
    with visit.page.expect_navigation():
        visit.page.keyboard.press("Enter")
    visit.sees_heading("Zebra crossing")


@pytest.mark.parametrize("view", ["week", "agenda"])
def test_the_views_are_walked_through_by_their_keys(visit: Visit, view: str) -> None:
    visit.go("/events/new?start=2031-12-09T18:00").fill(Title="Choir").press("Save")
    visit.go(f"/calendar/{view}/2031-12-08").tab_to(visit.page.locator("#grid [tabindex='0']").first)
    if view == "week":
        visit.page.keyboard.press("ArrowRight")
        visit.type_until("ArrowDown", lambda: visit.page.evaluate("document.activeElement.dataset.time") == "18:00")
    with visit.page.expect_navigation():
        visit.page.keyboard.press("Enter")
    visit.sees_heading("Choir")
    for key, day in (("PageDown", {"week": "2031-12-15", "agenda": "2032-01-05"}[view]), ("PageUp", "2031-12-08")):
        if key == "PageDown":
            visit.go(f"/calendar/{view}/2031-12-08")
        visit.page.keyboard.press(key)
        visit.is_at(f"/calendar/{view}/{day}")


def test_a_moderator_takes_an_event_down_and_gives_it_back(
    visitor: Visitor, admin_signed_in: Path, sample: SampleAccount
) -> None:
    visit = visitor(storage=admin_signed_in).go("/admin").press_by_key("Public events").press_by_key("Public walk")
    visit.type_into("Reason", "It advertises.").press_by_key("Take down").sees("The event was taken down.")
    visit.press_by_key("Taken down").press_by_key("Public walk").press_by_key("Lift the takedown")
    visit.sees("The takedown was lifted.")


def test_an_admin_finds_an_account_and_changes_its_role(
    visit: Visit, visitor: Visitor, admin_signed_in: Path, email: str
) -> None:
    admin = visitor(storage=admin_signed_in).go("/admin").type_into("Search", email)
    with admin.page.expect_navigation():
        admin.page.keyboard.press("Enter")
    admin.press_by_key(email).choose_by_key("Role", "moderator").press_by_key("Save").sees("Saved.")
    visit.go("/calendar").press_by_key("Administration").sees_heading("Accounts")

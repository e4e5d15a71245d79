"""Pages after something was sent, and what opens on them: they hinder nobody either."""

from pathlib import Path

import pytest
from playwright.sync_api import FilePayload

from tests.browser.chromium import NARROWEST
from tests.browser.conftest import Visitor
from tests.browser.page_checks import require_no_sideways_scrolling, require_no_violations
from tests.browser.sample_account import SampleAccount
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD

STRANGE_CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\nUID:no-start@example.com\r\n"
    b"DTSTAMP:20261201T000000Z\r\nDTSTART:yesterday\r\nSUMMARY:Without a start\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n"
    b"UID:strange@example.com\r\nDTSTAMP:20261201T000000Z\r\nDTSTART;TZID=Mars/Olympus:20261217T090000\r\n"
    b"SUMMARY:In a strange zone\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def visit(member: Visitor) -> Visit:
    """A visit of somebody with a new account, in the narrowest window, with the dark theme."""
    return member(NARROWEST)


def look_at(visit: Visit) -> Visit:
    """Fail if something hinders somebody."""
    require_no_sideways_scrolling(visit)
    require_no_violations(visit)
    return visit


def send_without_help(visit: Visit, button: str) -> Visit:
    """Send a form without the browser's own look at its fields."""
    visit.page.get_by_role("main").locator("form").evaluate_all(
        "forms => forms.forEach(each => each.noValidate = true)"
    )
    return visit.press(button)


def test_errors_beside_the_fields_of_the_entrance(visitor: Visitor, email: str) -> None:
    visit = visitor(NARROWEST).go("/signup").fill(E_mail="no address", Password="short")
    look_at(send_without_help(visit, "Sign up").sees("E-mail"))
    look_at(visit.go("/signin").fill(E_mail=email, Password="wrong").press("Sign in").sees("is wrong"))
    look_at(visit.go("/forgot-password").fill(E_mail=email).press("Send the e-mail").sees("an e-mail is on its way"))
    visit.go("/reset-password").fill(New_password=PASSWORD).field("Link from the e-mail").fill("x")
    look_at(visit.press("Set the password").sees("Request another e-mail"))


def test_what_an_account_has_changed_and_what_it_may_not(visit: Visit, email: str) -> None:
    look_at(
        visit.go("/account").fill(Time_zone="Mars/Olympus").press("Save").sees("Please check what is marked below.")
    )
    look_at(visit.fill(Time_zone="Asia/Tokyo").press("Save").sees("Saved."))
    look_at(visit.go("/account/password").fill(Current_password="wrong", New_password=PASSWORD).press("Save"))
    visit.go("/account/email").fill(Current_password=PASSWORD).field("New e-mail").fill(f"new.{email}")
    look_at(visit.press("Change the address").sees("We have sent an e-mail"))
    look_at(send_without_help(visit.go("/account/tokens"), "Create token").sees("Please check"))
    visit.fill(Name="Script").field("read your account").check()
    look_at(visit.press("Create token").sees("Your new token"))
    visit.go("/account/tokens").page.locator("summary").click()
    look_at(visit)
    look_at(visit.go("/account/delete").fill(Password="wrong").press("Delete").sees("is wrong"))


def test_a_file_with_strange_entries_and_one_that_is_no_calendar(visit: Visit) -> None:
    look_at(send_without_help(visit.go("/import"), "Import").sees("is not chosen"))
    for content, seen in ((STRANGE_CALENDAR, "Not imported"), (b"nothing of it", "could not be imported")):
        file: FilePayload = {"name": "old.ics", "mimeType": "text/calendar", "buffer": content}
        visit.go("/import").field("File").set_input_files(file)
        look_at(visit.press("Import").sees(seen))


def test_a_feed_with_its_address_and_the_question_before_its_deletion(visit: Visit) -> None:
    look_at(visit.go("/feeds").fill(Name="Phone").press("Create feed").sees("The address of Phone"))
    visit.page.locator("summary").click()
    look_at(visit)
    look_at(send_without_help(visit.go("/feeds"), "Create feed"))


def test_a_sign_out_in_the_middle_of_writing(visit: Visit, email: str) -> None:
    visit.go("/events/new").fill(Title="A long story")
    tab, visit.page = visit.page, visit.context.new_page()
    visit.look_as(NARROWEST).go("/account").press("Sign out")
    visit.page = tab
    look_at(visit.press("Save").sees_heading("You were signed out"))
    look_at(visit.fill(E_mail=email, Password=PASSWORD).press("Sign in").sees_heading("Save what you had written?"))
    look_at(visit.press("Save").sees_heading("A long story"))


def test_a_form_of_an_earlier_session_and_pages_that_do_not_exist(visit: Visit, email: str) -> None:
    visit.go("/events/new").fill(Title="Old tab")
    visit.context.clear_cookies()
    tab, visit.page = visit.page, visit.context.new_page()
    visit.look_as(NARROWEST).sign_in(email)
    visit.page = tab
    look_at(visit.press("Save").sees_heading("Save what you had written?"))
    visit.go("/events/new")
    visit.page.locator("[name=form_token]").first.evaluate("field => field.value = 'x'")
    look_at(visit.press("Sign out").sees_heading("This form cannot be used any more"))
    for address in ("/events/6b0aadf0f1eae04026c6138b", "/calendar/month/2026-13", "/admin"):
        look_at(visit.go(address).sees("Back to the start"))


def test_a_search_that_cannot_be_understood(visit: Visit) -> None:
    look_at(visit.go("/search?near=north").sees("Please check what is marked below."))


def test_deleted_events_and_those_that_have_changed_since(visit: Visit) -> None:
    event = visit.go("/events/new?start=2031-12-09T18:00").fill(Title="Choir").press("Save").path
    look_at(visit.press("Delete").sees_heading("was deleted"))
    deleted = visit.page.url
    visit.press("Undo").go(f"{event}/edit").fill(Title="Concert").press("Save")
    visit.page.goto(deleted)
    look_at(visit.sees_heading("This was changed since"))
    look_at(visit.go(f"{event}/history").sees("Concert"))


def test_a_takedown_without_a_reason(visitor: Visitor, admin_signed_in: Path, sample: SampleAccount) -> None:
    visit = visitor(NARROWEST, admin_signed_in).go(f"/admin/events/{sample.ids['Holidays']}")
    look_at(send_without_help(visit, "Take down").sees("Please check what is marked below."))
    visit.go(f"/admin/accounts/{sample.ids['account']}").page.locator("summary").click()
    look_at(visit)

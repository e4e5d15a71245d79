"""Look after an account."""

import pytest

from tests.browser.chromium import Look
from tests.browser.conftest import Visitor
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD

NEW_PASSWORD = "another staple of horses"


@pytest.fixture
def visit(member: Visitor, look: Look) -> Visit:
    """A visit of somebody with a new account, with each of the looks."""
    return member(look)


def test_the_name_and_the_time_zone_are_changed(visit: Visit) -> None:
    visit.go("/account").fill(Name="Grace", Time_zone="Asia/Tokyo").press("Save").sees("Saved.")
    visit.go("/account")
    assert [visit.field(name).input_value() for name in ("Name", "Time zone")] == ["Grace", "Asia/Tokyo"]
    visit.fill(Time_zone="Mars/Olympus").press("Save")
    assert visit.field("Time zone").get_attribute("aria-invalid") == "true"


def test_the_password_is_changed_and_signs_in(visit: Visit, email: str) -> None:
    visit.go("/account/password").fill(Current_password=PASSWORD, New_password=NEW_PASSWORD).press("Save")
    visit.sees("Your password is changed.").press("Sign out").press("Sign in")
    visit.fill(E_mail=email, Password=NEW_PASSWORD).press("Sign in").is_at("/calendar")


def test_the_other_sessions_are_ended(visit: Visit, visitor: Visitor, email: str) -> None:
    other = visitor().sign_in(email)
    visit.go("/account/sessions").press("End all other sessions").sees("The sessions were ended.")
    other.go("/account").is_at("/signin")


def test_a_token_for_a_program_is_shown_once(visit: Visit) -> None:
    visit.go("/account/tokens").fill(Name="Script").page.get_by_role("checkbox").first.check()
    secret = visit.press("Create token").page.locator("#secret").input_value()
    assert secret
    assert secret not in visit.go("/account/tokens").sees("Script").page.content()


def test_an_account_is_deleted(visit: Visit, email: str) -> None:
    visit.go("/account/delete").fill(Password=PASSWORD).press("Delete").sees("The account was deleted.")
    visit.go("/signin").fill(E_mail=email, Password=PASSWORD).press("Sign in")
    visit.sees("The account or the password is wrong.")

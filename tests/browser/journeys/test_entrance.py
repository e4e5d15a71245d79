"""Sign up, sign in and sign out."""

import pytest

from tests.browser.chromium import Look
from tests.browser.conftest import Visitor
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD


@pytest.fixture
def visit(visitor: Visitor, look: Look) -> Visit:
    """A visit of somebody without an account, with each of the looks."""
    return visitor(look)


def test_somebody_signs_up_signs_out_and_signs_in(visit: Visit, email: str) -> None:
    visit.go("/").press("Sign up").is_at("/signup").fill(E_mail=email, Password=PASSWORD).press("Sign up")
    visit.is_at("/calendar").press("Sign out").is_at("/").press("Sign in").is_at("/signin")
    visit.fill(E_mail=email, Password=PASSWORD).press("Sign in").is_at("/calendar")


def test_what_is_wrong_stands_beside_the_field_and_what_was_typed_is_still_there(visit: Visit) -> None:
    visit.go("/signup").page.get_by_role("main").locator("form").evaluate("form => form.noValidate = true")
    visit.fill(E_mail="no address", Password="short", Name="<b>Eve</b>").press("Sign up")
    assert visit.field("E-mail").input_value() == "no address"
    assert visit.field("Name").input_value() == "<b>Eve</b>"
    assert visit.field("Password").input_value() == ""
    for name in ("E-mail", "Password"):
        assert visit.field(name).get_attribute("aria-invalid") == "true"
        described = visit.field(name).get_attribute("aria-describedby")
        assert described
        assert visit.page.locator(f"#{described.split()[-1]}").inner_text().startswith(name)


def test_a_wrong_password_is_said_and_can_be_typed_again(visit: Visit, email: str) -> None:
    visit.sign_up(email).press("Sign out").press("Sign in").fill(E_mail=email, Password="not the password")
    visit.press("Sign in").sees("The account or the password is wrong.")
    visit.fill(Password=PASSWORD).press("Sign in").is_at("/calendar")


def test_one_signs_up_and_out_with_the_keyboard_alone(visitor: Visitor, email: str) -> None:
    visit = visitor().go("/")
    visit.press_by_key("Sign up").is_at("/signup").type_into("E-mail", email).type_into("Password", PASSWORD)
    visit.page.keyboard.press("Enter")
    visit.is_at("/calendar").press_by_key("Sign out").is_at("/")


def test_the_zone_of_the_browser_is_offered(visitor: Visitor) -> None:
    visit = visitor().go("/signup")
    assert visit.page.locator("[data-browser-zone]").input_value() == "Europe/Berlin"


def test_the_first_thing_that_the_tab_key_finds_leads_to_the_content(visitor: Visitor) -> None:
    visit = visitor().go("/")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "content"

"""What people, other websites and old tabs send: it comes out as text, or a sentence says what happened."""

from urllib.parse import quote

import pytest

from tests.browser.chromium import NARROWEST
from tests.browser.conftest import Visitor
from tests.browser.page_checks import require_no_sideways_scrolling
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD

HOSTILE = {
    "script": "<script>document.body.innerHTML = 'owned'</script>",
    "attribute": "\"'><img src=x onerror=\"document.title='owned'\">",
    "markdown": "[press](javascript:alert(1)) **bold** {{ 7 * 7 }}",
    "rtl": "abc\u202egpj.exe\u202c \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 e\u0301\u0301\u0301",
    "one long word": "W" * 200,
}
DAY = "2026-12-17"


@pytest.fixture
def visit(member: Visitor) -> Visit:
    """A visit of somebody with a new account, in the narrowest window."""
    return member(NARROWEST)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_typed_comes_out_as_text_on_every_page(visit: Visit, text: str) -> None:
    visit.go("/events/new").fill(
        Title=text, Start=f"{DAY}T18:00", End=f"{DAY}T19:00", Location=text, Description=text, Tags=text[:30]
    )
    visit.press("Save")
    views = ("month/2026-12", f"week/{DAY}", f"day/{DAY}", f"agenda/{DAY}")
    for address in (*(f"/calendar/{view}" for view in views), f"/search?q={quote(text[:20])}"):
        visit.go(address)
        require_text(visit, text)
    visit.go(f"/calendar/day/{DAY}").follow(visit.page.locator("#grid a.item").first)
    event = visit.sees_heading(text).path
    for address in (event, f"{event}/edit", f"{event}/history"):
        visit.go(address)
        require_text(visit, text)
    visit.go(event).press("Delete").sees_heading(text)
    require_text(visit, text)


def require_text(visit: Visit, text: str) -> None:
    """Fail unless the page has this as text, and nothing that it would be as HTML."""
    assert text in str(visit.page.get_by_role("main").text_content()) or visit.path.endswith("/edit"), visit.path
    assert visit.page.locator("img[src=x], main script, a[href^='javascript:'], [onerror]").count() == 0
    assert "owned" not in str(visit.page.title())[:5]
    require_no_sideways_scrolling(visit)


def test_a_text_of_20000_characters_is_refused_beside_its_field_and_kept(visit: Visit) -> None:
    visit.go("/events/new").field("Title").evaluate("field => field.removeAttribute('maxlength')")
    visit.fill(Title="W" * 20_000, Web_page="javascript:alert(1)").press("Save")
    for name in ("Title", "Web page"):
        assert visit.field(name).get_attribute("aria-invalid") == "true"
    assert visit.field("Title").input_value() == "W" * 20_000
    assert visit.field("Web page").input_value() == "javascript:alert(1)"
    require_no_sideways_scrolling(visit)


def test_a_form_of_another_website_changes_nothing(visit: Visit) -> None:
    visit.page.goto(f"data:text/html,<form method=post action={visit.root}/signout><button>Win</button></form>")
    visit.follow(visit.page.get_by_role("button"))
    visit.sees_heading("This form cannot be used any more").press("Back to the start").is_at("/calendar")


def test_what_was_written_survives_a_sign_out_in_another_tab(visit: Visit, email: str) -> None:
    visit.go("/events/new").fill(Title="A long story", Start=f"{DAY}T18:00", End=f"{DAY}T19:00")
    other = visit.context.new_page()
    other.goto(f"{visit.root}/account")
    other.get_by_role("button", name="Sign out").click()
    visit.press("Save").fill(E_mail=email, Password=PASSWORD).press("Sign in").press("Save")
    visit.go(f"/calendar/day/{DAY}").sees("A long story")


def test_a_form_that_was_opened_in_an_earlier_session_is_refused_with_a_way_on(visit: Visit, email: str) -> None:
    visit.go("/events/new").fill(Title="Old tab")
    tab = visit.page
    visit.page = visit.context.new_page()
    visit.go("/account").press("Sign out").sign_in(email)
    visit.page = tab
    visit.press("Save").sees_heading("This form cannot be used any more").press("Back to the start").is_at("/calendar")


def test_of_two_tabs_the_second_sees_what_the_first_has_saved(visit: Visit) -> None:
    visit.go("/events/new").fill(Title="Shared", Start=f"{DAY}T18:00", End=f"{DAY}T19:00").press("Save")
    visit.go(f"/calendar/day/{DAY}").follow(visit.page.locator("#grid a.item").first)
    event = visit.sees_heading("Shared").path
    visit.go(f"{event}/edit").fill(Title="Second")
    second, visit.page = visit.page, visit.context.new_page()
    visit.go(f"{event}/edit").fill(Title="First").press("Save")
    visit.page = second
    visit.press("Save").sees("Somebody has changed this meanwhile.")
    assert visit.field("Title").input_value() == "Second"
    visit.press("Save")
    visit.go(event).sees_heading("Second")


def test_back_after_a_sign_out_shows_nothing_personal(visit: Visit, email: str) -> None:
    visit.go("/account/email").sees(email).press("Sign out").is_at("/")
    visit.page.go_back()
    visit.is_at("/signin")
    assert email not in visit.page.content()

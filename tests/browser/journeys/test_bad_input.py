"""What people, other websites and old tabs send: it comes out as text, or a sentence says what happened."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import FilePayload

from tests.browser.chromium import NARROWEST
from tests.browser.conftest import Visitor
from tests.browser.page_checks import require_no_sideways_scrolling
from tests.browser.sample_account import CALENDAR
from tests.browser.visits import Visit
from tests.support.clients import PASSWORD

TAGS = "<script>document.title = 'owned'</script>\"'><img src=x onerror=\"document.title='owned'\">"
MARKS = "[press](javascript:alert(1)) {{ 7 * 7 }} abc\u202egpj\u202c \u0627\u0644\u0639 👩‍👩‍👧‍👦🏳️‍🌈 e\u0301\u0301"
# A name has at most 100 characters, and a title 200.
NAMES = {"tags": TAGS, "marks": MARKS, "one long word": "W" * 100}
HOSTILE = {"tags and marks": f"{TAGS} {MARKS}", "one long word": "W" * 200}
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


# A mark of direction must not turn around what stands beside it in the same line.
_LEAKING = """[...document.querySelectorAll('body *')].flatMap(each => [...each.childNodes])
  .filter(node => node.nodeType === 3 && node.data.includes('\u202e') && !node.data.includes('\u2068'))
  .filter(node => {
    let around = node.parentElement;
    const isolates = each => ['isolate', 'plaintext'].includes(getComputedStyle(each).unicodeBidi);
    while (getComputedStyle(around).display === 'inline' && !isolates(around)) around = around.parentElement;
    return !isolates(around) && around.textContent.trim() !== node.data.trim();
  }).map(node => node.parentElement.outerHTML)"""


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_names_come_out_as_text_on_the_pages_of_an_account(visit: Visit, text: str) -> None:
    visit.go("/account").fill(Name=text).press("Save").sees("Saved.")
    visit.go("/feeds").fill(Name=text)
    visit.field("Only with the tag").fill(text[:30])
    require_text(visit.press("Create feed"), text)
    visit.go("/account/tokens").fill(Name=text).field("read your account").check()
    require_text(visit.press("Create token"), text)
    for address in ("/feeds", "/account/tokens"):
        require_text(visit.go(address), text)
    calendar = CALENDAR.replace(b"UID:one", b"UID:" + text.encode()).replace(b"DTSTART:2", b"DTSTART:x")
    file: FilePayload = {"name": f"{text[:20]}.ics", "mimeType": "text/calendar", "buffer": calendar}
    visit.go("/import").field("File").set_input_files(file)
    require_text(visit.press("Import").sees("Not imported"), text)


def test_names_come_out_as_text_on_the_pages_of_moderators(
    visit: Visit, visitor: Visitor, admin_signed_in: Path
) -> None:
    for text in HOSTILE.values():
        visit.go("/events/new").fill(Title=text, Description=text, Location=text, Start="", End="")
        visit.field("Who may see it").select_option("public")
        event = visit.press("Save").sees_heading(text).path
        admin = visitor(NARROWEST, admin_signed_in).go(f"/admin{event}")
        require_text(admin, text)
        admin.fill(Reason=text).press("Take down")
        require_text(admin.go("/admin/taken-down"), text)
        require_text(visit.go(event), text)


def test_a_description_of_20000_characters_is_shown_whole(visit: Visit) -> None:
    text = "👩‍👩‍👧‍👦\u202eW" * 2000 + "W" * 2000
    event = visit.go("/events/new").fill(Title="Long", Description=text).press("Save").sees_heading("Long").path
    for address in (event, f"{event}/edit"):
        require_text(visit.go(address), text)
    assert visit.field("Description").input_value() == text


def require_text(visit: Visit, text: str) -> None:
    """Fail unless the page has this as text, and nothing that it would be as HTML."""
    assert text in str(visit.page.get_by_role("main").text_content()) or visit.path.endswith("/edit"), visit.path
    assert visit.page.locator("img[src=x], main script, a[href^='javascript:'], [onerror]").count() == 0
    assert visit.page.evaluate(_LEAKING) == []
    assert "owned" not in str(visit.page.title()).lstrip("\u2068")[:5]
    assert str(visit.page.title()).endswith("\u2069 · Planner")
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


def test_what_was_written_in_an_earlier_session_can_be_saved_in_this_one(visit: Visit, email: str) -> None:
    visit.go("/account/tokens").fill(Name="Old tab")
    for box in ("read your account", "create, change, delete and import your events"):
        visit.field(box).check()
    tab, visit.page = visit.page, visit.context.new_page()
    visit.go("/account").press("Sign out").sign_in(email)
    visit.page = tab
    visit.press("Create token").sees_heading("Save what you had written?").press("Save").sees("Your new token")
    visit.sees(re.compile("events:write.*account:read|account:read.*events:write"))


def test_a_deletion_while_one_is_signed_out_deletes_nothing_later(visit: Visit, email: str) -> None:
    event = visit.go("/events/new").fill(Title="Kept").press("Save").path
    tab, visit.page = visit.page, visit.context.new_page()
    visit.go("/account").press("Sign out")
    visit.page = tab
    visit.press("Delete").sees("do once more").fill(E_mail=email, Password=PASSWORD).press("Sign in")
    visit.is_at("/calendar").go(event).sees_heading("Kept")


def test_a_file_that_is_sent_while_one_is_signed_out_can_be_chosen_again(visit: Visit, email: str) -> None:
    visit.go("/import").field("File").set_input_files(
        {"name": "old.ics", "mimeType": "text/calendar", "buffer": CALENDAR}
    )
    tab, visit.page = visit.page, visit.context.new_page()
    visit.go("/account").press("Sign out")
    visit.page = tab
    visit.press("Import").sees("do once more").fill(E_mail=email, Password=PASSWORD).press("Sign in")
    visit.is_at("/import").sees("Choose a file")


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

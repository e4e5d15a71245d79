"""A visit to the planner: pages are opened, and fields and buttons are found by the names that people read."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.chromium import Look
from tests.browser.watching import Watcher
from tests.support.clients import PASSWORD

# Presses a key until the focus is where it should be: a page has fewer places than this for it.
_PLACES = 150


class Visit:
    """Somebody at one page. Playwright's `page` is there for what has no method here."""

    def __init__(self, context: BrowserContext, root: str, look: Look) -> None:
        self.context = context
        self.root = root
        self.look = look
        self.watcher = Watcher(context, root)
        self.page: Page = context.new_page()

    @property
    def path(self) -> str:
        """The address of the page within the planner."""
        return urlsplit(str(self.page.url)).path

    def go(self, path: str) -> "Visit":
        """Open an address of the planner."""
        self.page.goto(self.root + path)
        return self

    def look_as(self, look: Look) -> "Visit":
        """Change the size of the window and the theme, with the page that is open."""
        self.look = look
        self.page.set_viewport_size({"width": look.width, "height": look.height})
        self.page.emulate_media(color_scheme=look.theme)
        return self

    def field(self, name: str) -> Locator:
        """Return the field with this label."""
        labelled = self.page.get_by_label(re.compile(rf"^\s*{re.escape(name)}(\s*\(optional\))?\s*$"))
        return labelled.and_(self.page.locator("input, select, textarea")).first

    def fill(self, **fields: str) -> "Visit":
        """Type into fields; an underscore in a name is a blank, and `E_mail` is E-mail."""
        for name, value in fields.items():
            self.field("E-mail" if name == "E_mail" else name.replace("_", " ")).fill(value)
        return self

    def control(self, name: str) -> Locator:
        """Wait for a button or link with this name, and return that of an open dialog, or else of the content."""
        named = [self.page.get_by_role(role, name=name, exact=True) for role in ("button", "link")]
        either = named[0].or_(named[1])
        expect(either.first, f"no button and no link is called {name!r} on {self.path}").to_be_attached()
        for place in (self.page.get_by_role("dialog"), self.page.get_by_role("main")):
            for found in named:
                inside = place.locator(found)
                if inside.count():
                    return inside.first
        return either.first

    def press_and_answer(self, name: str, answer: str) -> "Visit":
        """Press a button that asks which occurrences are meant, and answer in its dialog, or page without scripts."""
        self.control(name).click()
        return self.press(answer)

    def press(self, name: str) -> "Visit":
        """Press the button, or follow the link, with this name, and wait for the page to which it leads."""
        return self.follow(self.control(name))

    def follow(self, control: Locator) -> "Visit":
        """Press something that leads to a page, and wait for that page."""
        with self.page.expect_navigation():
            control.click()
        return self

    def type_until(self, key: str, is_there: Callable[[], bool]) -> None:
        """Press a key until a fact holds, as somebody does who moves the focus."""
        for _ in range(_PLACES):
            if is_there():
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{key} does not lead there on {self.path}")

    def tab_to(self, place: Locator) -> "Visit":
        """Move the focus to a place with the Tab key alone."""
        self.type_until("Tab", lambda: bool(place.evaluate("element => element === document.activeElement")))
        return self

    def type_into(self, name: str, text: str) -> "Visit":
        """Move to a field with the Tab key, and type."""
        self.tab_to(self.field(name))
        self.page.keyboard.type(text)
        return self

    def press_by_key(self, name: str) -> "Visit":
        """Move to a button or link with the Tab key, and press Enter."""
        self.tab_to(self.control(name))
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        return self

    def answer_by_key(self, name: str, answer: str) -> "Visit":
        """Press a button that asks which occurrences are meant, and answer, with the Tab key and Enter."""
        self.tab_to(self.control(name)).page.keyboard.press("Enter")
        return self.press_by_key(answer)

    def tick_by_key(self, name: str) -> "Visit":
        """Move to a box with the Tab key, and press the space bar."""
        self.tab_to(self.field(name)).page.keyboard.press("Space")
        return self

    def choose_by_key(self, name: str, choice: str) -> "Visit":
        """Move to a list with the Tab key, and type the beginning of a choice, or nothing of it if it is chosen."""
        self.tab_to(self.field(name)).page.keyboard.type(choice)
        expect(self.field(name).locator("option:checked")).to_have_text(choice)
        return self

    def open_by_key(self, text: str) -> "Visit":
        """Move to what is folded away with the Tab key, and open it."""
        self.tab_to(self.page.locator("summary", has_text=text)).page.keyboard.press("Enter")
        return self

    @property
    def text(self) -> str:
        """What the page says."""
        return str(self.page.locator("body").inner_text())

    def sees(self, text: str | re.Pattern[str]) -> "Visit":
        """Wait until the content of the page shows a text."""
        expect(self.page.get_by_role("main")).to_contain_text(text)
        return self

    def sees_heading(self, text: str | re.Pattern[str]) -> "Visit":
        """Wait until the heading of the page is this."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)
        return self

    def is_at(self, path: str) -> "Visit":
        """Wait until the address of the page begins with a path."""
        self.page.wait_for_url(re.compile(re.escape(self.root + path)))
        return self

    def sign_up(self, email: str) -> "Visit":
        """Create an account with a form, which signs in."""
        return self.go("/signup").fill(E_mail=email, Password=PASSWORD).press("Sign up").is_at("/calendar")

    def sign_in(self, email: str) -> "Visit":
        """Sign in with the form."""
        return self.go("/signin").fill(E_mail=email, Password=PASSWORD).press("Sign in").is_at("/calendar")

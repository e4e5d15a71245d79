"""A browser without scripts: it keeps cookies, opens pages, and sends the forms on them as they are filled."""

from html.parser import HTMLParser
from typing import Any

import httpx

from tests.support.clients import Person

ORIGIN = "http://planner.test"


class FormFields(HTMLParser):
    """The forms of a page, in their order: where each is sent, and what is in its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.actions: list[str] = []
        self._text: str | None = None
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
            self.actions.append(values.get("action", ""))
        if not self.forms:
            return
        name, fields = values.get("name", ""), self.forms[-1]
        if tag == "input" and (values.get("type") != "checkbox" or "checked" in values):
            fields[name] = values.get("value", "")
        elif tag == "textarea":
            self._text = name
            fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in values or self._select not in fields):
            fields[self._select] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._text:
            self.forms[-1][self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text:
            # The line break after the tag is not part of the text (HTML Standard, "textarea").
            self.forms[-1][self._text] = self.forms[-1][self._text].removeprefix("\n")
            self._text = None
        if tag == "select":
            self._select = None


class Browser:
    """A browser of somebody who is signed in, without scripts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def open(self, address: str) -> httpx.Response:
        return await self.client.get(address)

    async def sign_in(self, person: Person) -> None:
        await self.submit(await self.open("/signin"), "/signin", email=person.email, password=person.password)

    async def submit(self, page: httpx.Response, action: str, **changes: str | None) -> httpx.Response:
        """Send the first form of a page with this action; None leaves a field or a box out."""
        found = FormFields(page.text)
        fields = found.forms[found.actions.index(action)] | changes
        sent = {name: value for name, value in fields.items() if name and value is not None}
        return await self.client.post(action, data=sent, headers={"Origin": ORIGIN})

    async def follow(self, response: httpx.Response) -> httpx.Response:
        """Open the address to which a response leads."""
        assert response.status_code == 303, f"{response.status_code}: {text_of(response)}"
        return await self.open(response.headers["location"])


def fields_of(page: httpx.Response, action: str) -> dict[str, Any]:
    """Return what is in the fields of the first form of a page with this action."""
    found = FormFields(page.text)
    return found.forms[found.actions.index(action)]


def token_in(page: httpx.Response) -> str:
    """Return the token of the first form on a page."""
    return FormFields(page.text).forms[0]["form_token"]


def text_of(page: httpx.Response) -> str:
    """Return the text of a page without its tags and the marks that isolate titles, as somebody reads it."""
    reader = _Text()
    reader.feed(page.text)
    return " ".join("".join(reader.parts).replace("“\u2068", "“").replace("\u2069”", "”").split())


_WITHIN_A_LINE = ("a", "bdi", "b", "strong", "span")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # What stands in cells and blocks of their own is read apart.
        self.parts.append(" " if tag not in _WITHIN_A_LINE else "")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

"""What a page of the calendar shows, cell by cell, as somebody reads it."""

from html.parser import HTMLParser

import httpx


class Cells(HTMLParser):
    """The cells of the grid of a page by their date, or date and time: the texts and the addresses of their events."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        assert page.status_code == 200, page.text
        self.events: dict[str, list[str]] = {}
        self.addresses: dict[str, list[str]] = {}
        self.classes: dict[str, list[str]] = {}
        self.roles: list[str] = []
        self._cell: str | None = None
        self._is_in_event = False
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if role := values.get("role"):
            self.roles.append(role)
        if role == "gridcell":
            time = values.get("data-time")
            self._cell = values["data-date"] + (f"T{time}" if time else "")
            self.events[self._cell], self.addresses[self._cell], self.classes[self._cell] = [], [], []
        elif tag == "a" and self._cell and "item" in values.get("class", "").split():
            self._is_in_event = True
            self.events[self._cell].append("")
            self.addresses[self._cell].append(values["href"])
            self.classes[self._cell].append(values["class"])

    def handle_data(self, data: str) -> None:
        if self._is_in_event and self._cell:
            self.events[self._cell][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._is_in_event and self._cell:
            self._is_in_event = False
            self.events[self._cell][-1] = " ".join(self.events[self._cell][-1].split())

    @property
    def shown(self) -> dict[str, list[str]]:
        """The texts of the events, of the cells that have any."""
        return {cell: texts for cell, texts in self.events.items() if texts}

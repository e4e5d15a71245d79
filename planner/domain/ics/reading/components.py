"""Takes a file apart into its components (RFC 5545 §3.4, §3.6), so that each can be read for itself.

What is wrong in one component stays in it: it is noted there, and the rest of the file is read on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# How deep components may stand in one another: an alarm's place in an event makes four.
MAX_DEPTH = 6
MAX_COMPONENTS = 20_000
MAX_TIME_ZONES = 500

_FOLD = re.compile(r"\n[ \t]")
# Fast, and enough to know what a line is about: a name, and what follows it.
_NAMED = re.compile(r"[A-Za-z0-9-]+(?=[:;])", re.ASCII)
_BOUND = re.compile(r"(BEGIN|END)[ \t]*:[ \t]*([A-Za-z0-9-]+)[ \t]*", re.ASCII | re.IGNORECASE)


class NotACalendar(ValueError):
    """The file as a whole cannot be imported; the message says why."""


@dataclass
class Component:
    """A component: its lines without the first and the last, and the components in it.

    `trouble` says, in words, why it cannot be read.
    """

    name: str
    lines: list[str] = field(default_factory=list)
    blocks: list["Component"] = field(default_factory=list)
    trouble: str | None = None

    def verbatim(self) -> list[str]:
        """Its lines, those of the components in it, and the bounds around them."""
        inner = [line for block in self.blocks for line in block.verbatim()]
        return [f"BEGIN:{self.name}", *self.lines, *inner, f"END:{self.name}"]

    def first(self, name: str) -> str | None:
        """What follows the colon in the first line with this name, without parameters; None when there is none."""
        for line in self.lines:
            if line[: len(name) + 1].upper() == f"{name}:":
                return line[len(name) + 1 :].strip()
        return None


def parse_line_name(line: str) -> str | None:
    """What a content line is called, in capitals; None for what is no content line."""
    found = _NAMED.match(line)
    return found[0].upper() if found else None


def unfold_lines(text: str) -> Iterator[str]:
    """The content lines of a file (RFC 5545 §3.1), whichever way it ends and folds them; none is blank."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for line in _FOLD.sub("", text).split("\n"):
        if line.strip():
            yield line.removesuffix("\r")


def parse_calendars(text: str) -> list[Component]:
    """The VCALENDARs of a file; raises `NotACalendar` when there is none, or too much in it."""
    reader = _Reader()
    for line in unfold_lines(text):
        reader.take(line)
    reader.end()
    if not reader.found:
        raise NotACalendar("the file holds no iCalendar data: it has no BEGIN:VCALENDAR")
    return reader.found


class _Reader:
    """Reads line by line; `open` are the components that have begun and not ended."""

    def __init__(self) -> None:
        self.found: list[Component] = []
        self.open: list[Component] = []
        self.components = 0
        self.zones = 0

    def take(self, line: str) -> None:
        bound = _BOUND.fullmatch(line)
        if bound is None:
            if self.open:
                self._add(line)
        elif bound[1].upper() == "BEGIN":
            self._begin(bound[2].upper())
        else:
            self._end(bound[2].upper())

    def end(self) -> None:
        for block in self.open[1:]:
            block.trouble = block.trouble or f"the file ends before END:{block.name}"
        self.open = []

    def _add(self, line: str) -> None:
        block = self.open[-1]
        if parse_line_name(line) is None:
            block.trouble = block.trouble or "one of its lines is not of the form NAME:VALUE"
        elif "\0" in line:
            block.trouble = block.trouble or "one of its lines holds a NUL"
        else:
            block.lines.append(line)

    def _begin(self, name: str) -> None:
        if name == "VCALENDAR":
            self.end()
            self._open(Component(name), self.found)
        elif self.open:
            # What begins like this stands in the file itself: whatever was open is not closed.
            if name in ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"):
                for block in self.open[1:]:
                    block.trouble = block.trouble or f"it has no END:{block.name}"
                del self.open[1:]
            if len(self.open) == 1:
                self._count(name)
            if len(self.open) >= MAX_DEPTH:
                self.open[1].trouble = self.open[1].trouble or "components stand too deep in one another"
            self._open(Component(name), self.open[-1].blocks)

    def _count(self, name: str) -> None:
        if name == "VTIMEZONE":
            self.zones += 1
            if self.zones > MAX_TIME_ZONES:
                raise NotACalendar(f"a file may describe {MAX_TIME_ZONES} time zones at most")
        else:
            self.components += 1
            if self.components > MAX_COMPONENTS:
                raise NotACalendar(f"a file may hold {MAX_COMPONENTS} entries at most")

    def _open(self, block: Component, among: list[Component]) -> None:
        # Nothing is kept of what stands too deep; its bounds are counted all the same.
        if len(self.open) < MAX_DEPTH:
            among.append(block)
        if len(self.open) > 1000:
            raise NotACalendar("components stand too deep in one another")
        self.open.append(block)

    def _end(self, name: str) -> None:
        depth = next((n for n in range(len(self.open) - 1, -1, -1) if self.open[n].name == name), None)
        if depth is None:
            if len(self.open) > 1:
                self.open[-1].trouble = self.open[-1].trouble or f"it has an END:{name} without its beginning"
            return
        for block in self.open[depth + 1 :]:
            block.trouble = block.trouble or f"it has no END:{block.name}"
        # What is wrong in a part is wrong with the whole entry.
        for outer, inner in zip(self.open[1:-1], self.open[2:], strict=True):
            if inner.trouble and outer.trouble is None:
                outer.trouble = inner.trouble
        del self.open[depth:]

"""Parsing of a file into its components (RFC 5545 §3.4, §3.6), so that each can be read separately.

An error in one component is recorded in it, and does not prevent the rest of the file from being read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.domain.ics.reading.decoding import replace_undecoded

# The greatest depth of nested components. A valid file has four: the location of an alarm of an event.
MAX_DEPTH = 6
# Deeper nesting than this is not even counted, so that reading a hostile file costs little.
_MAX_COUNTED_DEPTH = 1000
MAX_COMPONENTS = 20_000
MAX_TIME_ZONES = 500

# Inside a VCALENDAR, these components are never part of another component.
_TOP_LEVEL = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE")
_TOO_DEEP = "its components are nested too deep"

_FOLD = re.compile(r"\n[ \t]")
# This does not validate the line, but is fast, and enough to find its name.
_NAME = re.compile(r"[A-Za-z0-9-]+(?=[:;])", re.ASCII)
# There is a byte order mark in the middle of a file that consists of several files.
# A quoted parameter may contain a colon.
_NAME_AND_PARAMETERS = re.compile(r'([A-Za-z0-9-]+)(?:;(?:[^":]|"[^"]*")*)?:', re.ASCII)
_BEGIN_OR_END = re.compile(r"\ufeff?(BEGIN|END)[ \t]*:[ \t]*([A-Za-z0-9-]+)[ \t]*", re.ASCII | re.IGNORECASE)
# An entry without one of these lines would take place at other times.
_TIME_LINE = re.compile(
    r"(?:UID|DTSTART|DTEND|DURATION|RRULE|EXRULE|RDATE|EXDATE|RECURRENCE-ID)\s*[:;]", re.ASCII | re.IGNORECASE
)
_MAX_QUOTED_CHARACTERS = 60


class NotACalendar(ValueError):
    """A file that cannot be imported at all; the message says why."""


@dataclass
class Component:
    """A component: its lines without BEGIN and END, and the components inside it.

    `error` says why it cannot be read; None if it can. `lost_lines` are those that are no content lines, and are left
    out; `undecoded` is the number of replacement characters in the others.
    """

    name: str
    lines: list[str] = field(default_factory=list)
    components: list["Component"] = field(default_factory=list)
    error: str | None = None
    lost_lines: list[str] = field(default_factory=list)
    undecoded: int = 0

    def to_lines(self) -> list[str]:
        """Return all lines of the component, with BEGIN, END and the components inside it."""
        inner = [line for component in self.components for line in component.to_lines()]
        return [f"BEGIN:{self.name}", *self.lines, *inner, f"END:{self.name}"]

    def find_value(self, name: str) -> str | None:
        """Return the value of the first line with this name, or None if there is none."""
        for line in self.lines:
            head = _NAME_AND_PARAMETERS.match(line)
            if head and head[1].upper() == name:
                return line[head.end() :].strip()
        return None

    def fail(self, error: str) -> None:
        """Record why the component cannot be read, unless an error is recorded already."""
        self.error = self.error or error

    def list_warnings(self) -> list[str]:
        """Return what was not read as it is written, in this component and in those inside it."""
        parts = list(self._iterate_parts())
        lost = [line for part in parts for line in part.lost_lines]
        undecoded = sum(part.undecoded for part in parts)
        warnings = []
        if lost:
            count = "a line that is" if len(lost) == 1 else f"{len(lost)} lines that are"
            warnings.append(f"{count} not of the form NAME:VALUE were left out: {quote(lost[0])}")
        if undecoded:
            warnings.append(
                f"it has {undecoded} octets that are not characters of the file's charset;"
                " there is a replacement character for each of them"
            )
        return warnings

    def _iterate_parts(self) -> Iterator["Component"]:
        yield self
        for component in self.components:
            yield from component._iterate_parts()


def quote(text: str) -> str:
    """Return the beginning of a text of the file in quotation marks, for a message."""
    is_long = len(text) > _MAX_QUOTED_CHARACTERS
    return repr(text[: _MAX_QUOTED_CHARACTERS - 1] + "…" if is_long else text)


def parse_line_name(line: str) -> str | None:
    """Return the name of a content line in upper case, or None if it has no name."""
    found = _NAME.match(line)
    return found[0].upper() if found else None


def unfold_lines(text: str) -> Iterator[str]:
    """Yield the content lines of a file (RFC 5545 §3.1) without blank ones; all kinds of line breaks are accepted."""
    if "\n" not in text:
        text = text.replace("\r", "\n")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for line in _FOLD.sub("", text).split("\n"):
        if line.strip():
            yield line.removesuffix("\r")


def parse_calendars(text: str) -> list[Component]:
    """Return the VCALENDARs of a file. Raises `NotACalendar` if it has none, or too many components."""
    parser = _Parser()
    for line in unfold_lines(text):
        parser.add_line(line)
    parser.end_file()
    if not parser.calendars:
        raise NotACalendar("must be an iCalendar file, but has no BEGIN:VCALENDAR")
    return parser.calendars


class _Parser:
    """A parser that is given the lines of a file one by one.

    `open` has the components that have begun and not ended, the outermost first.
    """

    def __init__(self) -> None:
        self.calendars: list[Component] = []
        self.open: list[Component] = []
        self.component_count = 0
        self.time_zone_count = 0

    def add_line(self, line: str) -> None:
        bound = _BEGIN_OR_END.fullmatch(line)
        if bound is None:
            if self.open:
                self._add_content_line(line)
        elif bound[1].upper() == "BEGIN":
            self._begin(bound[2].upper())
        else:
            self._end(bound[2].upper())

    def end_file(self) -> None:
        for component in self.open[1:]:
            component.fail(f"the file ends before its END:{component.name}")
        self.open = []

    def _add_content_line(self, line: str) -> None:
        component = self.open[-1]
        line, undecoded = replace_undecoded(line.replace("\0", ""))
        if parse_line_name(line) is not None:
            component.lines.append(line)
            component.undecoded += undecoded
        elif _TIME_LINE.match(line):
            component.fail(f"it has a line that is not of the form NAME:VALUE: {quote(line)}")
        else:
            component.lost_lines.append(line)

    def _begin(self, name: str) -> None:
        if name == "VCALENDAR":
            self.end_file()
            self._open(Component(name), self.calendars)
        elif self.open:
            if name in _TOP_LEVEL:
                # All components that are open inside the calendar lack their END.
                for component in self.open[1:]:
                    component.fail(f"it has no END:{component.name}")
                del self.open[1:]
            if len(self.open) == 1:
                self._count(name)
            if len(self.open) >= MAX_DEPTH:
                self.open[1].fail(_TOO_DEEP)
            self._open(Component(name), self.open[-1].components)

    def _count(self, name: str) -> None:
        if name == "VTIMEZONE":
            self.time_zone_count += 1
            if self.time_zone_count > MAX_TIME_ZONES:
                raise NotACalendar(f"must have at most {MAX_TIME_ZONES} time zones")
        else:
            self.component_count += 1
            if self.component_count > MAX_COMPONENTS:
                raise NotACalendar(f"must have at most {MAX_COMPONENTS} entries")

    def _open(self, component: Component, siblings: list[Component]) -> None:
        # A component that is nested too deep is dropped, but it is opened, so that its END is matched.
        if len(self.open) < MAX_DEPTH:
            siblings.append(component)
        if len(self.open) > _MAX_COUNTED_DEPTH:
            raise NotACalendar(f"must have components nested at most {MAX_DEPTH} deep, but they are nested too deep")
        self.open.append(component)

    def _end(self, name: str) -> None:
        depth = next((n for n in range(len(self.open) - 1, -1, -1) if self.open[n].name == name), None)
        if depth is None:
            if len(self.open) > 1:
                self.open[-1].fail(f"it has an END:{name} without a BEGIN:{name}")
            return
        for component in self.open[depth + 1 :]:
            component.fail(f"it has no END:{component.name}")
        # An error in an inner component is an error of the whole entry.
        for outer, inner in zip(self.open[1:-1], self.open[2:], strict=True):
            if inner.error:
                outer.fail(inner.error)
        del self.open[depth:]

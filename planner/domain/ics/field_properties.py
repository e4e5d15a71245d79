"""How the fields of an event are read from the properties of a VEVENT, and written to them (RFC 5545 §3.8).

Each class is one way to do so; `planner/domain/fields.py` says which field has which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from planner.domain.colors import CSS_COLORS, name_nearest_color, parse_color
from planner.domain.ics.content import escape_text
from planner.domain.ics.reading.properties import (
    Property,
    Unreadable,
    parse_geo,
    parse_integer,
    parse_text,
    parse_text_list,
)
from planner.domain.urls import is_web_address
from planner.domain.words import fold_case

# The properties of a VEVENT that one field is read from, by their names in upper case.
Properties = Mapping[str, Sequence[Property]]


class ReadField(NamedTuple):
    """The value of a field, or None if its properties have no value that it may have.

    `other_lines` are those lines of its properties that have to be stored besides, because the value
    does not contain all that they say.
    """

    value: Any
    other_lines: Sequence[str] = ()


class FieldProperty(Protocol):
    """The properties that a field is read from and written to.

    `names` are those of the properties that it reads, and `single_names` those of the properties that
    may occur only once in a VEVENT.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the properties, in upper case."""

    @property
    def single_names(self) -> tuple[str, ...]:
        """The names of those that may occur once."""

    def read(self, properties: Properties) -> ReadField:
        """Return the value of the field."""

    def write(self, value: Any) -> list[str]:
        """Return the lines for a value of the field that is not empty, unfolded."""


@dataclass(frozen=True, slots=True)
class SingleProperty:
    """A property that may occur only once; of several, the first one counts."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the property."""
        return (self.name,)

    @property
    def single_names(self) -> tuple[str, ...]:
        """The name of the property."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class TextProperty(SingleProperty):
    """A text. One that is too long is shortened, and its line is stored as an extension property."""

    max_length: int

    def read(self, properties: Properties) -> ReadField:
        """Return the text; None if it is blank."""
        prop = properties[self.name][0]
        text = parse_text(prop)
        if not text.strip():
            return ReadField(None)
        if len(text) <= self.max_length:
            return ReadField(text)
        line = f"X-PLANNER-{self.name}{prop.line[len(self.name) :]}"
        return ReadField(f"{text[: self.max_length - 1].rstrip()}…", [line])

    def write(self, value: str) -> list[str]:
        """Return the line of the text."""
        return [f"{self.name}:{escape_text(value)}"]


@dataclass(frozen=True, slots=True)
class ChoiceProperty(SingleProperty):
    """One of several words, which are in upper case in files and in lower case in fields; others are ignored."""

    choices: tuple[str, ...]

    def read(self, properties: Properties) -> ReadField:
        """Return the word in lower case."""
        word = properties[self.name][0].value.strip().lower()
        return ReadField(word if word in self.choices else None)

    def write(self, value: str) -> list[str]:
        """Return the line of the word."""
        return [f"{self.name}:{value.upper()}"]


@dataclass(frozen=True, slots=True)
class IntegerProperty(SingleProperty):
    """A whole number within limits; the line of any other value is stored."""

    least: int
    greatest: int

    def read(self, properties: Properties) -> ReadField:
        """Return the number."""
        prop = properties[self.name][0]
        try:
            number = parse_integer(prop)
        except Unreadable:
            return ReadField(None, _not_empty([prop]))
        return ReadField(number) if self.least <= number <= self.greatest else ReadField(None, [prop.line])

    def write(self, value: int) -> list[str]:
        """Return the line of the number."""
        return [f"{self.name}:{value}"]


@dataclass(frozen=True, slots=True)
class ColorProperty:
    """A colour (RFC 7986 §5.9). A file names it as CSS does; one without a name is also in an extension property."""

    names: tuple[str, ...] = ("COLOR", "X-PLANNER-COLOR")
    single_names: tuple[str, ...] = ("COLOR", "X-PLANNER-COLOR")

    def read(self, properties: Properties) -> ReadField:
        """Return the exact colour, unless another program has given the event another one since."""
        exact, named = (self._parse(properties, name) for name in ("X-PLANNER-COLOR", "COLOR"))
        if exact is not None and (named is None or named == name_nearest_color(exact)):
            return ReadField(exact)
        return ReadField(named) if named else ReadField(None, _not_empty(properties.get("COLOR", ())))

    def write(self, value: str) -> list[str]:
        """Return the line of the nearest colour with a name, and that of the exact one if it has none."""
        line = f"COLOR:{name_nearest_color(value)}"
        return [line] if value in CSS_COLORS else [line, f"X-PLANNER-COLOR:{value}"]

    def _parse(self, properties: Properties, name: str) -> str | None:
        found = properties.get(name)
        return parse_color(found[0].value) if found else None


@dataclass(frozen=True, slots=True)
class UrlProperty(SingleProperty):
    """A web address; lines with other addresses are stored."""

    max_length: int

    def read(self, properties: Properties) -> ReadField:
        """Return the first web address."""
        valid = [prop for prop in properties[self.name] if self._is_valid(prop)]
        others = [prop for prop in properties[self.name] if not self._is_valid(prop)]
        return ReadField(valid[0].value if valid else None, _not_empty(others))

    def write(self, value: str) -> list[str]:
        """Return the line of the address."""
        return [f"{self.name}:{value}"]

    def _is_valid(self, prop: Property) -> bool:
        return len(prop.value) <= self.max_length and is_web_address(prop.value)


@dataclass(frozen=True, slots=True)
class ImageProperty:
    """The https address of an image (RFC 7986 §5.10); the lines of further images are stored."""

    max_length: int
    names: tuple[str, ...] = ("IMAGE",)
    single_names: tuple[str, ...] = ()

    def read(self, properties: Properties) -> ReadField:
        """Return the address of the first image that has one."""
        image = next((prop for prop in properties["IMAGE"] if self._is_valid(prop)), None)
        lines = [prop.line for prop in properties["IMAGE"] if prop is not image]
        return ReadField(None if image is None else image.value, lines)

    def write(self, value: str) -> list[str]:
        """Return the line of the image."""
        return [f"IMAGE;VALUE=URI:{value}"]

    def _is_valid(self, prop: Property) -> bool:
        is_https = prop.value.startswith("https://") and is_web_address(prop.value)
        return is_https and len(prop.value) <= self.max_length


class GeoProperty(SingleProperty):
    """A place on the earth (RFC 5545 §3.8.1.6)."""

    def __init__(self) -> None:
        super().__init__("GEO")

    def read(self, properties: Properties) -> ReadField:
        """Return the first valid place."""
        others = []
        for prop in properties["GEO"]:
            try:
                lat, lon = parse_geo(prop)
            except Unreadable:
                others.append(prop)
            else:
                return ReadField({"lat": lat, "lon": lon}, _not_empty(others))
        return ReadField(None, _not_empty(others))

    def write(self, value: Mapping[str, float]) -> list[str]:
        """Return the line of the place."""
        return [f"GEO:{_format_degrees(value['lat'])};{_format_degrees(value['lon'])}"]


@dataclass(frozen=True, slots=True)
class TagsProperty:
    """The categories of an event (RFC 5545 §3.8.1.2) as tags, with the letters that they are written with.

    Those that cannot be tags are stored as a line: long ones, too many, and those that are another one in other
    letter case.
    """

    max_tags: int
    max_length: int
    names: tuple[str, ...] = ("CATEGORIES",)
    single_names: tuple[str, ...] = ()

    def read(self, properties: Properties) -> ReadField:
        """Return the tags."""
        categories = (category.strip() for prop in properties["CATEGORIES"] for category in parse_text_list(prop))
        tags: dict[str, str] = {}
        others = []
        for category in dict.fromkeys(filter(None, categories)):
            key = fold_case(category)
            if key not in tags and len(category) <= self.max_length and len(tags) < self.max_tags:
                tags[key] = category
            else:
                others.append(category)
        return ReadField(list(tags.values()), self.write(others) if others else [])

    def write(self, value: Sequence[str]) -> list[str]:
        """Return the line of all tags."""
        return ["CATEGORIES:" + ",".join([escape_text(tag) for tag in value])]


def _not_empty(properties: Sequence[Property]) -> list[str]:
    """Return the lines of the properties that have a value."""
    return [prop.line for prop in properties if prop.value.strip(" ;")]


def _format_degrees(value: float) -> str:
    """Return degrees with all digits, but never as 1e-05, which RFC 5545 does not allow."""
    return format(Decimal(repr(value)), "f")

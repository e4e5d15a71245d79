"""What pydantic found wrong, as the planner's own field errors."""

from collections.abc import Iterable
from typing import Any, Protocol

from planner.errors import FieldError


class Problems(Protocol):
    """Anything that lists problems as pydantic does."""

    def errors(self) -> Any:
        """The problems, each with `loc` and `msg`."""


def field_errors(error: Problems, *, skip: int = 0) -> list[FieldError]:
    """Each problem as a JSON pointer and a message; the first `skip` parts of its place left out.

    Only pydantic's message is taken, never the value it was about.
    """
    return [FieldError(pointer(problem["loc"][skip:]), _message(problem)) for problem in error.errors()]


def pointer(parts: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901); empty for the whole of the body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _message(problem: dict[str, Any]) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        return "is not a field of this request"
    if kind == "missing":
        return "is required"
    if kind == "string_pattern_mismatch":
        return "holds characters that are not allowed here"
    return str(problem["msg"]).removeprefix("Value error, ")

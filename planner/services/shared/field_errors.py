"""Validation errors of pydantic, as field errors of the planner."""

from collections.abc import Iterable
from typing import Any, Protocol

from planner.errors import FieldError


class ValidationErrors(Protocol):
    """Any exception that lists validation errors as pydantic does."""

    def errors(self) -> Any:
        """Return the errors, each with `type`, `loc` and `msg`."""


def field_errors(error: ValidationErrors, *, skip: int = 0) -> list[FieldError]:
    """Return a JSON pointer and a message for each error, without the first `skip` parts of its location.

    Only the message is used, and never the wrong value.
    """
    return [FieldError(pointer(found["loc"][skip:]), _message(found)) for found in error.errors()]


def pointer(parts: Iterable[str | int]) -> str:
    """Return a JSON pointer (RFC 6901), which is empty for the whole body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _message(found: dict[str, Any]) -> str:
    kind = found["type"]
    if kind == "extra_forbidden":
        return "is not a field of this request"
    if kind == "missing":
        return "is required"
    if kind == "string_pattern_mismatch":
        return "contains characters that are not allowed here"
    return str(found["msg"]).removeprefix("Value error, ")

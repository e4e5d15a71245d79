"""Base classes of the schemas of requests and responses."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """The body of a request: unknown fields and wrong types are refused, and no error repeats a value."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """The query parameters of a request; no error repeats a value."""

    model_config = ConfigDict(hide_input_in_errors=True)


class PageQuery(Query):
    """The query parameters of a list."""

    limit: Annotated[int, Field(ge=1, le=200, description="The largest number of items on the page.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=200, description="The `next` of the page before; without it, the first page.")
    ] = None


def is_none(value: object) -> bool:
    """Return whether a value is None, for fields of a response that are left out then (`exclude_if`)."""
    return value is None


class Reply(BaseModel):
    """The body of a response, or a part of one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    def to_json(self) -> bytes:
        """Return the JSON; times as RFC 3339."""
        return self.model_dump_json(by_alias=True).encode()

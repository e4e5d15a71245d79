"""What every request and answer model shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """A request body: unknown fields and wrong types are refused, and no error repeats a value."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class PageQuery(BaseModel):
    """The part of a list's query that says which page of it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    limit: Annotated[int, Field(ge=1, le=200, description="How many to answer at most.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=200, description="Where to go on: the `next` of the page before.")
    ] = None


class Reply(BaseModel):
    """An answer's body. Answers are rendered by `views.py`; these classes describe them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

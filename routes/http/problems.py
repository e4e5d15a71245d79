"""The shape of every error answer (RFC 9457), and which of them a route may give."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One field that is wrong."""

    pointer: Annotated[str, Field(description="A JSON pointer to the field (RFC 6901).")]
    message: str


class CollisionProblem(BaseModel):
    """What takes the time already: an event of yours, or one occurrence of it."""

    id: str
    title: str
    start: Annotated[str, Field(description="A date, or an RFC 3339 time at the zone's offset.")]
    end: Annotated[str | None, Field(description="Exclusive.")]
    recurrence_id: Annotated[str | None, Field(description="Of an event that repeats: which occurrence.")]


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "There is nothing here, or nothing that you may see.",
                }
            ]
        }
    )

    type: Annotated[str, Field(description="What kind of problem; the address explains it.")]
    title: str
    status: int
    detail: str
    errors: Annotated[list[FieldProblem] | None, Field(description="With 422: each field that is wrong.")] = None
    conflicts: Annotated[
        list[CollisionProblem] | None,
        Field(
            description="With 409 of the type `/problems/double-booking`: what the event collides with, ten at most."
        ),
    ] = None


class TokenProblem(BaseModel):
    """Why the token endpoint refused (RFC 6749 §5.2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"error": "invalid_grant", "error_description": "The credentials do not belong together."}]
        }
    )

    error: str
    error_description: str


Answers = dict[int | str, dict[str, Any]]

# Python 3.13 names these as RFC 9110 does, older ones otherwise; a type must not depend on that.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}


def phrase(status: int) -> str:
    """What a status is called."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def problems(*statuses: int) -> Answers:
    """The OpenAPI description of the error answers with these statuses."""
    return {
        status: {
            "description": phrase(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


# Any route may meet these: a path or header that makes no sense, the wrong method, a
# server that failed, a database that is away.
ANYWHERE = (400, 404, 405, 422, 500, 503)
GUARDED = (*ANYWHERE, 401, 403)
WITH_BODY = (413, 415)

"""The body of every error response (RFC 9457), and the OpenAPI descriptions of those that a route may give."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from routes.http.headers import OF_ERRORS, describe_headers

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """A field that is not valid."""

    pointer: Annotated[str, Field(description="A JSON pointer to the field (RFC 6901).")]
    message: Annotated[str, Field(description="What is wrong with it, and what would be right.")]


class CollisionProblem(BaseModel):
    """One of your events, or one of its occurrences, that occupies the time already."""

    id: Annotated[str, Field(description="The id of the event.")]
    title: str
    start: Annotated[str, Field(description="A date, or an RFC 3339 time with the offset of the event's time zone.")]
    end: Annotated[str | None, Field(description="Exclusive; in the same form as `start`.")]
    recurrence_id: Annotated[
        str | None, Field(description="Which occurrence of a recurring event; null for a single event.")
    ]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

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

    type: Annotated[str, Field(description="The kind of problem: an address at which it is explained.")]
    title: Annotated[str, Field(description="The reason phrase of the status.")]
    status: Annotated[int, Field(description="The HTTP status code.")]
    detail: Annotated[str, Field(description="What is wrong with this request.")]
    errors: Annotated[list[FieldProblem] | None, Field(description="With 422: each field that is not valid.")] = None
    conflicts: Annotated[
        list[CollisionProblem] | None,
        Field(
            description="With 409 of the type `/problems/double-booking`: up to ten events that overlap with this one."
        ),
    ] = None


class TokenProblem(BaseModel):
    """Why the token endpoint refused a request (RFC 6749 §5.2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"error": "invalid_grant", "error_description": "The account or the password is wrong."}]
        }
    )

    error: Annotated[str, Field(description="The error code.")]
    error_description: Annotated[str, Field(description="What is wrong with this request.")]


ResponseDescriptions = dict[int | str, dict[str, Any]]

# Python 3.13 names these as RFC 9110 does, older versions differently; the `type` must not depend on the version.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}

# What every route may respond with: a malformed path or header, a wrong method, a failure of the
# server, an unavailable database.
COMMON_ERRORS = (400, 404, 405, 422, 500, 503)
# The same of a route that needs a token.
AUTHENTICATED_ERRORS = (*COMMON_ERRORS, 401, 403)
# In addition, of a route that reads a body.
BODY_ERRORS = (413, 415)


def status_phrase(status: int) -> str:
    """Return the reason phrase of a status (RFC 9110 §15)."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def describe_errors(*statuses: int) -> ResponseDescriptions:
    """Return the OpenAPI descriptions of the error responses with these statuses."""
    descriptions: ResponseDescriptions = {}
    for status in statuses:
        descriptions[status] = {
            "description": status_phrase(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in OF_ERRORS:
            descriptions[status]["headers"] = describe_headers(*OF_ERRORS[status])
    return descriptions

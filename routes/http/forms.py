"""Form bodies, which the standards of the token endpoints require (RFC 6749 §3.2, RFC 7009, RFC 7662)."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException
from starlette.requests import Request

from planner.errors import GrantRefused
from routes.http.bodies import FORM, read_form, require_no_encoding
from routes.http.headers import OF_ERRORS, describe_headers
from routes.http.problems import ResponseDescriptions, TokenProblem, describe_errors, status_phrase

FORM_ERRORS: ResponseDescriptions = describe_errors(415) | {
    400: {"description": "The request was refused (RFC 6749 §5.2).", "model": TokenProblem}
}
TOKEN_ENDPOINT_ERRORS: ResponseDescriptions = FORM_ERRORS | {
    status: {
        "description": status_phrase(status),
        "model": TokenProblem,
        "headers": describe_headers(*OF_ERRORS.get(status, [])),
    }
    for status in (415, 429, 500, 503)
}


async def read_token_form(request: Request) -> dict[str, str]:
    """Return the parameters of a form.

    Raises `GrantRefused` with `invalid_request` for one that is not valid, and 415 for one that is encoded.
    """
    require_no_encoding(request)
    try:
        return await read_form(request)
    except HTTPException as error:
        raise GrantRefused("invalid_request", str(error.detail)) from None
    except ValueError as error:
        raise GrantRefused("invalid_request", f"The form is not valid: {error}.") from None


TokenForm = Annotated[dict[str, str], Depends(read_token_form)]


def require_parameters(form: dict[str, str], *names: str) -> list[str]:
    """Return the values of these parameters; raises `GrantRefused` when one is missing or empty."""
    for name in names:
        if not form.get(name):
            raise GrantRefused("invalid_request", f"{name} is required.")
    return [form[name] for name in names]


def describe_form(example: dict[str, str], required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI description of a form."""
    schema = {
        "type": "object",
        "required": required,
        "properties": {name: {"type": "string"} | more for name, more in properties.items()},
    }
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema, "example": example}}}}

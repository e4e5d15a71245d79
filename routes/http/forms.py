"""Requests that come as forms, as the token endpoints' standards have it."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException
from starlette.requests import Request

from planner.errors import GrantRefused
from routes.http.bodies import FORM, read_form
from routes.http.problems import Answers, TokenProblem, phrase

REFUSED: Answers = {400: {"description": "Refused (RFC 6749 §5.2).", "model": TokenProblem}}
TOKEN_REFUSED: Answers = REFUSED | {
    status: {"description": phrase(status), "model": TokenProblem} for status in (429, 500, 503)
}


async def token_form(request: Request) -> dict[str, str]:
    """The parameters of a form; whatever is wrong with it is `invalid_request`."""
    try:
        return await read_form(request)
    except HTTPException as error:
        raise GrantRefused("invalid_request", str(error.detail)) from None
    except ValueError as error:
        raise GrantRefused("invalid_request", f"The request is not acceptable: {error}.") from None


TokenForm = Annotated[dict[str, str], Depends(token_form)]


def required(form: dict[str, str], *names: str) -> list[str]:
    """The values of these parameters; raises `GrantRefused` when one is missing or empty."""
    for name in names:
        if not form.get(name):
            raise GrantRefused("invalid_request", f"{name} is required.")
    return [form[name] for name in names]


def form_body(example: dict[str, str], needed: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a form."""
    schema = {
        "type": "object",
        "required": needed,
        "properties": {name: {"type": "string"} | more for name, more in properties.items()},
    }
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema, "example": example}}}}

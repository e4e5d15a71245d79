"""The OpenAPI document: the one that FastAPI generates, completed with what it does not know."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from models.shared.schema import Reply, Request
from routes.http.problems import Problem

DESCRIPTION = """
The API of an event planner: accounts, events, recurring events, iCalendar files and feeds.

- **Authentication.** Sign up, sign in, and send the access token as `Authorization: Bearer …`. A token with
  scopes may do what its scopes permit; each operation lists the scope that it needs.
- **Errors** are problems (RFC 9457), `application/problem+json`. The token endpoint has its own (RFC 6749 §5.2).
  Problems also are the responses to what is no HTTP request: 400 without a `Host`, 408 for a request that is not
  complete after 30 seconds, and 431 for a head of more than 64 KiB.
- **Lists** are pages: `{"items": […], "next": …}`. Send `next` as `cursor` to get the next page; null: there is none.
- **Concurrent changes.** Send the `ETag` of what you have read in `If-Match`; the response is 412 if somebody
  has changed it since. Send it in `If-None-Match` to get 304 if nothing has changed.
- **Retries.** Where an operation takes an `Idempotency-Key`, the same request with the same key has an effect once.
- **Requests.** Every response has an `X-Request-ID`: yours if you have sent one, and else a new one. The log of the
  planner has the same, so it finds a request that went wrong.
- **Times** are RFC 3339; a time without an offset is local time in the event's `time_zone`.
"""
TAGS = {
    "authentication": "Create an account, sign in with a password or an OpenID Connect provider, handle tokens.",
    "sessions": "See where you are signed in, end sessions, change the password.",
    "personal access tokens": "Give programs tokens with limited scopes.",
    "account recovery": "Verify an e-mail address, and set a new password with a token sent by e-mail.",
    "accounts": "Your own account; for moderators and admins, all accounts and the audit log.",
    "events": "Create, find, read, change, delete and export events.",
    "occurrences": "Single occurrences of recurring events.",
    "revisions": "Earlier revisions of an event, and restoring one.",
    "changes": "What has changed since the last request, for clients that keep a copy.",
    "free/busy": "When you and others are busy, and who may see it.",
    "import": "Import iCalendar files.",
    "feeds": "Private addresses to which calendar programs subscribe.",
    "health": "Health checks, and explanations of problem types.",
}
# A list of entity tags, or an asterisk (RFC 9110 §13.1).
ENTITY_TAGS = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": ENTITY_TAGS},
    "description": 'The `ETag` of what you have, such as `"3"`: the response is 304 if it is unchanged.',
}
# What FastAPI says of a response that the route does not describe, and what is true of those of ours.
UNDESCRIBED = "Successful Response"
WITHOUT_BODY = {"202": "Accepted. The e-mail will be sent shortly.", "204": "Done. The response has no body."}
NEEDS_SCOPE = "Forbidden. The request needs a token with the scope `{scope}`, or a token without scopes."
NEEDS_ALL_RIGHTS = (
    "Forbidden. No scope permits this request: it needs a token without scopes, such as that of a sign-in."
)


def install_openapi(app: FastAPI, base_url: str) -> None:
    """Give the application the document that `/openapi.json` and `/docs` show; `base_url` is its server."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _build_document(app, base_url)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _build_document(app: FastAPI, base_url: str) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=DESCRIPTION.strip(),
        routes=app.routes,
        tags=[{"name": name, "description": description} for name, description in TAGS.items()],
        servers=[{"url": base_url, "description": "This planner."}],
    )
    for scheme in document["components"]["securitySchemes"].values():
        for flow in scheme["flows"].values():
            # An address that begins with a slash is that of the server's host: it must repeat the server's path.
            flow["tokenUrl"] = urlsplit(base_url).path + flow["tokenUrl"]
    schemas = document["components"]["schemas"]
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    for model in (*_subclasses(Request), *_subclasses(Reply)):
        if model.__name__ in schemas:
            schemas[model.__name__] |= _examples(model)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            _complete_operation(operation)
    return document


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for subclass in model.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _examples(model: type[BaseModel]) -> dict[str, Any]:
    """Return the examples of a model as it declares them: the framework drops every null from them."""
    extra = model.model_config.get("json_schema_extra")
    return {"examples": extra["examples"]} if isinstance(extra, dict) and "examples" in extra else {}


def _complete_operation(operation: dict[str, Any]) -> None:
    """Add to an operation what the framework does not know."""
    _complete_parameters(operation)
    _complete_responses(operation["responses"])
    for requirement in operation.get("security", ()):
        for scopes in requirement.values():
            needed = NEEDS_SCOPE.format(scope="`, `".join(scopes)) if scopes else NEEDS_ALL_RIGHTS
            operation["responses"]["403"]["description"] = needed


def _complete_parameters(operation: dict[str, Any]) -> None:
    """Give headers their usual names and patterns, and make no parameter nullable."""
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
        if parameter["in"] == "header":
            parameter["name"] = parameter["name"].title()
        if parameter["name"] == "If-Match":
            parameter["schema"]["pattern"] = ENTITY_TAGS
    if "304" in operation["responses"]:
        operation.setdefault("parameters", []).append(IF_NONE_MATCH)


def _complete_responses(responses: dict[str, Any]) -> None:
    """Remove the content of responses without a body, and describe them."""
    for status, response in responses.items():
        if response.get("content") == {"application/json": {"schema": {}}}:
            del response["content"]
        if response["description"] == UNDESCRIBED:
            response["description"] = WITHOUT_BODY.get(status, UNDESCRIBED)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that may be left out: no query and no header can carry a null."""
    options = schema.get("anyOf", [])
    if {"type": "null"} not in options:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    remaining = [option for option in options if option != {"type": "null"}]
    return remaining[0] | rest if len(remaining) == 1 else rest | {"anyOf": remaining}

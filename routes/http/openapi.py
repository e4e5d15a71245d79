"""The OpenAPI document: FastAPI's own, with the error answers as they really are."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from models.shared.schema import Reply, Request
from routes.http.problems import Problem

# A list of entity tags, or an asterisk (RFC 9110 §13.1).
TAGS = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
IF_NONE_MATCH = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": TAGS},
    "description": 'Answer 304 when you have this already: the `ETag` of the answer before, such as `"3"`.',
}


def describe(app: FastAPI) -> None:
    """Give the application the document that `/openapi.json` and `/docs` show."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes, servers=None)
    schemas = document["components"]["schemas"]
    template = "#/components/schemas/{model}"
    schema = Problem.model_json_schema(ref_template=template)
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    for model in (*_models(Request), *_models(Reply)):
        if model.__name__ in schemas:
            schemas[model.__name__] |= _examples(model)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            _complete(operation)
    return document


def _models(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in of.__subclasses__():
        yield model
        yield from _models(model)


def _examples(model: type[BaseModel]) -> dict[str, Any]:
    """The examples of a model, as it gives them: the framework drops every null from them."""
    extra = model.model_config.get("json_schema_extra")
    return {"examples": extra["examples"]} if isinstance(extra, dict) and "examples" in extra else {}


def _complete(operation: dict[str, Any]) -> None:
    """Put right what the framework does not know: which header a 304 follows from, and answers without a body."""
    if "304" in operation["responses"]:
        operation.setdefault("parameters", []).append(IF_NONE_MATCH)
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "if-match":
            parameter["schema"]["pattern"] = TAGS
    for answer in operation["responses"].values():
        if answer.get("content") == {"application/json": {"schema": {}}}:
            del answer["content"]

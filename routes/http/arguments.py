"""The arguments of a route's function, found in a valid request with as little work as possible.

FastAPI finds them as well, but looks at all declarations anew for each request, which costs more processor time than
the rest of a small read. Here this is done once for each route. Only what is plainly valid is accepted: FastAPI itself
decides how any other request is answered (docs/decisions/0038-arguments-of-routes.md).
"""

import inspect
from collections.abc import Callable, Collection
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.params import Body, Header, Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from routes.http.bodies import parse_media_type

# A default of one of these types cannot be changed by whoever gets it.
_CONSTANTS = (str, int, bool, type(None))
_Source = type[Path] | type[Query] | type[Header]


class _NotPlain(Exception):
    """A request is not plainly valid: FastAPI answers it."""


class _Unknown(Exception):
    """A route declares something that this module does not know: FastAPI calls its function."""


class _Parameter(NamedTuple):
    """A parameter: where it is found, under which name, and FastAPI's field, which validates it.

    A model has all parameters of the query.
    """

    source: _Source
    key: str
    field: Any
    is_model: bool


class _Call(NamedTuple):
    """A call of a function: the names of its arguments, with the places of parameters and of the calls before it."""

    function: Callable[..., Any]
    request_name: str | None
    parameters: list[tuple[str, int]]
    results: list[tuple[str, int]]


class RouteCall:
    """Calls the function of a route with its arguments: what it depends on, its parameters, and the body."""

    def __init__(self, dependant: Dependant, body: Any) -> None:
        self._parameters: list[_Parameter] = []
        self._calls: list[_Call] = []
        self._places: dict[Any, int] = {}
        self._body = body
        self._add(dependant, [] if body is None else [body])
        self._has_query = any(parameter.source is Query for parameter in self._parameters)

    def _add(self, dependant: Dependant, body: list[Any]) -> int:
        """Add a function, after those that it depends on, and return its place. Each function is called once."""
        function = dependant.call
        if function is None or dependant.body_params != body or not _is_plain(dependant):
            raise _Unknown
        if function not in self._places:
            results = [(each.name or "", self._add(each, [])) for each in dependant.dependencies]
            sources = (
                (Path, dependant.path_params),
                (Query, dependant.query_params),
                (Header, dependant.header_params),
            )
            parameters = [
                (field.name, self._add_parameter(source, field)) for source, fields in sources for field in fields
            ]
            self._places[function] = len(self._calls)
            self._calls.append(_Call(function, dependant.request_param_name, parameters, results))
        return self._places[function]

    def _add_parameter(self, source: _Source, field: Any) -> int:
        is_model = _is_model(field.field_info.annotation)
        if not (_is_known_model(source, field) if is_model else _is_known_value(field)):
            raise _Unknown
        self._parameters.append(_Parameter(source, field.alias, field, is_model))
        return len(self._parameters) - 1

    async def __call__(self, request: Request) -> Response | None:
        """Return the response of the function, or None if FastAPI has to answer; raises what the functions raise."""
        try:
            values = self._find_values(request)
            body = None if self._body is None else await self._find_body(request)
        except _NotPlain:
            return None
        results: list[Any] = []
        for call in self._calls:
            arguments = {name: results[place] for name, place in call.results}
            for name, place in call.parameters:
                arguments[name] = values[place]
            if call.request_name is not None:
                arguments[call.request_name] = request
            if self._body is not None and call is self._calls[-1]:
                arguments[self._body.name] = body
            results.append(await call.function(**arguments))
        response: Response = results[-1]
        return response

    def _find_values(self, request: Request) -> list[Any]:
        query: dict[str, str] = {}
        if self._has_query and request.scope["query_string"]:
            sent = request.query_params.multi_items()
            query = dict(sent)
            if len(query) < len(sent):
                raise _NotPlain
        return [_find_value(parameter, request, query) for parameter in self._parameters]

    async def _find_body(self, request: Request) -> Any:
        if not await request.body() or parse_media_type(request) != "application/json":
            raise _NotPlain
        return _validate(self._body, await request.json())


def build_route_call(route: APIRoute) -> RouteCall | None:
    """Return what calls the function of a route; None if it declares anything that is not known here."""
    answers_itself = inspect.signature(route.endpoint).return_annotation is Response
    if not answers_itself or (route.body_field is not None and not _is_known_body(route.body_field)):
        return None
    try:
        return RouteCall(route.dependant, route.body_field)
    except _Unknown:
        return None


def _find_value(parameter: _Parameter, request: Request, query: dict[str, str]) -> Any:
    """Return the value of a parameter; raises `_NotPlain`."""
    if parameter.is_model:
        return _validate(parameter.field, query)
    if parameter.source is Path:
        sent = request.path_params.get(parameter.key)
    elif parameter.source is Query:
        sent = query.get(parameter.key)
    else:
        sent = request.headers.get(parameter.key)
    if sent is not None:
        return _validate(parameter.field, sent)
    if parameter.field.field_info.is_required():
        raise _NotPlain
    return parameter.field.field_info.default


def _validate(field: Any, sent: Any) -> Any:
    value, errors = field.validate(sent)
    if errors:
        raise _NotPlain
    return value


def _is_plain(dependant: Dependant) -> bool:
    """Return whether a function is a coroutine function, and needs nothing but parameters and the request."""
    others = (
        *(dependant.websocket_param_name, dependant.http_connection_param_name, dependant.response_param_name),
        *(dependant.background_tasks_param_name, dependant.security_scopes_param_name, dependant.concurrency),
    )
    function = dependant.call
    is_coroutine = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
    return is_coroutine and dependant.use_cache and not dependant.cookie_params and not any(others)


def _is_known_value(field: Any) -> bool:
    """Return whether a parameter has one value, one name, and a default that cannot be changed, if it has one."""
    info = field.field_info
    has_one_name = info.validation_alias in (None, field.alias) and info.default_factory is None
    return has_one_name and _is_single(info.annotation) and (info.is_required() or isinstance(info.default, _CONSTANTS))


def _is_known_model(source: _Source, field: Any) -> bool:
    """Return whether a parameter is a model of the query, each of whose fields has one value."""
    model: type[BaseModel] = field.field_info.annotation
    return source is Query and all(_is_single(each.annotation) for each in model.model_fields.values())


def _is_known_body(field: Any) -> bool:
    """Return whether a body is the JSON of one model."""
    return type(field.field_info) is Body and not field.field_info.embed and _is_model(field.field_info.annotation)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_single(annotation: Any) -> bool:
    """Return whether the values of a type are single ones, so that a parameter is not a list."""
    if get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) is Annotated:
        return _is_single(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return all(map(_is_single, get_args(annotation)))
    is_text = isinstance(annotation, type) and issubclass(annotation, str)
    return is_text or (isinstance(annotation, type) and not issubclass(annotation, Collection | BaseModel))

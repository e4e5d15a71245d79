"""Schemas whose fields follow from those of another schema, so that each field is declared once."""

import types
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

M = TypeVar("M", bound=BaseModel)


def with_optional_fields(source: type[BaseModel], names: Iterable[str] | None = None) -> Callable[[type[M]], type[M]]:
    """Return a class decorator that adds the fields of `source`, or those with these names, as optional ones.

    Each may also be null, and has no default that anybody should rely on: a patch is read without the
    fields that were not sent. A field that the class declares itself is left as it is.
    """

    def decorate(schema: type[M]) -> type[M]:
        hints = get_type_hints(source, include_extras=True)
        selected = source.model_fields if names is None else names
        added = {name: hints[name] for name in selected if name not in schema.model_fields}
        return _extend(schema, {name: (_make_nullable(hint), None) for name, hint in added.items()})

    return decorate


def with_required_fields(source: type[BaseModel]) -> Callable[[type[M]], type[M]]:
    """Return a class decorator that adds the fields of `source` as required ones, without the limits of requests."""

    def decorate(schema: type[M]) -> type[M]:
        hints = get_type_hints(source)
        fields = source.model_fields.items()
        return _extend(schema, {name: (hints[name], Field(description=field.description)) for name, field in fields})

    return decorate


def allows_null(source: type[BaseModel], name: str) -> bool:
    """Return whether a field of a schema may be null."""
    return _is_nullable(get_type_hints(source, include_extras=True)[name])


def _extend(schema: type[M], fields: dict[str, Any]) -> type[M]:
    return create_model(
        schema.__name__, __base__=schema, __module__=schema.__module__, __doc__=schema.__doc__, **fields
    )


def _make_nullable(hint: Any) -> Any:
    return hint if _is_nullable(hint) else Optional[hint]  # noqa: UP045 - a hint is no type for the operator


def _is_nullable(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return _is_nullable(get_args(hint)[0])
    return get_origin(hint) in (Union, types.UnionType) and types.NoneType in get_args(hint)

"""The base class of all documents: what is declared is what is stored."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from beanie import Document, PydanticObjectId
from pydantic import ConfigDict, Field

from database.bson_values import decode, encode
from database.queries import Projection


class StoredDocument(Document):
    """A Beanie document that declares every field of its collection, once and for all layers.

    An instance is a snapshot of a stored document, or one that is about to be inserted. Reads
    trust the database, and the type checker watches over the rest: nothing is validated at run
    time, so that an instance costs about two microseconds. A field that is not stored has its
    default; `is_stored` tells the two apart.

    On the class, each field is its own name in the database: `{User.email_key: key}` is a filter,
    and a misspelt name is an error of the type checker.
    """

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    id: PydanticObjectId = Field(default_factory=PydanticObjectId, alias="_id")

    # The projection of reads that ask for no other one; None reads everything.
    fields_to_read: ClassVar[Projection | None] = None
    _defaults: ClassVar[dict[str, Any]]
    _required: ClassVar[frozenset[str]]

    if not TYPE_CHECKING:
        # Beanie can parse the fields of a document lazily. Without that, reading one is as fast as anywhere.
        __getattribute__ = object.__getattribute__

        def __init__(self, **fields: Any) -> None:
            """Set the fields; raises `TypeError` for one that is not declared, or is missing."""
            cls = type(self)
            if "id" not in fields and "id" not in cls._required:
                fields["id"] = PydanticObjectId()
            if unknown := fields.keys() - cls.model_fields.keys():
                raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
            if missing := cls._required - fields.keys():
                raise TypeError(f"{cls.__name__} needs {', '.join(sorted(missing))}")
            _fill(self, {**cls._defaults, **fields}, set(fields))

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Prepare what every instance needs."""
        super().__pydantic_init_subclass__(**options)
        cls._defaults = {
            name: field.get_default(call_default_factory=False)
            for name, field in cls.model_fields.items()
            if not field.is_required() and field.default_factory is None
        }
        cls._defaults |= {
            name: field.default_factory()  # type: ignore[call-arg]
            for name, field in cls.model_fields.items()
            if field.default_factory is not None and name != "id"
        }
        cls._required = frozenset(name for name, field in cls.model_fields.items() if field.is_required())
        cls.name_fields()

    @classmethod
    def name_fields(cls) -> None:
        """Make each field, on the class, the name that it is stored under."""
        for name, field in cls.model_fields.items():
            setattr(cls, name, field.alias or name)

    @classmethod
    def from_raw(cls, raw: bytes) -> Self:
        """Return the document in these bytes (BSON), with aware datetimes."""
        return cls.from_stored(decode(raw))

    @classmethod
    def from_stored(cls, stored: Mapping[Any, Any]) -> Self:
        """Return the document with the fields of a stored one, or of a projection of it."""
        fields = {**cls._defaults, **stored}
        if "_id" in fields:
            fields["id"] = fields.pop("_id")
        document: Self = object.__new__(cls)
        _fill(document, fields, set(stored))
        return document

    def to_stored(self) -> dict[str, Any]:
        """Return the fields that are stored, under their names in the database."""
        values, stored = self.__dict__, self.__pydantic_fields_set__
        fields: dict[str, Any] = {"_id": values["id"]}
        fields.update((name, values[name]) for name in type(self).model_fields if name in stored and name != "id")
        return fields

    def to_raw(self) -> bytes:
        """Return the bytes of the document (BSON)."""
        return encode(self.to_stored())

    def is_stored(self, field: Any) -> bool:
        """Return whether a field is stored, given as `Document.field`, rather than having its default."""
        return field in self.__pydantic_fields_set__

    def with_stored(self, changes: Mapping[Any, Any], removed: Collection[Any] = ()) -> Self:
        """Return a copy with some fields changed, and others no longer stored."""
        fields = self.to_stored() | {str(name): value for name, value in changes.items()}
        return self.from_stored({name: value for name, value in fields.items() if name not in removed})


# The document is frozen, and its own `__setattr__` refuses everything.
_set = object.__setattr__


def _fill(document: StoredDocument, fields: dict[str, Any], stored: set[str]) -> None:
    _set(document, "__dict__", fields)
    _set(document, "__pydantic_fields_set__", stored)
    _set(document, "__pydantic_extra__", None)
    _set(document, "__pydantic_private__", None)

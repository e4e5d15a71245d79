"""The types of lazy_model, which ships none: without them a Beanie document would accept any attribute."""

from pydantic import BaseModel

class LazyModel(BaseModel): ...

"""Slow operations in the log: what was asked, without any value of it."""

import logging
from collections.abc import Mapping
from typing import Any

from database.connection import Operation

log = logging.getLogger("planner.database")


def log_slow_operation(operation: Operation, took: float) -> None:
    """Log an operation that took so many seconds, with its collection and the shape of its filter if it has them."""
    words = [operation.kind, operation.collection]
    if operation.filter is not None:
        words += ["where", describe_filter(operation.filter)]
    log.warning("slow: %s took %.0f ms", " ".join(filter(None, words)), took * 1000)


def describe_filter(value: Any) -> str:
    """Return a filter with its fields and operators, and `?` in the place of each value."""
    if isinstance(value, Mapping):
        parts = (f"{name}: {describe_filter(inner)}" for name, inner in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        return "[" + ", ".join(map(describe_filter, value)) + "]"
    return "?"

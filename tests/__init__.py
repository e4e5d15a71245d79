"""The tests mirror the tree; `tests/domain` is synchronous and needs no database."""

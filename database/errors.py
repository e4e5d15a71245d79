"""The driver's errors under names of our own, so that only this folder knows the driver."""

from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

DuplicateKey = DuplicateKeyError
"""A unique index refused the write."""

UNAVAILABLE_ERRORS: tuple[type[PyMongoError], ...] = (
    ConnectionFailure,
    AutoReconnect,
    NotPrimaryError,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    ExecutionTimeout,
)
"""The database cannot be reached, has no primary, or did not respond in time."""

# A primary that is shutting down, stepping down or recovering, or has no majority yet, and a transaction that
# conflicted with others until its time was up. And 211, KeyNotFound: a primary with access control that has just been
# started, and has not yet read the keys with which the members sign the cluster time that the driver repeats to them.
# 13 and 18, which refuse a user, are not here: they last until an operator changes a right or a password.
_TRANSIENT_CODES = {24, 43, 91, 112, 134, 189, 211, 10107, 11600, 11602, 13435, 13436, 50, 262, 246, 251}


class DatabaseUnavailable(Exception):
    """The database could not be reached in the time allowed; the message names it."""


def is_unavailable(error: Exception) -> bool:
    """Return whether the database is temporarily unavailable, rather than that it refused the operation."""
    if isinstance(error, UNAVAILABLE_ERRORS):
        return True
    if isinstance(error, PyMongoError) and error.timeout:
        return True
    return isinstance(error, OperationFailure) and (
        error.code in _TRANSIENT_CODES or error.has_error_label("TransientTransactionError")
    )


def is_too_slow(error: Exception) -> bool:
    """Return whether the database responds, and has ended an operation because its time was up."""
    return isinstance(error, ExecutionTimeout)


DRIVER_ERROR = PyMongoError
"""The base class of everything that the driver raises."""

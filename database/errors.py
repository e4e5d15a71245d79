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
"""The database cannot be reached, has no primary, or did not answer in time."""

# A primary that is shutting down, stepping down or still recovering, and a transaction
# that lost its race more often than the time allowed.
_PASSING_CODES = {24, 43, 91, 112, 189, 10107, 11600, 11602, 13435, 13436, 50, 262, 246, 251}


class DatabaseUnavailable(Exception):
    """The database did not become reachable in the time given; the message says which one."""


def is_unavailable(error: Exception) -> bool:
    """Whether the error means that the database is away, rather than that it refused."""
    if isinstance(error, UNAVAILABLE_ERRORS):
        return True
    if isinstance(error, PyMongoError) and error.timeout:
        return True
    return isinstance(error, OperationFailure) and (
        error.code in _PASSING_CODES or error.has_error_label("TransientTransactionError")
    )


DRIVER_ERROR = PyMongoError
"""The root of everything the driver raises."""

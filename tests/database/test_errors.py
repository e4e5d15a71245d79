"""Whether an error of the driver's means that the database is away, or that it refused."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from database.errors import is_unavailable


def labelled(error: PyMongoError, label: str) -> PyMongoError:
    error._add_error_label(label)
    return error


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        ServerSelectionTimeoutError("no primary"),
        WaitQueueTimeoutError("no connection is free"),
        OperationFailure("not primary", 10107),
        OperationFailure("in shutdown", 91),
        OperationFailure("time limit exceeded", 50),
        OperationFailure("No keys found for HMAC that is valid for time", 211),
        WTimeoutError("no majority in time", 64),
        labelled(OperationFailure("write conflict", 112), "TransientTransactionError"),
        labelled(OperationFailure("anything", 1), "TransientTransactionError"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}",
)
def test_a_transient_error_means_that_the_database_is_unavailable(error: PyMongoError) -> None:
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("E11000", 11000),
        OperationFailure("not authorized", 13),
        OperationFailure("Authentication failed.", 18),
        OperationFailure("unknown operator", 2),
        BulkWriteError({"writeErrors": []}),
        InvalidOperation("the client is closed"),
        ValueError("not of the driver's"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}",
)
def test_a_permanent_error_does_not_mean_that_the_database_is_unavailable(error: Exception) -> None:
    assert not is_unavailable(error)

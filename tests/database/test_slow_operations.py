"""The line of a slow operation reads well, whatever is known of the operation, and has no value."""

import pytest

from database.connection import Operation
from database.slow_operations import log_slow_operation


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (Operation("transaction"), "slow: transaction took 2587 ms"),
        (Operation("insert", "events"), "slow: insert events took 2587 ms"),
        (Operation("find", "events", {"creator": "ada"}), "slow: find events where {creator: ?} took 2587 ms"),
        (Operation("find", "events", {}), "slow: find events where {} took 2587 ms"),
    ],
    ids=lambda value: value.kind if isinstance(value, Operation) else "",
)
def test_the_line_says_what_is_known_of_the_operation(
    operation: Operation, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_slow_operation(operation, 2.587)
    assert caplog.messages == [said]

"""The short form of `make test-failures`: one failure of each kind, with a replica set that elects a primary sooner."""

import sys
from pathlib import Path

import pytest

from tests.failures.failover.failures import Failure, kill_primary, step_down, stop_secondary, stop_worker
from tests.failures.failover.trial import open_trial

pytestmark = [
    pytest.mark.real_server("it ends and stops real processes"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
ELECTION_SECONDS = 3.0
REQUESTS = 50
FAILURES = [
    Failure("primary killed", kill_primary),
    Failure("secondary stopped", stop_secondary),
    Failure("primary steps down", step_down),
    Failure("worker stopped", stop_worker),
]


async def test_what_was_acknowledged_is_there_after_failures_of_the_replica_set_and_of_a_worker(
    tmp_path: Path,
) -> None:
    async with open_trial(tmp_path, ELECTION_SECONDS, REQUESTS) as trial:
        for failure in FAILURES:
            result = await trial.run(failure)
            assert result.broken_promises == [], result

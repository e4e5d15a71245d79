"""What the tests of stopping share."""

from collections.abc import Iterator

import pytest

from tests.failures.failover.replica_set import ReplicaSet, replica_set

# What is promised of SIGTERM, also while the database does not respond.
STOP_SECONDS = 10
ALONE = ()
WITH_WORKERS = ("--workers", "2")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    with replica_set(tmp_path_factory.mktemp("mongo"), size=1) as database:
        yield database

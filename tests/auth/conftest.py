"""What the tests of auth share."""

from tests.database.conftest import database  # noqa: F401 - a fixture

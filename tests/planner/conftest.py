"""What the tests of commands share."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planner.operators import Operator


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Commands change the log and the signals of their process."""
    root, stop = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    signal.signal(signal.SIGTERM, stop)


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path, monkeypatch, capsys)

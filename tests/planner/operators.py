"""Somebody who runs the commands of the planner."""

import io
import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from planner.cli import main
from tests.conftest import SECRET


class Ended(NamedTuple):
    """A command that has ended."""

    status: int
    out: str
    err: str


class Operator:
    """Somebody who runs commands in an empty directory, with no setting but those that are given."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **settings: str
    ) -> None:
        self.folder = folder
        self.settings = {"PATH": os.environ["PATH"], "PASSWORD_ROUNDS": "10"} | settings
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def runs(self, *arguments: str, typing: str = "", **settings: str) -> Ended:
        """Run a command to its end, in this process: that is quicker than in one of its own."""
        with self._monkeypatch.context() as patched:
            patched.chdir(self.folder)
            for name in os.environ:
                patched.delenv(name)
            for name, value in (self.settings | settings).items():
                patched.setenv(name, value)
            patched.setattr(sys, "stdin", io.StringIO(typing))
            status = main(arguments)
        ended = Ended(status, *self._capsys.readouterr())
        assert SECRET not in ended.out + ended.err
        return ended

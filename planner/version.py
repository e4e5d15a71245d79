"""The version of the planner: what the API page, `pyproject.toml` and a release say."""

import os
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

VERSION = "0.1.0"
# A container has no repository: its image is built with the commit in this variable.
COMMIT_VARIABLE = "PLANNER_COMMIT"


@cache
def find_commit() -> str | None:
    """Return the commit from which this process was started, or None if that is unknown."""
    if commit := os.environ.get(COMMIT_VARIABLE):
        return commit
    command = ["git", "-C", str(Path(__file__).parents[1]), "rev-parse", "HEAD"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=5).stdout.strip()
    return None

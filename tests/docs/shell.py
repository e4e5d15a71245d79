"""Runs the commands of a page as its readers do: all of them in one shell, in order."""

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Ended(NamedTuple):
    """A shell that has ended: its exit status, and what its commands printed."""

    status: int
    printed: str


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code of a page in a language, without the indentation that those in a list have."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indentation}", "", block, flags=re.MULTILINE) for indentation, block in found]


def run_commands(commands: str, folder: Path, environment: dict[str, str], seconds: float) -> Ended:
    """Run commands in bash. If they fail or take longer than `seconds`, what they have started is killed."""
    with (folder / "printed").open("w+") as output:
        shell = subprocess.Popen(
            ["bash", "-c", commands],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        status = None
        try:
            status = shell.wait(seconds)
        finally:
            if status != 0:
                with suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGKILL)
        output.seek(0)
        return Ended(status, output.read())

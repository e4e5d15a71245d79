"""`make outdated`: lists in docs/dependencies.md the locked packages of which there is a newer version.

Why a package stays as it is, people write into the last column; what they have written about a package stays there for
as long as it is listed. The exit status is 1 when a new row waits for a reason.
"""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.supply_chain.locks import LOCKS, ROOT, locked

PAGE = ROOT / "docs/dependencies.md"
TITLE = "| package | locked | newest | why it stays |\n|---|---|---|---|\n"
UNKNOWN = "?"


class Row(NamedTuple):
    """A package that is not at its newest version."""

    package: str
    locked: str
    newest: str
    reason: str


def main(find_newest: Callable[[], Mapping[str, str]] | None = None, page: Path = PAGE) -> int:
    """Write the table anew; return the exit status."""
    newest = (find_newest or ask_uv)()
    text = page.read_text()
    reasons = {row.package: row.reason for row in read_rows(text)}
    versions = {name: version for file in LOCKS for name, version in locked(file).items()}
    rows = [
        Row(name, version, newest[name], reasons.get(name, UNKNOWN))
        for name, version in sorted(versions.items())
        if newest.get(name, version) != version
    ]
    before, _, after = text.partition(TITLE)
    rest = re.sub(r"\A(\|.*\n)*", "", after)
    page.write_text(before + TITLE + "".join(f"| {' | '.join(row)} |\n" for row in rows) + rest)
    unexplained = [row.package for row in rows if row.reason == UNKNOWN]
    print(f"{len(rows)} of {len(versions)} packages are outdated: see {page.name}.")
    if unexplained:
        print(f"Write there why these stay: {', '.join(unexplained)}.")
    return 1 if unexplained else 0


def read_rows(text: str) -> list[Row]:
    """Return the rows of the table in the text of the page."""
    table = re.match(r"(\|.*\n)*", text.partition(TITLE)[2])
    lines = table[0].splitlines() if table else []
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def ask_uv() -> dict[str, str]:
    """Return the newest version of each installed package of which there is a newer one."""
    command = [str(ROOT / ".venv/bin/uv"), "pip", "list", "--outdated", "--format=json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {package["name"]: package["latest_version"] for package in found}

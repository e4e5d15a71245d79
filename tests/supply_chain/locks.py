"""The requirements files that `make lock` makes."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# All agree on the version of each package.
LOCKS = (
    "requirements.txt",
    "requirements-tracing.txt",
    "tests/requirements.txt",
    "tests/fuzz-requirements.txt",
    "tests/browser-requirements.txt",
    "tests/audit-requirements.txt",
)
# Of the environment in which the tests run with Beanie 2: it has other versions of a few packages.
BEANIE2_LOCK = "tests/beanie2-requirements.txt"


def versions_in(text: str) -> dict[str, str]:
    """Return the version that the text of a lock has of each package, by its canonical name."""
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==([^ ;]+)", text, re.MULTILINE))


def locked(file: str) -> dict[str, str]:
    """Return the version that a lock has of each package, by its canonical name."""
    return versions_in((ROOT / file).read_text())

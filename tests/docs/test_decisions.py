"""Each decision has a number, a date and a status, and the index lists it."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = (FOLDER / "README.md").read_text()
_HEAD = re.compile(r"# (\d{4}) (.+)\n\nDate: (\d{4}-\d\d-\d\d)\nStatus: (.+)\n\n")


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_begins_with_its_number_its_date_and_its_status(path: Path) -> None:
    head = _HEAD.match(path.read_text())
    assert head, "it begins with '# NNNN Title', an empty line, 'Date: YYYY-MM-DD' and 'Status: …'"
    assert head[1] == path.name[:4]
    status = re.fullmatch(
        r"(?:accepted|superseded by \[(\d{4})\]\(\1-[\w-]+\.md\))(?:; supersedes \[\d{4}\]\([\w-]+\.md\))?", head[4]
    )
    assert status, f"{head[4]!r} is no status"


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_the_index_gives_the_title_the_date_and_the_status_of_a_decision(path: Path) -> None:
    head = _HEAD.match(path.read_text())
    assert head
    number, title, date, status = head.groups()
    status = status.partition(";")[0]
    assert f"| [{number}]({path.name}) | {title} | {date} | {status} |" in INDEX.splitlines()

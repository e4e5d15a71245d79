"""What docs/security.md relies on is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
THREATS, _, UNCOVERED = PAGE.partition("## What is not covered")


def names_in(path: str) -> set[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")}


@pytest.mark.parametrize("path", sorted({path for path, _ in _TEST.findall(PAGE)}))
def test_every_test_that_the_security_page_names_exists(path: str) -> None:
    named = {name for found, name in _TEST.findall(PAGE) if found == path}
    assert (ROOT / path).exists()
    assert named - names_in(path) == set()


def test_every_module_that_the_security_page_names_exists() -> None:
    modules = re.findall(r"`((?:auth|models|planner|routes|database)/[\w/]+\.py)`", PAGE)
    assert modules
    assert [module for module in modules if not (ROOT / module).exists()] == []


def test_every_threat_names_what_answers_it_what_it_is_measured_by_and_a_test() -> None:
    threats = THREATS.split("\n## ")[1:]
    assert len(threats) > 15
    for threat in threats:
        title = threat.partition("\n")[0]
        assert "\n- By: `" in threat, title
        assert "\n- ASVS V" in threat, title
        assert _TEST.search(threat), title


def test_the_security_page_says_what_is_not_covered() -> None:
    assert UNCOVERED.count("\n- ") > 10

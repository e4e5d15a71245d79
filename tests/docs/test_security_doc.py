"""The modules and tests that docs/security.md names exist, and every threat names some of each."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_MODULE = re.compile(r"`((?:auth|models|planner|routes|database)/[\w/]+\.py)`")
THREATS = PAGE.partition("## What is not covered")[0].split("\n## ")[1:]


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
    modules = _MODULE.findall(PAGE)
    assert modules
    assert [module for module in modules if not (ROOT / module).exists()] == []


@pytest.mark.parametrize("threat", THREATS, ids=[threat.partition("\n")[0] for threat in THREATS])
def test_every_threat_names_a_module_that_answers_it_a_requirement_and_a_test(threat: str) -> None:
    (modules,) = re.findall(r"^- By: (.*?)(?=^- )", threat, re.MULTILINE | re.DOTALL)
    assert _MODULE.search(modules)
    assert re.search(r"^- ASVS V\d+", threat, re.MULTILINE)
    assert _TEST.search(threat)

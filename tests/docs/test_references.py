"""What the documents refer to exists: files, and what is defined in them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = "planner|auth|routes|models|database|tests|docs"
# A path in backticks, and behind it the names in it that are meant: `planner/clock.py` (`Clock`, `SystemClock`).
_PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`(?:\s\(((?:`\w+`(?:,\s)?)+)\))?")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def defined_in(module: Path) -> set[str]:
    """The names of functions, classes, methods and constants of a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Assign():
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_path_in_a_document_exists(document: Path) -> None:
    paths = [match[1] for match in _PATH.finditer(document.read_text())]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_name_behind_a_path_is_defined_there(document: Path) -> None:
    missing = []
    for match in _PATH.finditer(document.read_text()):
        if match[2] and (ROOT / match[1]).is_file():
            named = set(re.findall(r"`(\w+)`", match[2]))
            missing += [f"{match[1]}: {name}" for name in named - defined_in(ROOT / match[1])]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    targets = _LINK.findall(document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_document_that_the_code_refers_to_exists() -> None:
    modules = [module for folder in FOLDERS.split("|") for module in (ROOT / folder).rglob("*.py")]
    referred = {path for module in modules for path in re.findall(r"\bdocs/[\w/.-]+\.md\b", module.read_text())}
    assert len(referred) > 3
    assert [path for path in sorted(referred) if not (ROOT / path).exists()] == []

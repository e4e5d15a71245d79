"""The map of the contributing guide is true, and its commands exist."""

import re
import tomllib

from tests.docs.test_references import ROOT, defined_in

GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
_ROW = re.compile(r"^\| (.+\.) \| `([\w/]+\.py)` \(((?:`\w+`(?:, )?)+)\) \|$", re.MULTILINE)


def section(title: str) -> str:
    """The text under a heading, up to the next heading of the same level."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_map_names_twenty_things_each_with_a_module_that_defines_it() -> None:
    rows = _ROW.findall(section("Twenty things and their files"))
    assert len(rows) == len(section("Twenty things and their files").split("\n| ")) - 2 == 20
    for thing, path, names in rows:
        assert set(re.findall(r"`(\w+)`", names)) <= defined_in(ROOT / path), thing


def test_the_twenty_things_are_in_different_modules() -> None:
    paths = [path for _, path, _ in _ROW.findall(section("Twenty things and their files"))]
    assert sorted(set(paths)) == sorted(paths)


def test_the_make_targets_that_the_guide_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", GUIDE))
    assert {"lint", "test", "test-mock", "bench", "lock", "outdated"} <= named <= targets


def test_the_limits_that_the_guide_states_are_those_of_the_linter() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert f"complexity of at most {lint['lint']['mccabe']['max-complexity']}" in GUIDE
    assert f"a line has at most {lint['line-length']} characters" in GUIDE


def test_the_layers_of_the_guide_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    listed = re.findall(r"^\d+\. (.*)$", section("Where a line of code belongs"), re.MULTILINE)
    # `__main__` is the one line that calls the commands.
    for layer, line in zip(layers[1:], listed, strict=True):
        modules = {path.removesuffix(".py").strip("/").replace("/", ".") for path in re.findall(r"`([^`]+)`", line)}
        assert modules <= set(re.split(r"\s*[|:]\s*", layer)), line

"""Every module has its place: a layer, a line in the map of its package, and libraries it may know."""

import ast
import functools
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("planner", "auth", "routes", "models", "database")
LINES = 400
MODULES_IN_A_FOLDER = 16

# Who may name a library: modules, and packages with all that is in them.
OWNERS = {
    "fastapi": ("routes", "auth.authenticate", "planner.app", "planner.serving.workers"),
    "starlette": ("routes", "auth.authenticate", "planner.app", "planner.cli"),
    "jose": ("auth.jwt_handler",),
    "passlib": ("auth.hash_password",),
    "authlib": ("auth.oidc_client",),
    "httpx2": ("auth.oidc_client",),
    "joserfc": ("auth.oidc_client",),
    "zxcvbn": ("planner.domain.passwords",),
    "pymongo": ("database",),
    "motor": ("database.drivers",),
    "bson": ("database",),
    "gridfs": ("database",),
    "beanie": ("database", "models"),
    "fastapi_offline": ("routes.pages.api_page",),
    "uvicorn": ("planner.cli", "planner.serving.supervisor", "planner.serving.workers", "routes.server.protocol"),
    "uvloop": ("routes.server.loop",),
    "jinja2": ("routes.pages.rendering",),
    "structlog": ("planner.logs", "routes.http.request_record"),
    "prometheus_client": ("planner.telemetry.metrics",),
    "opentelemetry": ("planner.telemetry.tracing",),
}


def modules(package: str) -> Iterator[Path]:
    """The files of a package and of those within it."""
    for file in sorted((ROOT / package).rglob("*.py")):
        if "__pycache__" not in file.parts:
            yield file


def name_of(file: Path) -> str:
    """The dotted name of a module or package."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EVERY = {name_of(file): file for package in PACKAGES for file in modules(package)}
MAPS = {name: file for name, file in EVERY.items() if file.name == "__init__.py"}


def is_within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


@functools.cache
def imported(file: Path) -> frozenset[str]:
    """The top-level names of everything that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return frozenset(found)


def docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text())) or ""


def test_the_packages_at_the_root_are_the_six_and_no_others() -> None:
    found = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert found == {*PACKAGES, "tests"}
    assert [file.name for file in ROOT.glob("*.py")] == []


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"planner"}))
def test_a_module_belongs_to_a_layer_of_the_contract_that_lint_runs(name: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(settings["root_packages"]) == set(PACKAGES)
    (contract,) = (contract for contract in settings["contracts"] if contract["type"] == "layers")
    layers = tuple(place for layer in contract["layers"] for place in re.split(r"\s*[|:]\s*", layer))
    assert is_within(name, layers), f"{name} is in no layer; add it to the contract in pyproject.toml"


@pytest.mark.parametrize("name", sorted(MAPS))
def test_the_map_of_a_package_names_each_of_its_modules_and_nothing_that_is_not_there(name: str) -> None:
    folder, map_ = MAPS[name].parent, docstring(MAPS[name])
    assert map_, "it has no map"
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    # Migrations are in the order of their numbers, and each says itself what it does.
    files = {stem for stem in files if not re.match(r"m\d{4}_", stem)}
    folders = {file.parent.name for file in folder.glob("*/__init__.py")}
    missing = {stem for stem in files if not names(map_, name, stem, ".py")}
    missing |= {inner for inner in folders if not names(map_, name, inner, "/")}
    assert missing == set(), f"the map in {MAPS[name]} does not name them"
    spoken_of = set(re.findall(r"(?<![\w/])(\w+)\.py\b", map_))
    assert spoken_of <= files, f"the map in {MAPS[name]} names what is not there"


def names(map_: str, package: str, inner: str, ending: str) -> bool:
    """Whether a map names a module or folder, by itself or with its package's name before it."""
    return bool(re.search(rf"(?<![\w/]){inner}{re.escape(ending)}|\b{re.escape(f'{package}.{inner}')}\b", map_))


def test_the_package_of_the_product_imports_nothing() -> None:
    assert imported(MAPS["planner"]) == set()


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_named_only_where_it_can_be_replaced(library: str) -> None:
    users = {name for name, file in EVERY.items() if library in imported(file)}
    strangers = {name for name in users if not is_within(name, OWNERS[library])}
    assert strangers == set(), f"they may not know {library}"
    assert users or library == "gridfs", f"nobody uses {library} any more"


def test_no_module_of_the_product_is_longer_than_one_can_read_at_a_time() -> None:
    long = {name: count for name, file in EVERY.items() if (count := len(file.read_text().splitlines())) > LINES}
    assert long == {}, "look for the second noun in it"


def test_no_module_takes_the_name_of_one_that_the_standard_library_has_at_heart() -> None:
    everywhere = {name_of(file) for package in (*PACKAGES, "tests") for file in modules(package)}
    assert [name for name in everywhere if name.rpartition(".")[2] == "calendar"] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {file.parent for package in (*PACKAGES, "tests") for file in modules(package)}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_no_folder_has_more_modules_than_the_limit() -> None:
    everywhere = [file for package in (*PACKAGES, "tests") for file in modules(package) if file.name != "__init__.py"]
    counts = Counter(str(file.parent.relative_to(ROOT)) for file in everywhere)
    large = {folder: count for folder, count in counts.items() if count > MODULES_IN_A_FOLDER}
    assert large == {}, "look for the second noun in it"

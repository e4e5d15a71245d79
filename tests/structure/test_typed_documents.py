"""A field that is misspelt or has a wrong type fails `make lint`, in every layer above database/."""

import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

from tests.structure.test_layout import PACKAGES, ROOT


class Mutation(NamedTuple):
    """A mistake in a line of a module; `reported` is a part of what mypy says about it."""

    file: str
    right: str
    wrong: str
    reported: str


MUTATIONS = {
    "a misspelt field in a filter": Mutation(
        "models/accounts/user.py", "cls.disabled: False}, {", "cls.disabeld: False}, {", '"disabeld"'
    ),
    "a misspelt attribute of a document": Mutation(
        "auth/principal.py", "token.scopes)", "token.scope)", '"PersonalToken" has no attribute "scope"'
    ),
    "a misspelt argument of a new document": Mutation(
        "planner/services/accounts/sessions.py",
        "refresh_digest=digest(refresh_token)",
        "refresh_hash=digest(refresh_token)",
        'Unexpected keyword argument "refresh_hash" for "Session"',
    ),
    "a value of another type than the field": Mutation(
        "planner/services/accounts/email_addresses.py",
        "assign(User.email_verified, True)",
        'assign(User.email_verified, "yes")',
        '"assign"',
    ),
    "a misspelt key inside a field": Mutation(
        "planner/services/accounts/oidc_linking.py",
        "ProviderIdentity(issuer=claims.issuer, subject=",
        "ProviderIdentity(issuer=claims.issuer, sub=",
        '"ProviderIdentity"',
    ),
    "a misspelt field of a response": Mutation(
        "routes/personal_tokens.py",
        "created.token.id",
        "created.token.uid",
        '"PersonalTokenRead" has no attribute "uid"',
    ),
    "a misspelt attribute in a command": Mutation(
        "planner/cli.py", "user.email_verified", "user.verified", '"User" has no attribute "verified"'
    ),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says about a copy of the product that has all the mistakes."""
    copy = tmp_path_factory.mktemp("mutated")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "stubs", copy / "tests" / "stubs")
    shutil.copy(ROOT / "pyproject.toml", copy)
    # With what mypy already knows about the unchanged modules it takes seconds.
    if (ROOT / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", copy / ".mypy_cache")
    for file, right, wrong, _ in MUTATIONS.values():
        text = (copy / file).read_text()
        assert right in text, f"{file} has no {right!r}"
        (copy / file).write_text(text.replace(right, wrong, 1))
    command = [sys.executable, "-m", "mypy", *PACKAGES]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MUTATIONS)
def test_mypy_finds_a_field_that_is_not_as_it_is_declared(report: str, mistake: str) -> None:
    file, _, _, reported = MUTATIONS[mistake]
    errors = re.findall(rf"^{re.escape(file)}:\d+: error: (.*)$", report, re.MULTILINE)
    assert any(reported in error for error in errors), report


@pytest.mark.slow
def test_mypy_finds_nothing_else(report: str) -> None:
    files = set(re.findall(r"^([\w/]+\.py):\d+: error:", report, re.MULTILINE))
    assert files == {mutation.file for mutation in MUTATIONS.values()}

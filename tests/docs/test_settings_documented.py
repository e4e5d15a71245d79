"""Every setting is documented, and nothing is documented that is none."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.oidc_settings import ISSUERS
from planner.settings import Settings

ROOT = Path(__file__).parents[2]
# The providers are one field, read from variables with names of their own.
PROVIDERS = "oidc"
PROVIDER_PARTS = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")


def settings() -> set[str]:
    """The environment variables that are settings, as they are."""
    return {name.upper() for name in Settings.model_fields if name != PROVIDERS}


def is_of_a_provider(variable: str) -> bool:
    return bool(re.fullmatch(rf"OIDC_([A-Z0-9]+|<NAME>)_({'|'.join(PROVIDER_PARTS)})", variable))


def in_env_example() -> list[str]:
    text = (ROOT / ".env.example").read_text()
    return re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)


def in_readme() -> list[str]:
    """The names in the first column of the README's table of settings."""
    text = (ROOT / "README.md").read_text()
    tables = [
        table
        for table in re.findall(r"(?:^\|.*\|[ ]*\n?)+", text, re.MULTILINE)
        if re.search(r"^\| `DATABASE_URL` ?\|", table, re.MULTILINE)
    ]
    assert len(tables) == 1, "the README has no single table of settings"
    cells = [row.split("|")[1] for row in tables[0].splitlines()[2:]]
    names: list[str] = []
    for cell in cells:
        found = re.findall(r"`([A-Z_<>0-9]+)`", cell)
        # `OIDC_<NAME>_ISSUER`, `_CLIENT_ID`: the further ones leave out how the first begins.
        names += [name if not name.startswith("_") else "OIDC_<NAME>" + name for name in found]
    return names


@pytest.mark.parametrize("where", [in_env_example, in_readme])
def test_every_setting_is_there_once_and_nothing_else_is(where: Callable[[], list[str]]) -> None:
    found = where()
    assert sorted(found) == sorted(set(found)), "one is there twice"
    assert {name for name in found if not is_of_a_provider(name)} == settings()


@pytest.mark.parametrize("where", [in_env_example, in_readme])
def test_the_settings_of_providers_are_there(where: Callable[[], list[str]]) -> None:
    found = {name for name in where() if is_of_a_provider(name)}
    assert {name.rpartition("_")[2] for name in found} == {part.rpartition("_")[2] for part in PROVIDER_PARTS}
    assert any(name.upper() in " ".join(found) or "<NAME>" in " ".join(found) for name in ISSUERS)


def test_the_defaults_that_the_readme_tells_are_the_defaults() -> None:
    text = (ROOT / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        row = re.search(rf"^\| `{name.upper()}` \| `([^`]+)` \|", text, re.MULTILINE)
        if row and isinstance(field.default, int | str | Path):
            assert row[1] == str(field.default), name


def test_an_example_left_as_it_is_changes_nothing(tmp_path: Path) -> None:
    example = tmp_path / ".env"
    example.write_text((ROOT / ".env.example").read_text())
    assert Settings(_env_file=example).model_dump() == Settings(_env_file=None).model_dump()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []

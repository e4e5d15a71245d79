"""Every setting is documented in .env.example and in the README, with its default."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.oidc_settings import ISSUERS
from planner.settings import Settings

ROOT = Path(__file__).parents[2]
# The providers are one field, read from variables with names of their own.
PROVIDERS = "oidc"
PROVIDER_PARTS = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "RESPONSE_MODE")
# Settings for which .env.example shows what a value may look like; for all others it shows the default.
SHOWN_BY_EXAMPLE = {
    "APP_SCHEMES",
    "DATABASE_URL",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
    "SMTP_URL",
    "MAIL_FROM",
    "CORS_ORIGINS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting in the environment, so that the files alone count."""
    for name in [*setting_names(), *env_example()]:
        monkeypatch.delenv(name, raising=False)


def setting_names() -> set[str]:
    """Return the environment variables that are settings, without those of providers."""
    return {name.upper() for name in Settings.model_fields if name != PROVIDERS}


def is_of_a_provider(variable: str) -> bool:
    return bool(re.fullmatch(rf"OIDC_([A-Z0-9]+|<NAME>)_({'|'.join(PROVIDER_PARTS)})", variable))


def env_example_lines() -> list[tuple[str, str]]:
    """Return the variables of .env.example, which are commented out, with their values."""
    text = (ROOT / ".env.example").read_text()
    return re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE)


def env_example() -> dict[str, str]:
    return dict(env_example_lines())


def readme_rows() -> list[tuple[str, str]]:
    """Return the names in the first column of the README's table of settings, each with the second column."""
    text = (ROOT / "README.md").read_text()
    tables = [
        table
        for table in re.findall(r"(?:^\|.*\|[ ]*\n?)+", text, re.MULTILINE)
        if re.search(r"^\| `DATABASE_URL` ?\|", table, re.MULTILINE)
    ]
    assert len(tables) == 1, "the README has no single table of settings"
    rows = [row.split("|") for row in tables[0].splitlines()[2:]]
    return [(name, cells[2].strip()) for cells in rows for name in re.findall(r"`([A-Z_<>0-9]+)`", cells[1])]


def test_the_compose_file_passes_every_setting_on() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    assert {name for name in setting_names() if not re.search(rf"^      {name}: ", compose, re.MULTILINE)} == set()
    passed = dict(re.findall(r"^      ([A-Z_]+): \$\{(\w+):-\}$", compose, re.MULTILINE))
    assert passed == {name: name for name in passed}


def names_in_env_example() -> list[str]:
    return [name for name, _ in env_example_lines()]


def names_in_readme() -> list[str]:
    return [name for name, _ in readme_rows()]


@pytest.mark.parametrize("documented", [names_in_env_example, names_in_readme])
def test_every_setting_is_documented_once_and_nothing_else_is(documented: Callable[[], list[str]]) -> None:
    names = documented()
    assert sorted(names) == sorted(set(names)), "a name is there twice"
    assert {name for name in names if not is_of_a_provider(name)} == setting_names()


@pytest.mark.parametrize("documented", [names_in_env_example, names_in_readme])
def test_every_variable_of_a_provider_is_documented(documented: Callable[[], list[str]]) -> None:
    names = [name for name in documented() if is_of_a_provider(name)]
    assert {name.split("_", 2)[2] for name in names} == set(PROVIDER_PARTS)


def test_a_provider_whose_issuer_is_known_is_shown_without_one() -> None:
    for name in ISSUERS:
        shown = {variable for variable in names_in_env_example() if variable.startswith(f"OIDC_{name.upper()}_")}
        assert shown == {f"OIDC_{name.upper()}_CLIENT_ID", f"OIDC_{name.upper()}_CLIENT_SECRET"}


@pytest.mark.parametrize("name", sorted(setting_names()))
def test_the_readme_gives_the_default_of_a_setting_or_says_what_happens_without_it(name: str) -> None:
    shown = dict(readme_rows())[name]
    default = Settings.model_fields[name.lower()].default
    if default in (None, ""):
        assert shown and not re.fullmatch(r"`[^`]*`", shown), f"{name} has no default, and {shown} looks like one"
    else:
        assert shown == f"`{default}`"


@pytest.mark.parametrize("name", sorted(setting_names() - SHOWN_BY_EXAMPLE))
def test_env_example_gives_the_default_of_a_setting(name: str) -> None:
    default = Settings.model_fields[name.lower()].default
    assert env_example()[name] == ("" if default is None else str(default))


def test_everything_in_env_example_is_accepted_when_it_is_no_comment_any_more(tmp_path: Path) -> None:
    lines = [(name, value or secrets.token_urlsafe(48)) for name, value in env_example_lines()]
    example = tmp_path / ".env"
    example.write_text("".join(f"{name}={value}\n" for name, value in lines))
    settings = Settings(_env_file=example)
    for name in SHOWN_BY_EXAMPLE:
        assert getattr(settings, name.lower()) != Settings.model_fields[name.lower()].default
    assert set(settings.oidc) == {"name", *ISSUERS}


def test_a_copy_of_env_example_changes_no_setting(tmp_path: Path) -> None:
    example = tmp_path / ".env"
    example.write_text((ROOT / ".env.example").read_text())
    assert Settings(_env_file=example).model_dump() == Settings(_env_file=None).model_dump()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_has_a_description(name: str) -> None:
    assert Settings.model_fields[name].description

"""The providers among the settings."""

import os
from pathlib import Path

import pytest

from planner.errors import ConfigurationError
from planner.settings import Settings, load

ACME = {
    "OIDC_ACME_ISSUER": "https://login.acme.example",
    "OIDC_ACME_CLIENT_ID": "planner",
    "OIDC_ACME_CLIENT_SECRET": "hush 8c1f",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("OIDC")]:
        monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load()


def test_without_variables_there_are_no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, {"OIDC": "x", "OIDC_TOKEN": "y", "OIDC_PROVIDERS": "z"}).oidc == {}


def test_a_provider_is_named_in_lower_case_and_its_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, ACME)
    acme = settings.oidc["acme"]
    assert (acme.issuer, acme.client_id) == ("https://login.acme.example", "planner")
    assert acme.client_secret.get_secret_value() == "hush 8c1f"
    assert "hush" not in repr(settings)


def test_google_needs_no_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, {"OIDC_GOOGLE_CLIENT_ID": "us", "OIDC_GOOGLE_CLIENT_SECRET": "hush"})
    assert settings.oidc["google"].issuer == "https://accounts.google.com"


def test_the_environment_takes_precedence_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("".join(f"{name}={value!r}\n" for name, value in ACME.items()))
    settings = given(monkeypatch, {"OIDC_ACME_CLIENT_ID": "other"})
    assert settings.oidc["acme"].client_id == "other"
    assert settings.oidc["acme"].client_secret.get_secret_value() == "hush 8c1f"
    # An empty variable is the same as none.
    assert given(monkeypatch, dict.fromkeys(ACME, "")).oidc["acme"].client_id == ACME["OIDC_ACME_CLIENT_ID"]


@pytest.mark.parametrize("missing", ACME)
def test_an_incomplete_provider_is_refused_naming_the_missing_variable(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    with pytest.raises(ConfigurationError, match=missing) as caught:
        given(monkeypatch, {name: value for name, value in ACME.items() if name != missing})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.acme.example",
        "login.acme.example",
        "https://",
        "ftp://127.0.0.1",
        "https://login.acme.example/?a=b",
        "https://login.acme.example/#a",
        "https://user@login.acme.example",
        "https://login.acme.example:port",
        " https://login.acme.example",
        "http://localhost.acme.example",
        "http://10.0.0.1",
    ],
)
def test_an_issuer_must_be_a_plain_https_address(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    with pytest.raises(ConfigurationError, match="OIDC_ACME_ISSUER"):
        given(monkeypatch, ACME | {"OIDC_ACME_ISSUER": issuer})


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9400", "http://[::1]:9400", "http://localhost/realm"])
def test_an_issuer_on_this_machine_needs_no_tls(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    assert given(monkeypatch, ACME | {"OIDC_ACME_ISSUER": issuer}).oidc["acme"].issuer == issuer


def test_a_name_that_cannot_stand_in_a_path_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="MY_ACME"):
        given(monkeypatch, {name.replace("ACME", "MY_ACME"): value for name, value in ACME.items()})

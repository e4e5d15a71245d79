"""Settings: what does not hold is said at the start, by name, and without its value."""

import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from planner.errors import ConfigurationError
from planner.settings import Settings, find_misspelt_names, load

GOOD = "kX9v-Jq2LwR7sT4mYb1Z-cD5eF8gH0nP"
WHISPER = "whisper"
VARIABLES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty directory to run in, and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """What is said when these variables do not hold."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = load()
    assert settings.database_url is None
    assert (settings.base_url, settings.origins) == ("http://127.0.0.1:8000", [])
    assert (settings.access_token_minutes, settings.password_rounds) == (15, 12)
    assert len(settings.secret().encode()) >= 32


def test_the_environment_takes_precedence_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nHOST=0.0.0.0\nUNKNOWN=1\n", encoding="utf-8")
    assert (load().host, load().port) == ("0.0.0.0", 9001)
    monkeypatch.setenv("PORT", "9002")
    assert (load().host, load().port) == ("0.0.0.0", 9002)
    assert load(port=9003).port == 9003


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "CORS_ORIGINS", "SMTP_URL", "TRUSTED_PROXIES"):
        monkeypatch.setenv(name, "")
    settings = load()
    assert (settings.database_url, settings.secret_key, settings.smtp_url) == (None, None, None)
    assert settings.base_url == "http://127.0.0.1:8000"


def test_an_empty_variable_does_not_hide_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nHOST=\nPASSWORD_ROUNDS=\n", encoding="utf-8")
    for name in VARIABLES:
        if name != "OIDC":
            monkeypatch.setenv(name, "")
    assert load() == Settings(port=9001)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("SECRETKEY", "SECRET_KEY"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("PLANNER_PUBLIC_URL", "PUBLIC_URL"),
        ("access_token_expire_minutes", "ACCESS_TOKEN_MINUTES"),
        ("MAIL_FORM", "MAIL_FROM"),
        ("OIDC_ACME_ID", "OIDC_<NAME>_ISSUER"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_misspelt_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, meant: str, place: str
) -> None:
    if place == "file":
        (tmp_path / ".env").write_text(f"{name}={WHISPER}\n", encoding="utf-8")
    else:
        monkeypatch.setenv(name, WHISPER)
    (sentence,) = [each for each in find_misspelt_names() if name.upper() in each]
    assert meant in sentence
    assert WHISPER not in sentence


def test_other_variables_are_not_taken_for_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOSTNAME", "HOSTTYPE", "LOGNAME", "PATH", "SMTP_HOST", "MAIL", "OIDC_ACME_CLIENT_ID", *VARIABLES):
        monkeypatch.setenv(name, "x")
    assert find_misspelt_names() == []


BAD: list[tuple[str, str]] = [
    ("DATABASE_URL", WHISPER),
    ("DATABASE_URL", f"postgres://ada:{WHISPER}@db.example.com/planner"),
    ("SECRET_KEY", WHISPER),
    ("SECRET_KEY", "x" * 31),
    ("SECRET_KEY", f"changeme-{WHISPER}-{GOOD}"),
    ("PORT", WHISPER),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "80.5"),
    ("PUBLIC_URL", WHISPER),
    ("PUBLIC_URL", f"//{WHISPER}.example.com"),
    ("PUBLIC_URL", f"ftp://{WHISPER}.example.com"),
    ("PUBLIC_URL", f"https://[{WHISPER}"),
    ("ACCESS_TOKEN_MINUTES", "0"),
    ("ACCESS_TOKEN_MINUTES", "1441"),
    ("ACCESS_TOKEN_MINUTES", WHISPER),
    ("REFRESH_TOKEN_DAYS", "0"),
    ("PASSWORD_ROUNDS", "9"),
    ("PASSWORD_ROUNDS", "19"),
    ("PASSWORD_ROUNDS", WHISPER),
    ("RATE_LIMITS", WHISPER),
    ("TRUSTED_PROXIES", WHISPER),
    ("TRUSTED_PROXIES", f"10.0.0.0/8, {WHISPER}"),
    ("TRUSTED_PROXIES", "10.0.0.0/33"),
    ("SMTP_URL", WHISPER),
    ("SMTP_URL", f"http://ada:{WHISPER}@mail.example.com"),
    ("SMTP_URL", f"smtp://ada:{WHISPER}@"),
    ("CORS_ORIGINS", "*"),
    ("CORS_ORIGINS", "https://app.example.com, *"),
    ("CORS_ORIGINS", "https://*.example.com"),
    ("CORS_ORIGINS", "null"),
    ("CORS_ORIGINS", f"{WHISPER}.example.com"),
    ("CORS_ORIGINS", f"https://app.example.com/{WHISPER}"),
    ("CORS_ORIGINS", f"https://app.example.com?{WHISPER}"),
    ("CORS_ORIGINS", f"https://app.example.com#{WHISPER}"),
    ("CORS_ORIGINS", f"https://[{WHISPER}"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_an_invalid_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    said = refusal(monkeypatch, **{name: value})
    assert f"{name}:" in said
    assert WHISPER not in said
    assert said.isprintable()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WORKERS", "abc", "must be a whole number"),
        ("WORKERS", "1.5", "must be a whole number"),
        ("WORKERS", "0", "must be at least 1"),
        ("WORKERS", "257", "must be at most 256"),
        ("DRAIN_SECONDS", "abc", "must be a number"),
        ("RATE_LIMITS", "perhaps", "must be 'on' or 'off'"),
    ],
)
def test_it_is_said_what_a_number_must_be(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    assert refusal(monkeypatch, **{name: value}) == f"The settings are not valid. {name}: {said}"


def test_all_invalid_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, PORT="none", PASSWORD_ROUNDS="4", CORS_ORIGINS="*")
    assert all(f"{name}:" in said for name in ("PORT", "PASSWORD_ROUNDS", "CORS_ORIGINS"))


def test_printed_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", GOOD)
    monkeypatch.setenv("DATABASE_URL", f"mongodb://ada:{WHISPER}@db.example.com/planner")
    monkeypatch.setenv("SMTP_URL", f"smtp://ada:{WHISPER}@mail.example.com")
    settings = load()
    assert settings.secret() == GOOD
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert GOOD not in shown
        assert WHISPER not in shown


def test_a_file_of_settings_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"MAIL_FROM=\xff")
    with pytest.raises(ConfigurationError, match="Save it as UTF-8"):
        load()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "placeholder",
    [
        "change-me-" * 5,
        "ChangeThis ChangeThis ChangeThis ChangeThis",
        "your-secret-key-goes-here-and-is-long-enough",
        "my_super_secret_key_that_is_32_bytes",
        "INSECURE-0123456789-0123456789-0123456789",
        "HI5HL3V3L$3CR3T-HI5HL3V3L$3CR3T-HI5HL3V3L$3CR3T",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    ],
)
def test_a_secret_from_an_example_is_refused(monkeypatch: pytest.MonkeyPatch, placeholder: str) -> None:
    said = refusal(monkeypatch, SECRET_KEY=placeholder)
    assert "placeholder" in said
    assert placeholder not in said


def test_a_secret_is_measured_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "äöüßéèêñ" * 2)
    assert load().secret() == "äöüßéèêñ" * 2
    assert "32 bytes" in refusal(monkeypatch, SECRET_KEY="x" * 31)


def test_a_previous_secret_is_as_strong_and_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", GOOD)
    assert load().previous_secret() is None
    assert "SECRET_KEY_PREVIOUS: must be at least" in refusal(monkeypatch, SECRET_KEY_PREVIOUS="short")
    assert "SECRET_KEY_PREVIOUS: is a placeholder" in refusal(monkeypatch, SECRET_KEY_PREVIOUS="change-me-" * 5)
    monkeypatch.setenv("SECRET_KEY_PREVIOUS", GOOD)
    with pytest.raises(ConfigurationError, match="SECRET_KEY_PREVIOUS is the same") as caught:
        load().secret()
    assert GOOD not in str(caught.value)
    monkeypatch.setenv("SECRET_KEY_PREVIOUS", GOOD[::-1])
    assert (load().secret(), load().previous_secret()) == (GOOD, GOOD[::-1])


def test_the_previous_secret_is_not_the_stored_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_PREVIOUS", load().secret())
    with pytest.raises(ConfigurationError, match="SECRET_KEY_PREVIOUS is the same"):
        load().secret()


def test_a_database_url_requires_a_secret_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", f"mongodb://ada:{WHISPER}@db.example.com/planner")
    with pytest.raises(ConfigurationError, match="SECRET_KEY is required") as caught:
        load().secret()
    assert "token_urlsafe" in str(caught.value)
    assert WHISPER not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("SECRET_KEY", GOOD)
    assert load().secret() == GOOD


def test_the_secret_of_the_embedded_database_is_created_once_with_mode_0600(tmp_path: Path) -> None:
    first = load().secret()
    file = tmp_path / ".planner" / "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in file.parent.iterdir()] == ["secret"]
    assert load().secret() == first
    assert load(data_dir=tmp_path / "elsewhere").secret() != first


def test_processes_that_start_at_once_use_one_secret(tmp_path: Path) -> None:
    found: list[str] = []
    settings = load(data_dir=tmp_path / "deep" / "down")
    threads = [threading.Thread(target=lambda: found.append(settings.secret())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [entry.name for entry in settings.data_dir.iterdir()] == ["secret"]


@pytest.mark.parametrize("kept", [b"", b"short\n", b"changeme" * 8, b"\xff" * 40])
def test_an_invalid_stored_secret_is_refused_naming_its_file(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / ".planner").mkdir()
    (tmp_path / ".planner" / "secret").write_bytes(kept)
    with pytest.raises(ConfigurationError, match="secret") as caught:
        load().secret()
    assert str(Path(".planner/secret")) in str(caught.value)
    assert "changeme" not in str(caught.value)


def test_a_secret_that_cannot_be_stored_is_reported_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data_dir in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(ConfigurationError, match="cannot be stored") as caught:
            load(data_dir=data_dir).secret()
        assert str(data_dir) in str(caught.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 9000}, "http://[::1]:9000"),
        ({"public_url": "https://planner.example.com/"}, "https://planner.example.com"),
        ({"public_url": "https://example.com/planner/", "port": 9000}, "https://example.com/planner"),
    ],
)
def test_the_base_url_is_public_url_or_made_of_host_and_port(given: dict[str, Any], address: str) -> None:
    assert load(**given).base_url == address


def test_origins_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", " https://app.example.com/ ,http://localhost:5173,, ")
    assert load().origins == ["https://app.example.com", "http://localhost:5173"]


@pytest.mark.parametrize(
    "sender",
    ["planner@localhost", "planner@example.com", "Planner <planner@example.com>", '"Planner, Inc." <p@bücher.example>'],
)
def test_the_sender_of_mails_is_an_address_with_or_without_a_name(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    monkeypatch.setenv("MAIL_FROM", sender)
    assert load().mail_from == sender


@pytest.mark.parametrize(
    "sender",
    [
        "planner@example.com\nBcc: everybody@example.com",
        "planner@example.com\r\n",
        "Planner\n <planner@example.com>",
        "planner",
        "planner@",
        "@example.com",
        "one@example.com, two@example.com",
        "Planner <planner@example.com> and more",
        "=?utf-8?q?planner?=@example.com",
    ],
)
def test_a_sender_that_is_no_single_address_on_one_line_is_refused(
    monkeypatch: pytest.MonkeyPatch, sender: str
) -> None:
    monkeypatch.setenv("MAIL_FROM", sender)
    with pytest.raises(ConfigurationError, match="MAIL_FROM: must be an e-mail address"):
        load()


def test_the_schemes_of_native_apps_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SCHEMES", " com.example.planner ,org.example.other-app")
    assert load().schemes == ["com.example.planner", "org.example.other-app"]


@pytest.mark.parametrize("scheme", ["javascript", "https", "planner", "com.example:", "com.example://", ".com", "a..b"])
def test_a_scheme_that_is_no_reverse_domain_name_is_refused(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("APP_SCHEMES", scheme)
    with pytest.raises(ConfigurationError, match="APP_SCHEMES: each scheme is a domain name in reverse"):
        load()

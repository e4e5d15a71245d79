"""The settings, read once from the environment and `.env`, and passed on from there."""

import difflib
import ipaddress
import os
import re
import secrets
from email.errors import HeaderParseError
from email.headerregistry import HeaderRegistry
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from planner.errors import ConfigurationError
from planner.load_settings import LoadSettings
from planner.logs import LogFormat, LogLevel
from planner.oidc_settings import OidcProviderSettings, OidcSettingsSource, check_names, is_provider_variable

SECRET_BYTES = 32
# How similar the name of a variable must be to that of a setting to be taken for a misspelt one: from 0 to 1, equal.
SIMILARITY = 0.8
# OpenTelemetry has many variables whose names are similar to that of the one setting.
OTEL_SIMILARITY = 0.95
# The scheme of a native app is a domain name in reverse: no scheme with a meaning of its own has a dot (RFC 8252 §8.4).
APP_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+", re.ASCII | re.IGNORECASE)
# These occur only in secrets of examples, which nobody has replaced yet.
PLACEHOLDERS = (
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "yoursecret",
    "mysecret",
    "supersecret",
    "verysecret",
    "secretkey",
    "notsecret",
    "insecure",
    "hi5hl3v3l",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
)
# By the kind of an error of Pydantic: what the value of a setting must be.
_SAID = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "literal_error": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


class Settings(LoadSettings):
    """Everything an operator can set; each name in capitals is the environment variable."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(None, description="Any MongoDB 6 or newer. Unset: the embedded server.")
    secret_key: SecretStr | None = Field(
        None, description="Signs the tokens; at least 32 bytes. Unset: generated once and stored in DATA_DIR."
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="The secret before SECRET_KEY. What it has signed stays valid; nothing new is signed with it."
    )
    data_dir: Path = Field(Path(".planner"), description="Embedded database, secret, outbox.")
    host: str = Field("127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    workers: int = Field(1, ge=1, le=256, description="How many processes serve requests.")
    public_url: str = Field("", description="The address that clients use. Unset: from HOST and PORT.")
    access_token_minutes: int = Field(15, ge=1, le=24 * 60, description="The lifetime of an access token, in minutes.")
    refresh_token_days: int = Field(30, ge=1, le=365, description="The longest lifetime of a session, in days.")
    password_rounds: int = Field(12, ge=10, le=18, description="The bcrypt cost.")
    rate_limits: Literal["on", "off"] = Field("on", description="`off` turns every limit off (benchmarks).")
    trusted_proxies: str = Field(
        "", description="Addresses or networks of proxies whose X-Forwarded-For counts, separated by commas."
    )
    log_level: LogLevel = Field("info", description="The least important lines that are logged.")
    log_format: LogFormat = Field(
        "auto", description="`text`, `json`, or `auto`: text on a terminal, elsewhere one JSON object a line."
    )
    slow_query_milliseconds: int = Field(
        500, ge=1, le=600_000, description="Database operations that take longer are logged, without their values."
    )
    drain_seconds: float = Field(
        1,
        ge=0,
        le=60,
        description="How long the planner goes on serving after SIGTERM; /readyz says that it stops.",
    )
    grace_seconds: int = Field(
        6, ge=1, le=600, description="How long requests that are being answered may take when the planner stops."
    )
    cache_megabytes: int = Field(80, ge=0, le=65_536, description="What the caches of a process take, at most.")
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Who sends it as a Bearer token may read /metrics. Unset: only this machine."
    )
    otel_exporter_otlp_endpoint: str = Field("", description="Where traces are sent, over OTLP/HTTP. Unset: nowhere.")
    audit_days: int = Field(90, ge=1, le=3650, description="How long the audit is kept.")
    smtp_url: SecretStr | None = Field(
        None, description="smtp:// or smtps:// with user and password. Unset: mails go to DATA_DIR/outbox."
    )
    mail_from: str = Field("planner@localhost", description="The sender of mails.")
    cors_origins: str = Field("", description="Origins of pages that may call the API, separated by commas.")
    app_schemes: str = Field(
        "", description="Schemes of native apps to which a sign-in with a provider may return, separated by commas."
    )
    oidc: Annotated[dict[str, OidcProviderSettings], NoDecode] = Field(
        default_factory=dict,
        description="OpenID Connect providers, from OIDC_<NAME>_ISSUER, _CLIENT_ID, _CLIENT_SECRET.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the usual sources, and the one for the variables of providers."""
        assert isinstance(env_settings, EnvSettingsSource) and isinstance(dotenv_settings, EnvSettingsSource)
        providers = OidcSettingsSource(settings_cls, env_settings.env_vars, dotenv_settings.env_vars)
        return init_settings, providers, env_settings, dotenv_settings, file_secret_settings

    @field_validator("oidc")
    @classmethod
    def _providers_fit_into_paths(cls, value: dict[str, OidcProviderSettings]) -> dict[str, OidcProviderSettings]:
        check_names(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _database_url_is_mongodb(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        return value

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def _secret_key_holds(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            check_secret(value.get_secret_value())
        return value

    @field_validator("public_url", "otel_exporter_otlp_endpoint")
    @classmethod
    def _is_absolute_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise ValueError("must be an absolute http:// or https:// address")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url_is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
                raise ValueError("must begin with smtp:// or smtps:// and name a host")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from_is_a_sender(cls, value: str) -> str:
        if not is_sender(value):
            raise ValueError("must be an e-mail address, or a name and an address: Planner <planner@example.com>")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _trusted_proxies_are_addresses(cls, value: str) -> str:
        try:
            for entry in split_list(value):
                ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ValueError("each entry is an IP address or a network, such as 10.0.0.0/8") from None
        return value

    @field_validator("app_schemes")
    @classmethod
    def _app_schemes_are_reverse_names(cls, value: str) -> str:
        if not all(APP_SCHEME.fullmatch(entry) for entry in split_list(value)):
            raise ValueError("each scheme is a domain name in reverse, such as com.example.planner (RFC 8252 §7.1)")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _cors_origins_are_explicit(cls, value: str) -> str:
        for origin in split_list(value):
            if "*" in origin:
                raise ValueError(
                    "'*' cannot be used: the API answers requests with credentials, "
                    "so each origin must be named, such as https://app.example.com"
                )
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or parts.fragment:
                raise ValueError("each origin is scheme://host[:port], without a path")
        return value

    @property
    def base_url(self) -> str:
        """The address that clients use, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def origins(self) -> list[str]:
        """The origins of `CORS_ORIGINS`, one by one."""
        return split_list(self.cors_origins)

    @property
    def schemes(self) -> list[str]:
        """The entries of `APP_SCHEMES`, one by one."""
        return split_list(self.app_schemes)

    @property
    def proxies(self) -> list[str]:
        """The entries of `TRUSTED_PROXIES`, one by one."""
        return split_list(self.trusted_proxies)

    def secret(self) -> str:
        """Return the signing secret: the configured one, or that of the embedded server, stored in `DATA_DIR`.

        Raises `ConfigurationError` when a database is configured and no secret is: several planners on one
        database must share it, so none of them can generate its own. It is also raised when the previous
        secret is the same.
        """
        secret = self._configured_secret() or stored_secret(self.data_dir / "secret")
        if secret == self.previous_secret():
            raise ConfigurationError(
                "SECRET_KEY_PREVIOUS is the same as the secret that signs now. Set it to the one before, or remove it."
            )
        return secret

    def previous_secret(self) -> str | None:
        """Return the secret before this one, which has signed what is still in use, or None."""
        return self.secret_key_previous.get_secret_value() if self.secret_key_previous else None

    def _configured_secret(self) -> str | None:
        if self.secret_key:
            return self.secret_key.get_secret_value()
        if self.database_url:
            raise ConfigurationError(
                "SECRET_KEY is required with DATABASE_URL. Make one with: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return None


def split_list(text: str) -> list[str]:
    """Return the entries of a comma-separated setting, without blanks."""
    return [entry.strip().rstrip("/") for entry in text.split(",") if entry.strip()]


def is_sender(text: str) -> bool:
    """Return whether the text is the sender of a mail: one address on one line, with or without a name."""
    if not text.isprintable() or "=?" in text:
        return False
    try:
        header: Any = HeaderRegistry()("From", text)
    except (HeaderParseError, ValueError, IndexError, AttributeError):
        return False
    if header.defects or len(header.addresses) != 1:
        return False
    (sender,) = header.addresses
    return bool(sender.username and sender.domain) and sender.addr_spec in text


def check_secret(secret: str) -> None:
    """Raise `ValueError`, saying why, for a secret that is too short or a known placeholder."""
    if len(secret.encode()) < SECRET_BYTES:
        raise ValueError(f"must be at least {SECRET_BYTES} bytes long")
    bare = "".join(c for c in secret.casefold() if c.isalnum())
    if any(placeholder in bare for placeholder in PLACEHOLDERS):
        raise ValueError("is a placeholder from an example; make your own")


def stored_secret(path: Path) -> str:
    """Return the secret in the file at `path`, which is created with mode 0600 if need be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The file is complete before it gets its name, so that a crash never leaves half a secret.
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            with open(fresh, "x", opener=_private) as file:
                file.write(secrets.token_urlsafe(48))
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)
        secret = path.read_text().strip()
        check_secret(secret)
    except OSError as error:
        raise ConfigurationError(
            f"The secret cannot be stored in {path}: {error.strerror}. Set DATA_DIR to a folder that the planner may "
            "write to, on a disk with free space."
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"The secret in {path} {error}.") from error
    return secret


def find_misspelt_names() -> list[str]:
    """Return a sentence about each variable of the environment or `.env` that looks like a setting and is none."""
    names = {*EnvSettingsSource(Settings).env_vars, *DotEnvSettingsSource(Settings).env_vars}
    known = [name.upper() for name in Settings.model_fields if name != "oidc"]
    sentences = []
    for name in sorted(name.upper() for name in names):
        if name in known or is_provider_variable(name):
            continue
        if name.startswith("OIDC_"):
            sentences.append(f"{name} is no setting: a provider has OIDC_<NAME>_ISSUER, _CLIENT_ID and _CLIENT_SECRET.")
            continue
        least = OTEL_SIMILARITY if name.startswith("OTEL_") else SIMILARITY
        if similar := difflib.get_close_matches(name.removeprefix("PLANNER_"), known, 1, least):
            sentences.append(f"{name} is no setting; do you mean {similar[0]}?")
    return sentences


def pass_on_otel_variables() -> None:
    """Put the OTEL_ variables of `.env` into the environment, where OpenTelemetry reads them; remove empty ones."""
    for name in [name for name, value in os.environ.items() if name.startswith("OTEL_") and not value]:
        del os.environ[name]
    for name, value in DotEnvSettingsSource(Settings).env_vars.items():
        if name.upper().startswith("OTEL_") and value:
            os.environ.setdefault(name.upper(), value)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _explain(kind: str, message: str, limits: dict[str, Any]) -> str:
    """Return what a value must be, by the error of Pydantic, without the value."""
    return _SAID[kind].format(**limits) if kind in _SAID else message.removeprefix("Value error, ")


def load(**overrides: object) -> Settings:
    """Return the settings from the environment and `.env`.

    Raises `ConfigurationError` naming each variable that is not valid, without its value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except UnicodeDecodeError:
        raise ConfigurationError(".env is not UTF-8 text. Save it as UTF-8.") from None
    except ValidationError as error:
        lines = [
            f"{'_'.join(str(part) for part in problem['loc']).upper()}: "
            + _explain(problem["type"], problem["msg"], problem.get("ctx", {}))
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("The settings are not valid. " + "; ".join(lines)) from None

"""The OpenID Connect providers among the settings: `OIDC_<NAME>_ISSUER`, `_CLIENT_ID` and so on."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

# Providers whose issuer everybody knows.
ISSUERS = {"google": "https://accounts.google.com"}
NAME = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
_VARIABLE = re.compile(r"oidc_(.+)_(issuer|client_id|client_secret|response_mode)", re.IGNORECASE)
_NOT_IN_AN_ISSUER = re.compile(r"[^!-~]|[?#@\\]")


class OidcProviderSettings(BaseModel):
    """One provider: its issuer, and the planner's credentials there."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: str
    client_id: str = Field(min_length=1, pattern=r"^[ -~]+$")
    client_secret: SecretStr
    response_mode: Literal["query", "form_post"] | None = None

    @field_validator("issuer")
    @classmethod
    def _issuer_is_an_address(cls, value: str) -> str:
        if _NOT_IN_AN_ISSUER.search(value) or not is_safe(value):
            raise ValueError("must be an https:// address, or http:// on a loopback address, without ? and #")
        return value


class OidcSettingsSource(PydanticBaseSettingsSource):
    """A settings source that reads providers from the environment and `.env`; the environment wins."""

    def __init__(self, settings: type[BaseSettings], *variables: Mapping[str, str | None]) -> None:
        super().__init__(settings)
        self._variables = variables

    def __call__(self) -> dict[str, Any]:
        """Return the value of the field `oidc`."""
        merged = {name: value for variables in reversed(self._variables) for name, value in variables.items()}
        return {"oidc": providers_in(merged)}

    def get_field_value(self, field: FieldInfo, field_name: str) -> NoReturn:
        """Raise `NotImplementedError`: `__call__` returns everything."""
        raise NotImplementedError


def providers_in(variables: Mapping[str, str | None]) -> dict[str, dict[str, str]]:
    """Return the settings of each provider by its name; an empty variable counts as unset."""
    found: dict[str, dict[str, str]] = {}
    for variable, value in variables.items():
        if value and (match := _VARIABLE.fullmatch(variable)):
            name, part = match.group(1).lower(), match.group(2).lower()
            found.setdefault(name, {})[part] = value
    for name, issuer in ISSUERS.items():
        if name in found:
            found[name].setdefault("issuer", issuer)
    return found


def is_provider_variable(name: str) -> bool:
    """Return whether a variable is a setting of a provider."""
    return _VARIABLE.fullmatch(name) is not None


def check_names(providers: Mapping[str, OidcProviderSettings]) -> None:
    """Raise `ValueError` for a name that cannot be part of a path."""
    for name in providers:
        if not NAME.fullmatch(name):
            raise ValueError(f"the name of a provider has letters and digits only, and 32 at most: {name.upper()}")


def is_safe(url: str) -> bool:
    """Return whether a connection to this address is protected: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

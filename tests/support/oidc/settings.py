"""The settings of a planner with providers."""

from planner.oidc_settings import OidcProviderSettings
from tests.support.oidc.provider import RunningProvider


def known_providers(process: RunningProvider) -> dict[str, OidcProviderSettings]:
    """Return the settings of a provider that responds, `acme`, and of one that does not, `gone`."""
    addresses = {"acme": process.issuer, "gone": "http://127.0.0.1:1"}
    return {
        name: OidcProviderSettings.model_validate(process.settings | {"issuer": issuer})
        for name, issuer in addresses.items()
    }

"""The identities of an account, as they are sent, and the request that links one."""

import hashlib
from typing import Annotated

from pydantic import ConfigDict, Field

from models.accounts.user import ProviderIdentity
from models.shared.fields import PasswordAttempt
from models.shared.schema import Reply, Request

# The largest number of identities of one account.
MAX_IDENTITIES = 20


def id_of(identity: ProviderIdentity) -> str:
    """Return the id of an identity: 24 hexadecimal digits, which are derived from its issuer and subject."""
    return hashlib.sha256(f"{identity['issuer']}\0{identity['subject']}".encode()).hexdigest()[:24]


class IdentityRead(Reply):
    """An account at an OpenID Connect provider that is linked to yours: with it, you can sign in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "692000000000000000000006",
                    "provider": "google",
                    "issuer": "https://accounts.google.com",
                    "subject": "110169484474386276334",
                }
            ]
        }
    )

    id: str
    provider: Annotated[
        str | None, Field(description="The name of the provider; null if it is not configured any more.")
    ]
    issuer: Annotated[str, Field(description="The address by which the provider calls itself.")]
    subject: Annotated[str, Field(description="The id of the account at the provider.")]


class IdentityPage(Reply):
    """A page of linked accounts."""

    items: list[IdentityRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]


class LinkRequest(Request):
    """Where the browser returns to after linking, and the proof of who asks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"current_password": "long-enough and unusual"}]})

    current_password: Annotated[
        PasswordAttempt | None, Field(description="Not needed within 15 minutes after a sign-in.")
    ] = None
    redirect_uri: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="The page to which the browser returns, as for a sign-in. Without it, the callback returns "
            "the linked account as JSON.",
        ),
    ] = None
    state: Annotated[
        str | None,
        Field(max_length=1024, pattern=r"^[ -~]*$", description="Any value of the page; it is sent back unchanged."),
    ] = None


class LinkRead(Reply):
    """The address of a provider."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"authorization_url": "https://accounts.google.com/o/oauth2/v2/auth?…"}]}
    )

    authorization_url: Annotated[str, Field(description="The address to which to send the browser.")]

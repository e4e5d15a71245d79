"""Signing in with a provider: what is kept while somebody is away at one, and until they redeem their code."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field

from database.documents import StoredDocument
from database.queries import Id, Stored, index
from database.reads import decode, page
from database.writes import Delete, Insert, InsertStored
from models.shared.schema import Reply
from planner.domain.pkce import CODE_PATTERN

LOGIN_LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=1)


class OidcLoginAttempt(StoredDocument):
    """Somebody who was sent to a provider and is to come back, under the hash of our `state`.

    `browser` is the hash of what only their browser holds. The last three say who sent
    them: the page they go back to, its own `state`, and its challenge (RFC 7636).
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    provider: str
    browser: str
    nonce: str
    verifier: str
    redirect_uri: str | None
    page_state: str | None
    code_challenge: str | None
    expires_at: datetime

    class Settings:
        """Where they are stored; the server itself removes them when their time is over."""

        name = "oidc_login_attempts"
        indexes: ClassVar = [index("expires_at", name="expired", expireAfterSeconds=0)]

    @classmethod
    def beginning(cls, stored: Stored, now: datetime) -> Insert:
        """The write that remembers who went to a provider."""
        return InsertStored(cls, stored | {"expires_at": now + LOGIN_LIFETIME})

    @classmethod
    async def standing(cls, digest: str, provider: str, browser: str, now: datetime) -> Stored | None:
        """What is remembered, if it is of this provider and this browser, and not over."""
        match = {"_id": digest, "provider": provider, "browser": browser, "expires_at": {"$gt": now}}
        found = await page(cls, match, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    def use(cls, digest: str) -> Delete:
        """The write that uses it up; refused when somebody else has."""
        return Delete(cls, {"_id": digest})


class AuthorizationCode(StoredDocument):
    """An authorization code of ours (RFC 6749 §4.1.2), under its hash."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    user: PydanticObjectId
    provider: str
    redirect_uri: str
    code_challenge: str
    expires_at: datetime

    class Settings:
        """Where they are stored; the server itself removes them when their time is over."""

        name = "authorization_codes"
        indexes: ClassVar = [index("expires_at", name="expired", expireAfterSeconds=0)]

    @classmethod
    def issue(cls, digest: str, user: Id, login: Stored, now: datetime) -> Insert:
        """The write that makes a code good, for the page that sent somebody to a provider."""
        return InsertStored(
            cls,
            {
                "_id": digest,
                "user": user,
                "provider": login["provider"],
                "redirect_uri": login["redirect_uri"],
                "code_challenge": login["code_challenge"],
                "expires_at": now + CODE_LIFETIME,
            },
        )

    @classmethod
    async def good(cls, digest: str, now: datetime) -> Stored | None:
        """The code, if it is still good."""
        found = await page(cls, {"_id": digest, "expires_at": {"$gt": now}}, None, 1)
        return decode(found[0]) if found else None

    @classmethod
    def use(cls, digest: str) -> Delete:
        """The write that uses the code up; refused when somebody else has."""
        return Delete(cls, {"_id": digest})


class SignInQuery(BaseModel):
    """The page to which the browser returns, and its code challenge (RFC 7636)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    redirect_uri: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="The page to which the browser returns, on the origin of PUBLIC_URL or one of CORS_ORIGINS. "
            "Without it, the callback returns the tokens as JSON.",
            examples=["https://app.example.com/signed-in"],
        ),
    ] = None
    state: Annotated[
        str | None,
        Field(max_length=1024, pattern=r"^[ -~]*$", description="Any value of the page; it is sent back unchanged."),
    ] = None
    code_challenge: Annotated[
        str | None,
        Field(
            pattern=f"^{CODE_PATTERN.pattern}$",
            description="The SHA-256 digest of the page's `code_verifier` in base64url. Required with `redirect_uri`.",
            examples=["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
        ),
    ] = None
    code_challenge_method: Annotated[
        Literal["S256"] | None, Field(description="Required with `redirect_uri`: `S256`.")
    ] = None


class CallbackQuery(BaseModel):
    """The parameters that a provider sends (RFC 6749 §4.1.2, RFC 9207)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    state: Annotated[
        str | None,
        Field(
            max_length=200,
            pattern=r"^[ -~]*$",
            description="The state with which the browser was sent to the provider.",
        ),
    ] = None
    code: Annotated[
        str | None, Field(max_length=4096, pattern=r"^[ -~]*$", description="The authorization code of the provider.")
    ] = None
    error: Annotated[
        str | None,
        Field(max_length=200, pattern=r"^[ -~]*$", description="The error code, if the provider refused to sign in."),
    ] = None
    iss: Annotated[
        str | None, Field(max_length=2000, pattern=r"^[ -~]*$", description="The issuer of the provider (RFC 9207).")
    ] = None


class ProviderRead(Reply):
    """An OpenID Connect provider."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "google", "signin": "https://planner.example.com/api/v1/auth/google/signin"}]
        }
    )

    name: Annotated[str, Field(description="The name of the provider, as it is in paths.")]
    signin: Annotated[str, Field(description="The address to which to send the browser.")]


class ProviderPage(Reply):
    """A page of providers, sorted by name."""

    items: list[ProviderRead]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, or null.")]

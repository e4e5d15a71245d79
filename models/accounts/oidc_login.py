"""Sign-in with an OpenID Connect provider: attempts, authorization codes, query parameters."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from beanie import PydanticObjectId
from pydantic import ConfigDict, Field

from database.documents import StoredDocument
from database.queries import Id, index
from database.reads import find_one
from database.writes import Delete
from models.shared.schema import Query, Reply
from planner.domain.pkce import CODE_PATTERN

LOGIN_LIFETIME = timedelta(minutes=10)
CODE_LIFETIME = timedelta(minutes=1)


class OidcLoginAttempt(StoredDocument):
    """A sign-in that was started and not finished yet, under the hash of the `state` that we sent to the provider.

    `browser` is the hash of a secret that only the browser of this person has, in a cookie. The fields from
    `redirect_uri` on come from the page that started the sign-in, if a page did: where the browser returns to, the
    page's own `state`, and its code challenge (RFC 7636). With `user`, the identity is to be linked to this account
    as long as its `session` goes on, and nobody is signed in.
    """

    id: str = Field(alias="_id")  # type: ignore[assignment]
    provider: str
    browser: str
    nonce: str
    verifier: str
    user: PydanticObjectId | None = None
    session: PydanticObjectId | None = None
    redirect_uri: str | None
    page_state: str | None
    code_challenge: str | None
    expires_at: datetime

    class Settings:
        """The collection and its index; the server deletes expired attempts."""

        name = "oidc_login_attempts"
        indexes: ClassVar = [index("user", name="user"), index("expires_at", name="expired", expireAfterSeconds=0)]

    @classmethod
    async def find_pending(cls, digest: str, provider: str, browser: str, now: datetime) -> "OidcLoginAttempt | None":
        """Return the attempt with this hash, if it was made with this provider and browser and has not expired."""
        return await find_one(
            cls, {cls.id: digest, cls.provider: provider, cls.browser: browser, cls.expires_at: {"$gt": now}}
        )

    @classmethod
    def delete_write(cls, digest: str) -> Delete:
        """Return the write that uses an attempt up; refused when it has been used up already."""
        return Delete(cls, {cls.id: digest})

    @classmethod
    def delete_all_write(cls, user: Id) -> Delete:
        """Return the write that ends all attempts to link an identity to the account of a user."""
        return Delete(cls, {cls.user: user}, many=True)


class AuthorizationCode(StoredDocument):
    """An authorization code that we issued to a page (RFC 6749 §4.1.2), under its hash."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    user: PydanticObjectId
    provider: str
    redirect_uri: str
    code_challenge: str
    expires_at: datetime

    class Settings:
        """The collection and its index; the server deletes expired codes."""

        name = "authorization_codes"
        indexes: ClassVar = [index("user", name="user"), index("expires_at", name="expired", expireAfterSeconds=0)]

    @classmethod
    async def find_valid(cls, digest: str, now: datetime) -> "AuthorizationCode | None":
        """Return the code with this hash, if it was neither used nor has expired."""
        return await find_one(cls, {cls.id: digest, cls.expires_at: {"$gt": now}})

    @classmethod
    def delete_write(cls, digest: str) -> Delete:
        """Return the write that uses a code up; refused when it has been used up already."""
        return Delete(cls, {cls.id: digest})

    @classmethod
    def delete_all_write(cls, user: Id) -> Delete:
        """Return the write that invalidates all codes for a user."""
        return Delete(cls, {cls.user: user}, many=True)


class SignInQuery(Query):
    """The page to which the browser returns, and its code challenge (RFC 7636)."""

    redirect_uri: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="The page to which the browser returns, on the origin of PUBLIC_URL or one of CORS_ORIGINS; "
            "or a native app at http://127.0.0.1 or http://[::1] with any port, or with a scheme of APP_SCHEMES (RFC "
            "8252). Without it, the callback returns the tokens as JSON.",
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


class CallbackQuery(Query):
    """The parameters that a provider sends (RFC 6749 §4.1.2, RFC 9207)."""

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

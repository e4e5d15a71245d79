"""The responses that carry or describe tokens: of the token endpoint, of a sign-in, of introspection."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from models.accounts.user import EXAMPLE as USER_EXAMPLE
from models.accounts.user import UserRead
from models.shared.schema import Reply, is_none

EXAMPLE: dict[str, Any] = {
    "access_token": "eyJhbGciOi…",
    "token_type": "Bearer",
    "expires_in": 900,
    "refresh_token": "planner_rt_…",
}


class TokensRead(Reply):
    """The tokens of a session (RFC 6749 §5.1)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    access_token: Annotated[str, Field(description="Send it as `Authorization: Bearer …`.")]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="The lifetime of the access token, in seconds.")]
    refresh_token: Annotated[str, Field(description="For new tokens; it is replaced by the one that comes with them.")]
    scope: Annotated[
        str | None,
        Field(description="The scopes of the tokens; absent when they have all rights.", exclude_if=is_none),
    ] = None


class SignedInRead(TokensRead):
    """The tokens of a session, and its account."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"user": USER_EXAMPLE}]})

    user: UserRead


class ServerMetadata(Reply):
    """What a client of OAuth 2.0 needs to know of this planner (RFC 8414 §2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "issuer": "https://planner.example.com",
                    "token_endpoint": "https://planner.example.com/api/v1/auth/token",
                    "revocation_endpoint": "https://planner.example.com/api/v1/auth/revoke",
                    "introspection_endpoint": "https://planner.example.com/api/v1/auth/introspect",
                    "scopes_supported": ["events:read", "events:write", "account:read"],
                    "response_types_supported": ["code"],
                    "grant_types_supported": ["password", "refresh_token"],
                    "token_endpoint_auth_methods_supported": ["none"],
                    "revocation_endpoint_auth_methods_supported": ["none"],
                    "introspection_endpoint_auth_methods_supported": ["Bearer"],
                    "code_challenge_methods_supported": ["S256"],
                    "service_documentation": "https://planner.example.com/docs",
                }
            ]
        }
    )

    issuer: Annotated[str, Field(description="The address of this planner, as access tokens name it in `iss`.")]
    authorization_endpoint: Annotated[
        str | None,
        Field(
            description="Where a sign-in with the first OpenID Connect provider begins; `GET /auth/providers` lists "
            "all. Absent without providers.",
            exclude_if=is_none,
        ),
    ] = None
    token_endpoint: Annotated[str, Field(description="Issues tokens.")]
    revocation_endpoint: Annotated[str, Field(description="Revokes tokens (RFC 7009).")]
    introspection_endpoint: Annotated[str, Field(description="Describes tokens (RFC 7662).")]
    scopes_supported: Annotated[list[str], Field(description="The scopes of tokens.")]
    response_types_supported: Annotated[list[str], Field(description="The kind of sign-in with a provider.")]
    grant_types_supported: Annotated[list[str], Field(description="The grants that the token endpoint takes.")]
    token_endpoint_auth_methods_supported: Annotated[list[str], Field(description="Clients have no secret.")]
    revocation_endpoint_auth_methods_supported: Annotated[list[str], Field(description="Clients have no secret.")]
    introspection_endpoint_auth_methods_supported: Annotated[
        list[str], Field(description="Introspection needs an access token.")
    ]
    code_challenge_methods_supported: Annotated[list[str], Field(description="The transformations of PKCE (RFC 7636).")]
    service_documentation: Annotated[str, Field(description="The API page.")]


class IntrospectionRead(Reply):
    """The state of a token (RFC 7662 §2.2). A token that is not active, or not yours, has only the field `active`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "active": True,
                    "token_type": "Bearer",
                    "username": "ada",
                    "sub": "692000000000000000000000",
                    "iss": "https://planner.example.com",
                    "aud": "planner",
                    "iat": 1795251600,
                    "exp": 1795252500,
                    "jti": "b3Vycw",
                    "sid": "692000000000000000000002",
                },
                {"active": False},
            ]
        }
    )

    active: bool
    scope: Annotated[
        str | None, Field(description="The scopes of the token; absent when it has all rights.", exclude_if=is_none)
    ] = None
    username: Annotated[
        str | None, Field(description="The username of the account, or its e-mail address.", exclude_if=is_none)
    ] = None
    token_type: Annotated[str | None, Field(description="`Bearer`, or `refresh_token`.", exclude_if=is_none)] = None
    exp: Annotated[
        int | None, Field(description="When the token expires, in seconds since 1970.", exclude_if=is_none)
    ] = None
    iat: Annotated[
        int | None, Field(description="When the token was issued, in seconds since 1970.", exclude_if=is_none)
    ] = None
    sub: Annotated[str | None, Field(description="The id of the account.", exclude_if=is_none)] = None
    aud: Annotated[str | None, Field(description="The audience of an access token.", exclude_if=is_none)] = None
    iss: Annotated[str | None, Field(description="The issuer: this planner.", exclude_if=is_none)] = None
    jti: Annotated[str | None, Field(description="The id of an access token.", exclude_if=is_none)] = None
    sid: Annotated[str | None, Field(description="The id of the session.", exclude_if=is_none)] = None

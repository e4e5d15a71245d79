"""Stock clients of OAuth 2.0 sign in with a password, refresh, and find the endpoints by the metadata."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from httpx_oauth.oauth2 import OAuth2
from oauthlib.oauth2 import LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from tests.support.clients import PASSWORD, ok
from tests.support.servers import RunningServer

pytestmark = pytest.mark.real_server("it is a process of its own")


@pytest.fixture
def email(server: RunningServer) -> str:
    """Return the address of a new account."""
    address = f"ada{uuid4().hex}@example.com"
    ok(httpx.post(f"{server.url}/auth/signup", json={"email": address, "password": PASSWORD}), 201)
    return address


@pytest.fixture
def metadata(server: RunningServer) -> dict[str, Any]:
    """Return what the planner says of itself (RFC 8414)."""
    found: dict[str, Any] = ok(httpx.get(f"{server.root}/.well-known/oauth-authorization-server"))
    return found


def test_the_metadata_is_valid_and_names_addresses_that_are_there(
    server: RunningServer, metadata: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The standard demands https, which a planner on this machine does not have.
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "true")
    validated = AuthorizationServerMetadata(metadata)
    for key in AuthorizationServerMetadata.REGISTRY_KEYS:
        if key not in ("issuer", "token_endpoint") and key in metadata:
            getattr(validated, f"validate_{key}", lambda: None)()
    assert metadata["issuer"] == server.root
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert httpx.post(metadata[name]).status_code in (400, 401)
    assert httpx.get(metadata["service_documentation"]).status_code == 200


@pytest.mark.parametrize("scope", [None, "openid offline_access", "events:read"])
async def test_authlib_signs_in_refreshes_and_revokes(
    server: RunningServer, metadata: dict[str, Any], email: str, scope: str | None
) -> None:
    endpoint = metadata["token_endpoint"]
    async with AsyncOAuth2Client("my-app", token_endpoint_auth_method="none", scope=scope) as client:
        first = dict(await client.fetch_token(endpoint, username=email, password=PASSWORD, grant_type="password"))
        assert (await client.get(f"{server.url}/events")).status_code == 200
        second = dict(await client.refresh_token(endpoint, refresh_token=first["refresh_token"]))
        assert second["refresh_token"] != first["refresh_token"]
        assert (await client.get(f"{server.url}/events")).status_code == 200
        answer = await client.revoke_token(metadata["revocation_endpoint"], token=second["refresh_token"])
        assert answer.status_code == 200


async def test_authlib_refreshes_an_expired_token_by_itself(
    server: RunningServer, metadata: dict[str, Any], email: str
) -> None:
    endpoint = metadata["token_endpoint"]
    async with AsyncOAuth2Client(token_endpoint=endpoint, token_endpoint_auth_method="none") as client:
        token = await client.fetch_token(endpoint, username=email, password=PASSWORD)
        client.token = dict(token) | {"expires_at": 1}
        answers = await asyncio.gather(*(client.get(f"{server.url}/users/me") for _ in range(5)))
        assert [ok(answer)["email"] for answer in answers] == [email] * 5
        assert client.token["refresh_token"] != token["refresh_token"]


@pytest.mark.parametrize("scope", [None, ["openid", "offline_access"], ["events:read"]])
def test_requests_oauthlib_signs_in_and_refreshes(
    server: RunningServer,
    metadata: dict[str, Any],
    email: str,
    scope: list[object] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    endpoint = metadata["token_endpoint"]
    with OAuth2Session(client=LegacyApplicationClient("my-app", scope=scope)) as session:
        first = session.fetch_token(endpoint, username=email, password=PASSWORD)
        assert session.get(f"{server.url}/events").status_code == 200
        # It asks for the scope of the session again.
        second = session.refresh_token(endpoint, first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        assert session.get(f"{server.url}/events").status_code == 200


@pytest.fixture
def signed_in(server: RunningServer, email: str) -> dict[str, Any]:
    """Return the tokens of a sign-in."""
    tokens: dict[str, Any] = ok(httpx.post(f"{server.url}/auth/signin", json={"email": email, "password": PASSWORD}))
    return tokens


async def test_httpx_oauth_refreshes_and_revokes(
    server: RunningServer, metadata: dict[str, Any], email: str, signed_in: dict[str, Any]
) -> None:
    # It has no grant for passwords: its first token is that of a sign-in.
    endpoint, latest = metadata["token_endpoint"], signed_in
    for method in ("client_secret_post", "client_secret_basic"):
        client = OAuth2(
            "my-app",
            "no secret",
            f"{server.url}/auth/providers",
            endpoint,
            refresh_token_endpoint=endpoint,
            revoke_token_endpoint=metadata["revocation_endpoint"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )
        latest = dict(await client.refresh_token(latest["refresh_token"]))
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {latest['access_token']}"}) as http:
            assert ok(await http.get(f"{server.url}/users/me"))["email"] == email
    await client.revoke_token(latest["refresh_token"], "refresh_token")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {latest['access_token']}"}) as http:
        assert (await http.get(f"{server.url}/users/me")).status_code == 401

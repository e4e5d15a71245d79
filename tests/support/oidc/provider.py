"""A small OpenID provider, to sign in with by hand and in tests: `python -m tests.support.oidc.provider`.

It signs its own tokens with keys it makes at start, knows one client, and lets everybody in
without asking: whoever `login_hint` names, or else Grace. It shares no code with what it tests.

`POST /control` takes JSON: `users` (claims under a name, to be named by `login_hint`), `faults` (what it does
wrong from now on, see `FAULTS`), `algorithm` (RS256, PS256 or ES256), `rotate` (a new key of each kind);
`GET /control` answers how often each path was asked for.
"""

import argparse
import base64
import gzip
import hashlib
import json
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import httpx

from tests.support.oidc.keys import Keys, b64

CLIENT_ID = "planner"
# It holds what a client has to encode before it sends it (RFC 6749 §2.3.1).
CLIENT_SECRET = "a secret: 100% safe + sound"
GRACE: dict[str, Any] = {"sub": "grace-1", "email": "grace@example.com", "email_verified": True, "name": "Grace Hopper"}
LIFETIME = 300
FAULTS = frozenset(
    (  # of ID tokens
        "wrong_iss", "wrong_aud", "many_audiences", "wrong_azp", "wrong_nonce", "no_nonce", "expired", "no_exp",
        "from_the_future", "no_iat", "no_sub", "wrong_hash", "alg_none", "hs256", "foreign_key", "unknown_kid",
        "no_kid", "bad_signature", "short_key", "not_a_token", "deep_json",
        "no_id_token", "userinfo_only", "userinfo_of_another", "verified_in_userinfo",
        # of the way back
        "deny", "unavailable", "iss_parameter", "wrong_iss_parameter",
        # of answers
        "slow", "huge", "compressed", "not_json", "failing", "invalid_client", "secret_in_body",
        # of discovery
        "other_issuer", "no_discovery", "insecure_endpoint", "only_hs256", "only_form_post",
    )
)  # fmt: skip


class Grant(NamedTuple):
    """What a code stands for."""

    claims: dict[str, Any]
    redirect_uri: str
    nonce: str
    challenge: str


class Provider:
    """What the provider knows."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.keys = Keys()
        self.algorithm = "RS256"
        self.faults: frozenset[str] = frozenset()
        self.users: dict[str, dict[str, Any]] = {"grace": GRACE}
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()

    def discovery(self) -> dict[str, Any]:
        scheme = (
            self.issuer.replace("127.0.0.1", "provider.test") if "insecure_endpoint" in self.faults else self.issuer
        )
        return {
            "issuer": "https://other.example.com" if "other_issuer" in self.faults else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{scheme}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256", "none"]
            if "only_hs256" in self.faults
            else ["RS256", "PS256", "ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"]
            if "secret_in_body" in self.faults
            else ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        } | (
            ({"authorization_response_iss_parameter_supported": True} if "iss_parameter" in self.faults else {})
            | ({"response_modes_supported": ["form_post"]} if "only_form_post" in self.faults else {})
        )

    def jwks(self) -> dict[str, Any]:
        keys: list[Any] = self.keys.published()
        if "no_kid" in self.faults:
            return {"keys": [{name: value for name, value in keys[0].items() if name != "kid"}]}
        # What a client must ignore: a kind of key from the future, one that is broken, one for encryption, a short one.
        others: list[Any] = [
            {"kty": "LATTICE", "kid": "future"},
            {"kty": "RSA", "kid": "broken"},
            {**keys[0], "use": "enc", "kid": "encryption"},
            self.keys.published_short(),
            "no key at all",
        ]
        return {"keys": others + keys}

    def authorize(self, query: dict[str, str]) -> str:
        """Where to send the browser; raises `ValueError` for a request that a provider must not follow."""
        required = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
        for name, value in required.items():
            if query.get(name) != value:
                raise ValueError(f"{name} must be {value}")
        if not {"openid", "email", "profile"} <= set(query.get("scope", "").split()):
            raise ValueError("scope must be openid email profile")
        for name in ("redirect_uri", "state", "nonce", "code_challenge"):
            if len(query.get(name, "")) < 20:
                raise ValueError(f"{name} is missing or too easily guessed")
        back = {"state": query["state"]}
        if "iss_parameter" in self.faults:
            back["iss"] = self.issuer
        if "wrong_iss_parameter" in self.faults:
            back["iss"] = "https://other.example.com"
        if "deny" in self.faults:
            back |= {"error": "access_denied", "error_description": "The user said no."}
        elif "unavailable" in self.faults:
            back |= {"error": "temporarily_unavailable"}
        else:
            code = secrets.token_urlsafe(24)
            claims = self.users[query.get("login_hint", "grace")]
            self.codes[code] = Grant(claims, query["redirect_uri"], query["nonce"], query["code_challenge"])
            # Providers send more than they must.
            back |= {"code": code, "session_state": "whatever"}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer to a token request, with its status."""
        if "secret_in_body" in self.faults:
            shown = form.get("client_id", ""), form.get("client_secret", "")
        else:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            client_id, _, secret = pair.partition(":")
            shown = unquote_plus(client_id), unquote_plus(secret)
        if shown != (CLIENT_ID, CLIENT_SECRET) or "invalid_client" in self.faults:
            return 401, {"error": "invalid_client"}
        grant = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        if (
            form.get("grant_type") != "authorization_code"
            or grant is None
            or grant.redirect_uri != form.get("redirect_uri")
            or b64(hashlib.sha256(verifier.encode()).digest()) != grant.challenge
        ):
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(24)
        self.access[access] = grant.claims | ({"sub": "another"} if "userinfo_of_another" in self.faults else {})
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 30, "scope": "openid email profile"}
        if "no_id_token" in self.faults:
            return 200, answer
        return 200, answer | {"id_token": self.id_token(grant, access)}

    def id_token(self, grant: Grant, access: str) -> str:
        faults, now = self.faults, int(time.time())
        if "not_a_token" in faults:
            return "three.parts.only"
        claims = grant.claims | {
            "iss": "https://other.example.com" if "wrong_iss" in faults else self.issuer,
            "aud": "somebody-else" if "wrong_aud" in faults else CLIENT_ID,
            "iat": now + 3600 if "from_the_future" in faults else now,
            "exp": now - 3600 if "expired" in faults else now + LIFETIME,
            "nonce": "x" * 43 if "wrong_nonce" in faults else grant.nonce,
            "at_hash": b64(hashlib.sha256(b"x" if "wrong_hash" in faults else access.encode()).digest()[:16]),
        }
        if "many_audiences" in faults:
            claims["aud"] = [CLIENT_ID, "somebody-else"]
        if "wrong_azp" in faults:
            claims |= {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"}
        if "verified_in_userinfo" in faults:
            claims = {name: value for name, value in claims.items() if name not in ("email_verified", "name")}
        if faults & {"userinfo_only", "userinfo_of_another"}:
            claims = {name: value for name, value in claims.items() if name not in ("email", "email_verified", "name")}
        missing = {"no_nonce": "nonce", "no_exp": "exp", "no_iat": "iat", "no_sub": "sub"}
        for fault in faults & missing.keys():
            del claims[missing[fault]]
        algorithm = "none" if "alg_none" in faults else "HS256" if "hs256" in faults else self.algorithm
        header: dict[str, Any] = {"alg": algorithm, "typ": "JWT", "pi.atm": "a parameter of its own"}
        if "no_kid" not in faults:
            header["kid"] = self.key_id(algorithm)
        data = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        if "deep_json" in faults:
            data = f"{data.partition('.')[0]}.{b64(b'[' * 20_000)}"
        keys = Keys() if "foreign_key" in faults else self.keys
        signature = keys.sign("short" if "short_key" in faults else algorithm, data.encode())
        if "bad_signature" in faults:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return f"{data}.{b64(signature)}"

    def key_id(self, algorithm: str) -> str:
        if "unknown_kid" in self.faults:
            return secrets.token_hex(4)
        if "short_key" in self.faults:
            return self.keys.short_id
        return self.keys.ec_id if algorithm == "ES256" else self.keys.rsa_id

    def control(self, changes: dict[str, Any]) -> None:
        """Change what the provider does from now on. Raises ValueError for an unknown fault."""
        faults = frozenset(changes.get("faults", self.faults))
        if not faults <= FAULTS:
            raise ValueError(f"no such fault: {', '.join(faults - FAULTS)}")
        self.faults = faults
        self.users |= changes.get("users", {})
        self.algorithm = changes.get("algorithm", self.algorithm)
        if changes.get("rotate"):
            self.keys = Keys()


class Handler(BaseHTTPRequestHandler):
    """The provider over HTTP."""

    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        provider, faults = self.provider, self.provider.faults
        provider.asked[parts.path] += 1
        match parts.path:
            case "/.well-known/openid-configuration" if "no_discovery" not in faults:
                self._misbehaving(200, provider.discovery())
            case "/jwks":
                self._misbehaving(200, provider.jwks())
            case "/authorize":
                try:
                    self._redirect(provider.authorize(query))
                except ValueError as error:
                    self._json(400, {"error": "invalid_request", "error_description": str(error)})
            case "/userinfo":
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                if token in provider.access:
                    self._json(200, provider.access[token])
                else:
                    self._json(401, {"error": "invalid_token"})
            case "/control":
                self._json(200, dict(provider.asked))
            case _:
                self._json(404, {"error": "not_found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.provider.asked[self.path] += 1
        match self.path:
            case "/token":
                form = {name: values[-1] for name, values in parse_qs(body).items()}
                self._misbehaving(*self.provider.token(form, self.headers.get("Authorization", "")))
            case "/control":
                self.provider.control(json.loads(body))
                self._json(200, {})
            case _:
                self._json(404, {"error": "not_found"})

    def _misbehaving(self, status: int, value: Any) -> None:
        """Answer, or do what the faults of the moment say."""
        faults = self.provider.faults
        if "slow" in faults:
            # A byte now and then: no single wait is long.
            self._head(200, "application/json", 1000)
            for _ in range(100):
                time.sleep(0.25)
                self.wfile.write(b" ")
                self.wfile.flush()
        elif "huge" in faults:
            # Right in everything but its size.
            self._json(status, value | {"padding": "x" * 1_000_000})
        elif "compressed" in faults:
            # Small on the way, and huge when it is unpacked; but for that, right.
            body = json.dumps(value | {"padding": "x" * 1_000_000}).encode()
            self._raw(status, gzip.compress(body), {"Content-Encoding": "gzip"})
        elif "not_json" in faults:
            self._raw(200, b"<html>Try again later</html>")
        elif "failing" in faults:
            self._json(503, {"error": "busy"})
        else:
            self._json(status, value)

    def _json(self, status: int, value: Any) -> None:
        self._raw(status, json.dumps(value).encode())

    def _raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(status, "application/json", len(body), headers)
        self.wfile.write(body)

    def _head(self, status: int, kind: str, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: it is asked often, and with secrets."""

    def handle(self) -> None:
        with suppress(ConnectionResetError, BrokenPipeError):  # Whoever asked had enough.
            super().handle()


class Server(ThreadingHTTPServer):
    """Many at once, and no waiting for them at the end."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class RunningProvider:
    """A provider process, as tests see it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.settings = {"issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    def control(self, **wanted: Any) -> None:
        httpx.post(f"{self.issuer}/control", json=wanted).raise_for_status()

    def asked(self, path: str) -> int:
        """How often it was asked for a path."""
        found = httpx.get(f"{self.issuer}/control").json()
        return int(found.get(path, 0))

    def knows(self, login: str, /, **claims: Any) -> str:
        """Make it know somebody, to be named by `login_hint`; answers that."""
        self.control(users={login: {"sub": f"{login}-1"} | claims})
        return login

    def environment(self, name: str) -> dict[str, str]:
        """The settings of a planner that lets people sign in with it."""
        return {f"OIDC_{name.upper()}_{part.upper()}": value for part, value in self.settings.items()}


@contextmanager
def running_provider() -> Iterator[RunningProvider]:
    """A provider that runs for the time being, as a process of its own."""
    command = [sys.executable, "-m", "tests.support.oidc.provider", "--port", "0", "--until-eof"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield RunningProvider(process.stdout.readline().split()[-1])
        finally:
            process.terminate()


def _end_with_stdin(server: Server) -> None:
    # Whoever started it holds the other end, and lets go of it even when killed.
    sys.stdin.read()
    server.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.oidc.provider", description="A small OpenID provider."
    )
    parser.add_argument("--port", type=int, default=9400)
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Handler)
    issuer = f"http://127.0.0.1:{server.server_port}"
    Handler.provider = Provider(issuer)
    if options.until_eof:
        threading.Thread(target=_end_with_stdin, args=[server], daemon=True).start()
    print(f"The provider is at {issuer}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

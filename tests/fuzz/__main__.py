"""`python -m tests.fuzz`, or `make fuzz`: see the package.

SECONDS (300) says for how long, SEED repeats an earlier run's choices. The exit status is
not 0 when something was found; each finding is printed with a `curl` command that shows it.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from database.embedded.server import EmbeddedMongo
from tests.support.oidc.provider import running_provider
from tests.support.servers import ROOT, RunningServer, running

SECRET = "a key of the fuzzer, and of nothing else: 9c41e2d7"
PASSWORD = "seven lazy herons by the lake"
# Requests that revoke the session they are made with: tried apart, by an account of their own.
SESSION_ENDING_PATHS = (
    "/api/v1/auth/signout",
    "/api/v1/auth/sessions",
    "/api/v1/auth/sessions/{id}",
    "/api/v1/users/{id}/sessions",
)
# How much of the time each kind of caller has. Most is answered to an admin.
SHARES = {"admin": 0.4, "user": 0.3, "anonymous": 0.2, "leaver": 0.1}
# What the schema allows is not all that is acceptable: an end lies after its start. And what a
# creation answered may be gone already, when its Idempotency-Key was used before.
NOT_CHECKED = "positive_data_acceptance,ensure_resource_availability"


def main() -> int:
    """Fuzz; returns the exit status."""
    seconds = int(os.environ.get("SECONDS", "300"))
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    folder = Path(tempfile.mkdtemp(prefix="planner-fuzz-"))
    try:
        with EmbeddedMongo(folder / "mongo") as mongo, running_provider() as provider:
            settings = {
                "DATABASE_URL": mongo.url,
                "SECRET_KEY": SECRET,
                "RATE_LIMITS": "off",
                "ACCESS_TOKEN_MINUTES": "1440",
                **provider.environment("acme"),
            }
            with running(folder / "planner", **settings) as server:
                return _fuzz(server, folder, settings, seconds, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fuzz(server: RunningServer, folder: Path, settings: dict[str, str], seconds: int, seed: int) -> int:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder), **settings}
    status = 0
    for who, share in SHARES.items():
        token = None if who == "anonymous" else _sign_up(server, f"{who}@example.com")
        if who in ("admin", "leaver"):
            # What is known of a token's account is forgotten after two seconds.
            command = [sys.executable, "-m", "planner", "admin", "create", f"{who}@example.com"]
            subprocess.run(command, env=environment, cwd=folder, check=True)
        option = "include" if who == "leaver" else "exclude"
        paths = [f"--{option}-path={path}" for path in SESSION_ENDING_PATHS]
        print(f"\nAs {who}:", flush=True)
        status = _schemathesis(server, token, max(5, int(seconds * share)), seed, folder, paths) or status
    if failures := re.findall(r"^Traceback.*?^\S.*?$", server.output, re.MULTILINE | re.DOTALL):
        print("The planner's own log:", *failures[:5], sep="\n\n")
        status = status or 1
    if status:
        print(f"\nThese choices again: SEED={seed} SECONDS={seconds} make fuzz")
    return status


def _sign_up(server: RunningServer, email: str) -> str:
    """A new account; answers an access token of its."""
    account = {"email": email, "password": PASSWORD}
    httpx.post(f"{server.url}/auth/signup", json=account).raise_for_status()
    answer = httpx.post(f"{server.url}/auth/signin", json=account).raise_for_status()
    return str(answer.json()["access_token"])


def _schemathesis(
    server: RunningServer, token: str | None, seconds: int, seed: int, folder: Path, options: list[str]
) -> int:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{server.root}/openapi.json",
        *([f"--header=Authorization: Bearer {token}"] if token else []),
        f"--max-time={seconds}",
        f"--seed={seed}",
        "--checks=all",
        f"--exclude-checks={NOT_CHECKED}",
        "--continue-on-failure",
        "--suppress-health-check=all",
        "--generation-database=:memory:",
        "--request-timeout=20",
        "--no-color",
        *options,
    ]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())

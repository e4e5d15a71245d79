"""Requests that are counted, and the refusals that must come once there have been too many."""

from datetime import timedelta

import httpx
from fastapi import FastAPI

from tests.support.clients import Planner, sign_in

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
SECOND = timedelta(seconds=1)
WRONG = "not the password at all"


def client_at(app: FastAPI, address: str) -> Planner:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://planner.test/api/v1")


async def guess_passwords(api: Planner, login: str, times: int, password: str = WRONG) -> list[int]:
    return [(await sign_in(api, login, password)).status_code for _ in range(times)]


def assert_limited(response: httpx.Response, within: timedelta) -> int:
    """In how many seconds it may be tried again, from a refusal that must be one."""
    assert response.status_code == 429
    assert response.json()["type"] == "/problems/too-many-requests"
    seconds = int(response.headers["retry-after"])
    assert 0 < seconds <= within.total_seconds()
    return seconds

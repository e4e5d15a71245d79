"""The metrics: who may read them, and that they count right with several workers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tests.conftest import SECRET, url_of
from tests.support.clients import Person, Planner
from tests.support.servers import RunningServer, running
from tests.support.waiting import wait_until

TOKEN = "a token for Prometheus"
METRICS = "http://planner.test/metrics"


def read_samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the samples of a text, by their names and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value_of(text: str, name: str, **labels: str) -> float:
    return read_samples(text).get((name, frozenset(labels.items())), 0)


async def test_a_client_on_the_same_machine_may_read_the_metrics(api: Planner, ada: Person) -> None:
    await ada.event()
    await ada.get("/events")
    response = await api.get(METRICS)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["cache-control"] == "no-store"
    route = {"method": "GET", "route": "/api/v1/events", "status": "200"}
    assert value_of(response.text, "planner_http_request_duration_seconds_count", **route) == 1
    assert value_of(response.text, "planner_queue_length", queue="imports") == 0
    assert [value for (name, _), value in read_samples(response.text).items() if name == "planner_database_up"] == [1]


async def test_sign_ins_are_counted_by_their_results(api: Planner, ada: Person) -> None:
    await api.post("/auth/signin", json={"email": ada.email, "password": "wrong"})
    text = (await api.get(METRICS)).text
    assert value_of(text, "planner_audit_events_total", event="sign-in-failed") == 1


async def test_no_label_has_an_id_or_a_path_that_was_sent(api: Planner, ada: Person) -> None:
    event = await ada.event()
    for path in (f"/events/{event['id']}", "/nothing-like-this", f"/feeds/{event['id']}.ics"):
        await ada.get(path)
    await ada.request("BREW", "/events")
    text = (await api.get(METRICS)).text
    assert event["id"] not in text
    assert ada.id not in text
    assert "nothing-like-this" not in text
    assert "BREW" not in text


async def test_another_machine_may_not_read_the_metrics(app: Any) -> None:
    transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(METRICS)).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_the_clients_of_a_proxy_on_the_same_machine_may_not_read_the_metrics(api: Planner, header: str) -> None:
    assert (await api.get(METRICS, headers={header: "127.0.0.1"})).status_code == 403


class TestWithAToken:
    """With METRICS_TOKEN, the token decides and not the address."""

    @pytest.fixture
    def settings_changes(self) -> dict[str, Any]:
        return {"metrics_token": SecretStr(TOKEN)}

    async def test_the_token_is_needed(self, api: Planner, ada: Person) -> None:
        refused = await api.get(METRICS)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        for wrong in ("", "wrong", TOKEN + "x", ada.token):
            refused = await api.get(METRICS, headers={"Authorization": f"Bearer {wrong}"})
            assert refused.status_code == 401

    async def test_whoever_sends_it_may_read_them(self, app: Any) -> None:
        transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 4000))
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get(METRICS, headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200


@pytest.fixture
def two_workers(mongo_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    database = url_of(mongo_url, f"test_{uuid4().hex[:12]}")
    with running(tmp_path / "data", ["--workers", "2"], DATABASE_URL=database, SECRET_KEY=SECRET) as server:
        yield server


@pytest.mark.real_server("the mock runs in one process")
def test_the_metrics_are_those_of_all_workers_together(two_workers: RunningServer) -> None:
    for _ in range(60):
        # A connection of its own for each, so that both workers serve some.
        assert httpx.get(f"{two_workers.root}/api/v1/events").status_code == 401
    route = {"method": "GET", "route": "/api/v1/events", "status": "401"}

    def is_counted() -> bool:
        text = httpx.get(f"{two_workers.root}/metrics").text
        return value_of(text, "planner_http_request_duration_seconds_count", **route) == 60

    wait_until(is_counted)


@pytest.mark.real_server("the mock writes no log")
def test_the_log_of_a_running_planner_has_a_line_for_each_request(server: RunningServer) -> None:
    httpx.get(f"{server.root}/healthz", headers={"X-Request-ID": "look-for-me"})
    wait_until(lambda: "look-for-me" in server.output)
    (line,) = (line for line in server.output.splitlines() if "look-for-me" in line)
    assert re.search(r'"route":"/healthz","status":200,"milliseconds":[\d.]+,"account":null', line)

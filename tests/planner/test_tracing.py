"""Traces: what a collector receives of requests, and above all what it does not."""

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from planner.cli import main
from planner.errors import ConfigurationError
from planner.settings import Settings, find_misspelt_names, load, pass_on_otel_variables
from planner.startup import check_tracing
from tests.conftest import SECRET, url_of
from tests.support.servers import ROOT, running
from tests.support.waiting import wait_until

pytest.importorskip("opentelemetry.sdk", reason="the packages of requirements-tracing.txt are not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from planner.telemetry import tracing
from tests.planner.trace_receiver import ReceivedSpan, TraceReceiver, trace_receiver

PASSWORD = "seven lazy herons"
TRACE_OF_THE_CLIENT = "0af7651916cd43dd8448eb211c80319c"


class Traced(NamedTuple):
    """What was received and logged of the requests that this module sends."""

    received: TraceReceiver
    lines: list[dict[str, Any]]
    secrets: set[str]

    def of_request(self, request_id: str) -> ReceivedSpan:
        span = self.received.of_request(request_id)
        assert span is not None
        return span


@pytest.fixture(scope="module")
def traced(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """Two workers that have been sent some requests, and have been stopped."""
    folder = tmp_path_factory.mktemp("traced")
    # The standard variables count in .env as well.
    (folder / ".env").write_text("OTEL_SERVICE_NAME=calendar of the tests\nOTEL_BSP_SCHEDULE_DELAY=100\n")
    database = url_of(mongo_url, f"test_{uuid4().hex[:12]}")
    with trace_receiver() as receiver:
        settings = {"DATABASE_URL": database, "SECRET_KEY": SECRET, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        with running(folder / "data", ["--workers", "2"], **settings) as server:
            secrets = send_requests(server.url)
            wait_until(lambda: receiver.of_request("last") is not None)
            server.stop()
            lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
        yield Traced(receiver, lines, secrets)


def send_requests(url: str) -> set[str]:
    """Send requests whose ids begin the alphabet, and return what of them must not be in any trace."""
    with httpx.Client(base_url=url) as client:

        def ask(id: str, method: str, path: str, **more: Any) -> httpx.Response:
            headers = {"X-Request-ID": id} | more.pop("headers", {})
            return client.request(method, path, headers=headers, **more)

        person = {"email": "traced@example.com", "password": PASSWORD, "username": "traced-person"}
        user = ask("signup", "POST", "/auth/signup", json=person).json()
        # The error of the database repeats the address.
        assert ask("taken", "POST", "/auth/signup", json=person).status_code == 409
        signed_in = ask("signin", "POST", "/auth/signin", json={"email": person["email"], "password": PASSWORD}).json()
        access = {"Authorization": f"Bearer {signed_in['access_token']}"}
        event = ask("create", "POST", "/events", json={"title": "Hidden title"}, headers=access).json()
        parent = {"traceparent": f"00-{TRACE_OF_THE_CLIENT}-b7ad6b7169203331-01"}
        ask("read", "GET", f"/events/{event['id']}", headers=access | parent)
        ask("search", "GET", "/events", params={"q": "hidden-words", "token": "query-token"}, headers=access)
        feed = ask("feed", "POST", "/feeds", json={"name": "Hidden feed"}, headers=access).json()["url"]
        ask("subscribe", "GET", feed)
        ask("revoke", "POST", "/auth/revoke", data={"token": signed_in["refresh_token"]})
        ask("unknown", "GET", "/no-such-place/hidden-path", headers={"Host": "hidden-host"})
        client.get(url.removesuffix("/api/v1") + "/readyz", headers={"X-Request-ID": "probe"})
        ask("last", "GET", "/events")
    sent = {*person.values(), user["id"], event["id"], signed_in["access_token"], signed_in["refresh_token"]}
    return sent | {feed.rpartition("/")[2].removesuffix(".ics"), "hidden", "Hidden", "query-token"}


@pytest.mark.real_server("the mock sends no commands")
def test_the_span_of_a_request_has_the_template_of_its_route_its_status_and_its_id(traced: Traced) -> None:
    span = traced.of_request("create")
    assert span.name == "POST /api/v1/events"
    assert span.attributes["http.response.status_code"] == 201
    assert traced.of_request("subscribe").name == "GET /api/v1/feeds/{token}.ics"
    assert traced.of_request("unknown").name == "GET"
    assert {span.service for span in traced.received.spans} == {"calendar of the tests"}
    assert traced.received.paths == {"/v1/traces"}


@pytest.mark.real_server("the mock sends no commands")
def test_no_span_has_a_secret_an_id_or_a_value_that_was_sent(traced: Traced) -> None:
    for span in traced.received.spans:
        assert [secret for secret in traced.secrets if secret in span.text] == []


@pytest.mark.real_server("the mock sends no commands")
def test_the_commands_to_the_database_belong_to_the_request_that_sent_them(traced: Traced) -> None:
    request = traced.of_request("signup")
    commands = [span for span in traced.received.spans if span.parent_id == request.span_id]
    assert {span.trace_id for span in commands} == {request.trace_id}
    inserted = {span.attributes["db.mongodb.collection"] for span in commands if span.name.endswith(".insert")}
    assert "users" in inserted
    # No span is there that belongs to no request.
    requests = {span.span_id for span in traced.received.spans if "http.request.method" in span.attributes}
    assert {span.parent_id for span in traced.received.spans if span.span_id not in requests} <= requests


@pytest.mark.real_server("the mock sends no commands")
def test_the_trace_of_a_client_is_continued(traced: Traced) -> None:
    assert traced.of_request("read").trace_id == TRACE_OF_THE_CLIENT


@pytest.mark.real_server("the mock sends no commands")
def test_health_checks_have_no_trace(traced: Traced) -> None:
    assert traced.received.of_request("probe") is None


@pytest.mark.real_server("the mock sends no commands")
def test_the_log_line_of_a_request_has_the_id_of_its_trace(traced: Traced) -> None:
    logged = {line["request_id"]: line.get("trace_id") for line in traced.lines if line["message"] == "request"}
    assert logged["create"] == traced.of_request("create").trace_id
    assert logged["probe"] is None


class StuckExporter(SpanExporter):
    """Sends to a collector that does not respond, until it is shut down."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def export(self, spans: object) -> SpanExportResult:
        self._ended.wait()
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._ended.set()


async def test_a_collector_that_does_not_respond_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "STOP_SECONDS", 0.1)
    stuck = tracing.Tracing(StuckExporter())
    tracer = stuck.provider.get_tracer("tests")
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER):
        pass
    await asyncio.wait_for(stuck.stop(), 20)


class UnreliableExporter(SpanExporter):
    """Sends to a collector that accepts traces or not, as `result` says."""

    result = SpanExportResult.SUCCESS

    def export(self, spans: object) -> SpanExportResult:
        return self.result

    def shutdown(self) -> None:
        """End nothing."""


def test_it_is_logged_once_that_the_collector_fails_and_once_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    unreliable = UnreliableExporter()
    safe, provider = tracing.SafeExporter(unreliable), TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("tests").start_span("request", kind=SpanKind.SERVER)
    span.end()
    assert isinstance(span, ReadableSpan)
    for result in (SpanExportResult.SUCCESS, *[SpanExportResult.FAILURE] * 3, *[SpanExportResult.SUCCESS] * 3):
        unreliable.result = result
        assert safe.export([span]) is result
    assert [record.message.split("ENDPOINT ")[1] for record in caplog.records] == [
        "does not accept traces; they are lost",
        "accepts traces again",
    ]


def test_nothing_for_traces_is_imported_without_an_endpoint(tmp_path: Path) -> None:
    program = (
        "import sys; from planner.settings import Settings; from planner.startup import start_tracing;"
        "from planner.app import create_app; settings = Settings(_env_file=None);"
        "create_app(settings, tracing=start_tracing(settings));"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter',"
        "'opentelemetry.instrumentation', 'google.protobuf', 'planner.telemetry.tracing'))])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


class TestSettings:
    """The variables of OpenTelemetry."""

    @pytest.fixture(autouse=True)
    def empty_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        for name in [name for name in os.environ if name.startswith("OTEL_")]:
            monkeypatch.delenv(name)

    def test_without_the_packages_one_sentence_says_how_to_install_them(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
        find_spec = importlib.util.find_spec
        missing = "opentelemetry.instrumentation.pymongo"
        monkeypatch.setattr("planner.startup.find_spec", lambda name: None if name == missing else find_spec(name))
        with pytest.raises(ConfigurationError, match=r"not installed.*requirements-tracing\.txt"):
            check_tracing(load())
        assert main(["check"]) == 1
        assert capsys.readouterr().err.count("\n") == 1

    def test_the_file_that_the_sentence_names_has_the_packages(self) -> None:
        locked = (ROOT / "requirements-tracing.txt").read_text()
        for package in ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"):
            assert re.search(rf"^{package}==", locked, re.MULTILINE)

    @pytest.mark.parametrize("wrong", ["collector:4318", "ftp://collector", "4318"])
    def test_an_endpoint_is_an_absolute_address(self, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", wrong)
        with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_OTLP_ENDPOINT: must be an absolute"):
            load()

    def test_the_environment_has_precedence_over_the_file_and_empty_is_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path(".env").write_text(
            "OTEL_SERVICE_NAME=of the file\nOTEL_TRACES_SAMPLER=always_on\nOTEL_BSP_MAX_QUEUE_SIZE=\n"
        )
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "")
        with monkeypatch.context():
            pass_on_otel_variables()
            passed = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
        monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
        assert passed == {"OTEL_SERVICE_NAME": "of the file", "OTEL_TRACES_SAMPLER": "always_off"}

    def test_a_misspelt_endpoint_is_named_and_the_other_standard_variables_are_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"):
            monkeypatch.setenv(name, "x")
        assert find_misspelt_names() == []
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPONT", "x")
        (sentence,) = find_misspelt_names()
        assert "do you mean OTEL_EXPORTER_OTLP_ENDPOINT?" in sentence
        assert Settings.model_fields["otel_exporter_otlp_endpoint"].default == ""

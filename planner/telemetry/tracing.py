"""Traces: what a request did and how long each part took, sent to an OpenTelemetry collector over OTLP/HTTP.

FastAPI makes a span for each request, and the PyMongo instrumentation one for each command that is sent to the
database. This module imports the packages of `requirements-tracing.txt`, so it is imported only if traces are to be
sent: see `start_tracing` in `planner/startup.py`.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status

from planner.version import VERSION

log = logging.getLogger("planner.tracing")
# How long the end of the process waits for a collector to take what has not been sent.
STOP_SECONDS = 2.0
# What may leave: nothing else that an instrumentation knows is sent, such as addresses with tokens and ids in them,
# or error messages of the database, which repeat values.
_SENT_ATTRIBUTES = frozenset(
    {
        "request_id",
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "error.type",
        "network.protocol.version",
        "url.scheme",
        "db.system",
        "db.system.name",
        "db.name",
        "db.namespace",
        "db.mongodb.collection",
        "db.collection.name",
        "net.peer.name",
        "net.peer.port",
    }
)
# The name and port of the database server. Those of the planner are what a client has sent as Host.
_SENT_OF_THE_DATABASE = frozenset({"server.address", "server.port"})


class Tracing:
    """The traces of this process: `provider` makes the spans, and sends them in the background."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        defaults = {"service.name": "planner", "service.version": VERSION}
        resource = Resource.create({**defaults, **OTELResourceDetector().detect().attributes})
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.provider.add_span_processor(BatchSpanProcessor(SafeExporter(exporter)))

    def note_request(self, request_id: str) -> str | None:
        """Give the current span the id of the request, and return the id of its trace, or None without a span."""
        span = trace.get_current_span()
        context = span.get_span_context()
        if not context.is_valid:
            return None
        span.set_attribute("request_id", request_id)
        return trace.format_trace_id(context.trace_id)

    async def stop(self) -> None:
        """Send what has not been sent, for at most `STOP_SECONDS`."""
        # A collector that does not respond would hold up the end of the process for half a minute.
        thread = threading.Thread(target=self.provider.shutdown, daemon=True)
        thread.start()
        await asyncio.to_thread(thread.join, STOP_SECONDS)
        if thread.is_alive():
            self._exporter.shutdown()


class SafeExporter(SpanExporter):
    """Sends spans through another exporter, without anything that may be a secret, an id or a value of a query.

    Commands to the database that no request has sent, such as those of the background loop, are left out. It is logged
    once when the collector does not accept traces, and once when it does again.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._has_failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans."""
        safe = [_without_values(span) for span in spans if span.parent is not None or span.kind is SpanKind.SERVER]
        if not safe:
            return SpanExportResult.SUCCESS
        result = self._exporter.export(safe)
        has_failed = result is not SpanExportResult.SUCCESS
        if has_failed and not self._has_failed:
            log.warning("the collector of OTEL_EXPORTER_OTLP_ENDPOINT does not accept traces; they are lost")
        elif self._has_failed and not has_failed:
            log.warning("the collector of OTEL_EXPORTER_OTLP_ENDPOINT accepts traces again")
        self._has_failed = has_failed
        return result

    def shutdown(self) -> None:
        """End the other exporter."""
        self._exporter.shutdown()


def _without_values(span: ReadableSpan) -> ReadableSpan:
    sent = _SENT_ATTRIBUTES | _SENT_OF_THE_DATABASE if span.kind is SpanKind.CLIENT else _SENT_ATTRIBUTES
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in sent}
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def trace_to_collector() -> Tracing:
    """Start to trace what this process does from now on; call it before the database is opened.

    The standard variables of OpenTelemetry say how, such as OTEL_EXPORTER_OTLP_ENDPOINT.
    """
    # Its own lines are one for each attempt, and repeat the address of the collector, which may have a key in it.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    tracing = Tracing(OTLPSpanExporter())
    PymongoInstrumentor().instrument(tracer_provider=tracing.provider, capture_statement=False)
    return tracing

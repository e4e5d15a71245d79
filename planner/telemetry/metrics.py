"""What the planner measures of itself, as Prometheus reads it.

With several worker processes, each writes its numbers into files in the folder of PROMETHEUS_MULTIPROC_DIR, and
whichever of them is asked returns the sums. No label has an id, or a path as it was sent.
"""

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

# The time at which each counter was made would double their lines.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
# The name by which prometheus-client finds the folder that several processes share.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Exposition(NamedTuple):
    """The metrics as text, and the media type of the text."""

    body: bytes
    media_type: str


class Metrics:
    """The metrics of one process, or of all workers together."""

    def __init__(self) -> None:
        self._is_shared = SHARED_FOLDER in os.environ
        registry = self._registry = CollectorRegistry()
        if not self._is_shared:
            ProcessCollector(registry=registry)
        # Its `_count` is the number of requests: a counter beside it would say the same.
        self._request_seconds = Histogram(
            "planner_http_request_duration_seconds",
            "The time from the head of a request to the end of its response. The count is that of requests.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=registry,
        )
        self._requests_in_progress = Gauge(
            "planner_http_requests_in_progress",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._refusals = Counter(
            "planner_http_refusals",
            "Connections and requests that were refused because there were too many, which are no requests above.",
            ["reason"],
            registry=registry,
        )
        self._operation_seconds = Histogram(
            "planner_database_operation_duration_seconds",
            "The time that the database took for an operation.",
            ["operation", "collection"],
            buckets=SECONDS,
            registry=registry,
        )
        self._waiting_seconds = Histogram(
            "planner_database_wait_seconds",
            "The time that an operation waited for a thread or a connection.",
            buckets=SECONDS,
            registry=registry,
        )
        self._audit_events = Counter(
            "planner_audit_events",
            "What happened to accounts, by the name that the audit log gives it, such as sign-in-failed.",
            ["event"],
            registry=registry,
        )
        self._runs = Counter(
            "planner_background_runs", "Rounds of background work.", ["work", "result"], registry=registry
        )
        self._last_success = Gauge(
            "planner_background_last_success_timestamp_seconds",
            "When background work last ended without an error.",
            ["work"],
            multiprocess_mode="mostrecent",
            registry=registry,
        )
        # Finding the child of a metric by its labels costs more than counting, so children are remembered. Their
        # number is bounded by that of the routes.
        self._request_child = lru_cache(maxsize=4096)(self._find_request_child)
        self._refusal_child = lru_cache(maxsize=8)(self._refusals.labels)
        self._operation_child = lru_cache(maxsize=512)(self._operation_seconds.labels)

    def _find_request_child(self, method: str, route: str, status: int) -> Histogram:
        return self._request_seconds.labels(method if method in _METHODS else "other", route, str(status))

    def begin_request(self) -> None:
        """Count a request whose response has not ended."""
        self._requests_in_progress.inc()

    def end_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that began, by the template of its route."""
        self._requests_in_progress.dec()
        self._request_child(method, route, status).observe(seconds)

    def count_refusal(self, reason: str) -> None:
        """Count a connection or a request that was refused because there were too many of them."""
        self._refusal_child(reason).inc()

    def count_operation(self, operation: str, collection: str, waited: float, took: float) -> None:
        """Count an operation of the database: how long it waited for a thread, and how long it took; in seconds."""
        self._waiting_seconds.observe(waited)
        self._operation_child(operation, collection).observe(took)

    def count_audit_event(self, event: str) -> None:
        """Count an entry of the audit log."""
        self._audit_events.labels(event).inc()

    def end_background_run(self, work: str, now: float, *, has_failed: bool) -> None:
        """Count a round of background work that ended at `now`, in seconds since 1970."""
        self._runs.labels(work, "failed" if has_failed else "succeeded").inc()
        if not has_failed:
            self._last_success.labels(work).set(now)

    def render(self, gauges: Mapping[str, "GaugeReading"], accept: str) -> Exposition:
        """Return all metrics, with gauges that were read just now, in the format that a client accepts."""
        registry = CollectorRegistry()
        if self._is_shared:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(_Copied(self._registry.collect()))
        registry.register(_Copied(_build_gauge(name, reading) for name, reading in gauges.items()))
        encode, media_type = choose_encoder(accept)
        return Exposition(encode(registry), media_type)


class GaugeReading(NamedTuple):
    """What a gauge means, the name of its label, and its value for each value of the label."""

    help: str
    label: str
    values: Mapping[str, float]


class _Copied(Collector):
    """A collector of metrics that were read before."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _build_gauge(name: str, reading: GaugeReading) -> Metric:
    gauge = GaugeMetricFamily(name, reading.help, labels=[reading.label])
    for label, value in reading.values.items():
        gauge.add_metric([label], value)
    return gauge


def forget_worker(pid: int) -> None:
    """Remove the gauges of a worker process that has ended."""
    if SHARED_FOLDER in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]

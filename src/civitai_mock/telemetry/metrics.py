"""Show the metrics of a process in the text format of Prometheus.

prometheus-client is loaded with this module, at the first scrape: that takes a tenth as long as the whole start.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from civitai_mock.ports import Metrics
from civitai_mock.ports.metrics import Histogram
from civitai_mock.telemetry.readings import Readings

PREFIX = "civitai_mock_"
NO_PRESET = "none"


def expose(metrics: Metrics, readings: Readings) -> bytes:
    """Return all metrics of this process, those of the operating system included.

    This may run beside the event loop: 1,000 lines take 7 ms. So what others write to is copied before it is read.
    """
    registry = CollectorRegistry()
    registry.register(_Families(metrics, readings))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Families(Collector):
    """Is what a registry asks for metrics: all of them, made of what was counted and read."""

    def __init__(self, metrics: Metrics, readings: Readings) -> None:
        self._metrics = metrics
        self._readings = readings

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that a registry does not ask for the metrics to learn their names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(f"{PREFIX}build", "The version that runs", {"version": self._readings.version})
        yield from _requests(self._metrics)
        yield from _jobs(self._metrics, self._readings)
        yield from _control_plane(self._metrics, self._readings)
        yield from _queue(self._metrics, self._readings)
        yield from _workers(self._readings)
        yield from _store(self._metrics)
        yield from _process(self._metrics)


def _requests(metrics: Metrics) -> Iterator[Metric]:
    yield _histogram(
        "http_request_duration_seconds",
        "Requests by template of the route, method and status, and how long they took",
        metrics.requests,
        labels=("route", "method", "status"),
    )
    yield _counter(
        "journal_drops", "Entries that had to go from the journal before newer ones", {(): metrics.journal_drops}
    )


def _jobs(metrics: Metrics, readings: Readings) -> Iterator[Metric]:
    yield _counter("jobs_submitted", "Jobs that this process has stored", {(): metrics.jobs_submitted})
    yield _counter(
        "jobs_ended",
        "Jobs that this process has ended, by their outcome and the stage that they had come to",
        metrics.jobs_ended,
        labels=("outcome", "stage"),
    )
    yield _gauge(
        "jobs_in_flight",
        "Jobs that this process works on, by the stage that they have come to",
        {(stage,): count for stage, count in readings.jobs_in_flight.items()},
        labels=("stage",),
    )
    yield _counter("workflows_submitted", "Workflows that this process has stored", {(): metrics.workflows_submitted})
    yield _counter(
        "workflows_ended",
        "Workflows whose end this process has noted, by their status",
        {(status,): count for status, count in list(metrics.workflows_ended.items())},
        labels=("status",),
    )
    yield _histogram(
        "stage_duration_seconds",
        "Stages that this process has brought jobs to, and how long the way there took",
        metrics.stages,
        labels=("stage",),
    )
    yield _histogram(
        "image_drawing_duration_seconds",
        "Images that this process has drawn in place of real ones, and how long each took, with the wait for a thread",
        metrics.drawings,
    )
    yield _counter(
        "webhook_attempts",
        "Callbacks that were tried, by what came of it",
        {(outcome,): count for outcome, count in list(metrics.webhook_attempts.items())},
        labels=("outcome",),
    )


def _control_plane(metrics: Metrics, readings: Readings) -> Iterator[Metric]:
    yield _counter(
        "faults_fired",
        "Rules of faults that fired in this process, by their preset; those with an action of their own have none",
        {(preset or NO_PRESET,): count for preset, count in list(metrics.faults_fired.items())},
        labels=("preset",),
    )
    yield _counter("clock_advances", "Advances of clocks that this process was asked for", {(): metrics.clock_advances})
    yield _gauge("namespaces", "Namespaces that there are, the default one included", {(): readings.namespaces})


def _queue(metrics: Metrics, readings: Readings) -> Iterator[Metric]:
    """Leave the queue out while the store does not say how long it is."""
    backlog = readings.backlog
    if backlog is not None:
        age = (readings.now - backlog.oldest).total_seconds() if backlog.oldest else 0
        yield _gauge("queue_depth", "Jobs that could be claimed now", {(): backlog.jobs})
        yield _gauge("queue_oldest_age_seconds", "Age of the oldest job that could be claimed now", {(): max(age, 0)})
    yield _histogram("claim_latency_seconds", "How long jobs had waited when they were claimed", metrics.claims)


def _workers(readings: Readings) -> Iterator[Metric]:
    workers = readings.workers
    yield _gauge(
        "worker_up",
        "Whether a worker takes prompts: the simulator, or a ComfyUI server",
        {(worker.id,): int(worker.ready) for worker in workers},
        labels=("worker",),
    )
    if readings.counts_prompts:
        yield _gauge(
            "worker_prompts_in_flight",
            "Prompts of this process that a worker has",
            {(worker.id,): worker.in_flight for worker in workers},
            labels=("worker",),
        )


def _store(metrics: Metrics) -> Iterator[Metric]:
    statements = sum(count() for count in metrics.statement_counts)
    yield _counter("store_statements", "SQL statements, or commands of MongoDB, that were sent", {(): statements})
    yield _histogram(
        "store_operation_duration_seconds",
        "What the store was asked for, and how long it took",
        metrics.store_operations,
        labels=("operation",),
    )


def _process(metrics: Metrics) -> Iterator[Metric]:
    yield _histogram(
        "event_loop_lag_seconds", "How late the event loop was, measured twice a second", metrics.loop_lags
    )


def _counter(name: str, about: str, counts: Mapping[Any, float], *, labels: Sequence[str] = ()) -> CounterMetricFamily:
    family = CounterMetricFamily(f"{PREFIX}{name}", about, labels=labels)
    for values, count in list(counts.items()):
        family.add_metric(values, count)
    return family


def _gauge(name: str, about: str, values: Mapping[Any, float], *, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}", about, labels=labels)
    for labelled, value in values.items():
        family.add_metric(labelled, value)
    return family


def _histogram(name: str, about: str, histogram: Histogram, *, labels: Sequence[str] = ()) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"{PREFIX}{name}", about, labels=labels)
    ends = [*(str(float(end)) for end in histogram.bounds), "+Inf"]
    for values, series in list(histogram.series.items()):
        buckets = list(zip(ends, accumulate(list(series.counts)), strict=True))
        family.add_metric([str(value) for value in values], buckets, series.total)
    return family

"""Port for metrics: the parts of a process write here what they count and time, and `telemetry` shows it.

Nobody below `telemetry` knows who reads it, in which format, or whether anybody does.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from civitai_mock.domain.job import Job
from civitai_mock.ports.tracing import RecordSpan

Labels: TypeAlias = tuple[str | int, ...]

# Upper ends of the ranges in which durations are counted, in s; one more range has all that is longer.
SHORT: Sequence[float] = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)
LONG: Sequence[float] = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Series:
    """Holds the durations with the same labels: `counts` says how many were in each range, `total` is their sum."""

    __slots__ = ("counts", "total")

    def __init__(self, ranges: int) -> None:
        self.counts = [0] * ranges
        self.total = 0.0


class Histogram:
    """Counts durations, in s, by labels, of which there must be few, and by range.

    It takes 0.2 µs, a histogram of prometheus-client 1.8, and loading that a tenth of the start. Only one thread at a
    time may observe, as nothing is locked.
    """

    __slots__ = ("bounds", "series")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.series: dict[Labels, Series] = {}

    def observe(self, labels: Labels, seconds: float) -> None:
        series = self.series.get(labels)
        if series is None:
            series = self.series[labels] = Series(len(self.bounds) + 1)
        series.counts[bisect_left(self.bounds, seconds)] += 1
        series.total += seconds


class Metrics:
    """Holds what one process has counted since its start, and where to read what it does not count itself.

    `requests` have the template of the route, the method and the status as labels, `store_operations` what the store
    was asked for, `stages` the stage, `jobs_ended` outcome and stage, `workflows_ended` the status. `claims` are the
    times that jobs had waited when they were claimed, `drawings` those of images, `loop_lags` those by which the event
    loop was late.

    `webhook_attempts` are counted by what came of them; the last one of an event that never arrives is `given_up`. Each
    of `statement_counts` returns how many statements or commands a store was sent. A scheduler gives `jobs_in_flight`,
    which returns how many jobs it works on, by stage. `faults_fired` are counted by preset, which is empty for plain
    actions, and `journal_drops` are the entries that had to go before others. `clock_advances` are those that were
    asked for here, and `namespaces` returns how many there are. `record_span` is None unless spans are exported.
    """

    def __init__(self, record_span: RecordSpan | None = None) -> None:
        self.record_span = record_span
        self.requests = Histogram(SHORT)
        self.store_operations = Histogram(SHORT)
        self.stages = Histogram(LONG)
        self.claims = Histogram(LONG)
        self.loop_lags = Histogram(SHORT)
        self.drawings = Histogram(SHORT)
        self.jobs_submitted = 0
        self.jobs_ended = Counter[tuple[str, str]]()
        self.workflows_submitted = 0
        self.workflows_ended = Counter[str]()
        self.statement_counts: list[Callable[[], int]] = []
        self.jobs_in_flight: Callable[[], Mapping[str, int]] = dict
        self.webhook_attempts = Counter[str]()
        self.faults_fired = Counter[str]()
        self.clock_advances = 0
        self.namespaces: Callable[[], int] = int
        self.journal_drops = 0

    def count_changes(self, jobs: Sequence[Job]) -> None:
        """Count jobs that are new or have ended, of those that this process has just changed."""
        for job in jobs:
            if job.outcome is not None:
                self.jobs_ended[job.outcome, job.stage] += 1
            elif job.seq == 0:
                self.jobs_submitted += 1

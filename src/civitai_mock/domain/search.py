"""Searches over many jobs: criteria, and the answers of the stores."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime
from itertools import islice
from typing import NamedTuple, Self

from civitai_mock.domain.callbacks import CallbackFaults
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.domain.micros import from_micros, to_micros
from civitai_mock.domain.namespaces import FIRST_EPOCH
from civitai_mock.domain.stages import Outcome

MOST_BYTES_FOUND = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Is a place in the list of jobs by age; jobs of one instant stand in order of submission, then of id."""

    created_at: datetime
    submission_id: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCriteria:
    """Says what a job must match to be found; None matches every job, and so do no `property_paths`."""

    issued_by: str | None = None
    job_type: str | None = None
    property_paths: frozenset[str] = frozenset()
    before: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Sums up jobs: `images` of those that succeeded, and `cost` (Buzz) of charged ones that were not refunded."""

    images: int
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits the cost of all jobs of a consumer to `limit` Buzz, those that were refunded aside."""

    issued_by: str
    limit: float


class QueuedJob(NamedTuple):
    """Is a job that could be claimed, smaller than those that will be claimed after it; `cost` is in Buzz.

    It holds plain numbers as stores have them, since a reading of the queue makes thousands.
    """

    rank: int  # minus the priority
    created_micros: int
    id: str
    cost: float

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(-job.priority, to_micros(job.created_at), job.id, job.cost)

    @property
    def priority(self) -> int:
        return -self.rank

    @property
    def created_at(self) -> datetime:
        return from_micros(self.created_micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Lists the queued `jobs` in the order in which they will be claimed.

    `recent` says how many jobs ended within the time that was asked about.
    """

    jobs: Sequence[QueuedJob]
    recent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Says how many jobs could be claimed, and when the oldest of them was created; without one that is None."""

    jobs: int
    oldest: datetime | None


class FeedEntry(NamedTuple):
    """Says that a job has events up to `seq`; the other members are as the job was when this was read.

    Positions are in the order in which texts are. It is a tuple, as a reading of the feed makes thousands.
    """

    job_id: str
    seq: int
    outcome: Outcome | None
    is_blocked: bool
    has_webhook: bool
    epoch: int = FIRST_EPOCH
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Is a part of the feed; `position` is where it goes on, and `is_last` says that there was no more by then.

    Nothing new comes up to `settled`, so who reads a part of this page can go on from an entry up to there.
    """

    entries: Sequence[FeedEntry]
    position: str
    is_last: bool
    settled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWebhook:
    """Is a job whose receiver does not know all of its events yet.

    `delivered_seq` is the `seq` of the last event that the receiver knows, or -1; `failures` counts the attempts that
    have failed since then. `faults` are those of its callbacks so far.
    """

    job: Job
    delivered_seq: int
    failures: int
    faults: CallbackFaults = field(default_factory=dict)


def property_paths(properties: ReadOnlyJson) -> frozenset[str]:
    """Return one text for each value that stands at the end of a path of keys; a list is one value.

    A job matches a query if its paths include all of the query's: `{"a": {"b": 1}}` is found by itself and within more.
    Numbers that are equal (1 and 1.0) match, as they do in JSON.
    """
    values = _values_by_path((), dict(properties))
    return frozenset(json.dumps([*path, _with_whole_numbers(value)], sort_keys=True) for path, value in values)


def count_values(properties: ReadOnlyJson, *, most: int) -> int:
    """Count the values in all objects and lists; once there are more than `most` it does not matter how many."""
    number = 0
    left: list[dict[str, Json] | list[Json]] = [dict(properties)]
    while left and number <= most:
        found = left.pop()
        items = found.values() if isinstance(found, dict) else found
        number += len(items)
        left += [item for item in islice(items, most) if isinstance(item, dict | list)]
    return number


def _values_by_path(path: tuple[str, ...], value: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _values_by_path((*path, key), item)
    elif path:
        yield path, value


def _with_whole_numbers(value: Json) -> Json:
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value

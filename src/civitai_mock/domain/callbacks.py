"""Callbacks: what was tried to tell a receiver, and how far it knows what happened."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import ReadOnlyJson

MOST_ATTEMPTS = 50  # that are kept of each job or workflow, the last ones
LONGEST_REASON = 300  # characters

# What was decided to go wrong with the callbacks of a job or a workflow, by `seq`.
CallbackFaults: TypeAlias = Mapping[str, ReadOnlyJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAttempt:
    """Is one attempt to deliver the event or announcement with this `seq`.

    `status` is that of the answer, if there was one. `error` says why it failed; None for one that succeeded.
    """

    seq: int
    at: datetime
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackState:
    """Says what a store knows of the callbacks of a job or a workflow.

    Receivers know everything up to `told`, or it was given up; -1 is nothing yet. What comes next is due at `due_at`.
    The last `MOST_ATTEMPTS` attempts are in order; those before schema 11 are not known.
    """

    told: int
    due_at: datetime | None
    attempts: tuple[CallbackAttempt, ...]
    faults: CallbackFaults = field(default_factory=dict)

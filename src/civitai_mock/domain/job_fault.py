"""Faults of jobs: what was decided once for an attempt, and is kept with the job."""

from dataclasses import dataclass

from civitai_mock.domain.json_types import ReadOnlyJson


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """Is the fault of one attempt of a job, the first being 1: which rule fired, and what is done about it.

    `rule` is its id; that of a header has the name of its preset. `action` is what the rule had of a preset with its
    params, or its plain action: what effects are read from again.
    """

    attempt: int
    rule: str
    action: ReadOnlyJson
    preset: str | None = None

"""Faults of jobs: what was decided once for an attempt, and is kept with the job."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """Says what was decided for one attempt of a job, the first being 1: which rule fired, and what that does.

    `rule` is its id; that of a header has the name of its preset. Without one nothing fires so far, and `turns` say why
    rules did not (see `Faults.turns_of`). `does` is the preset with its params, or the action, as the rule has it. What
    `is_over` has been done, and is not done again.
    """

    attempt: int
    rule: str | None = None
    does: ReadOnlyJson = field(default_factory=dict)
    turns: Mapping[str, str] = field(default_factory=dict)
    is_over: bool = False

    def to_json(self) -> JsonObject:
        """Return what stores keep."""
        members: JsonObject = {
            "attempt": self.attempt,
            "rule": self.rule,
            "does": dict(self.does),
            "turns": dict(self.turns),
            "isOver": self.is_over,
        }
        return {name: value for name, value in members.items() if value}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        return cls(
            attempt=members["attempt"],
            rule=members.get("rule"),
            does=members.get("does", {}),
            turns=members.get("turns", {}),
            is_over=members.get("isOver", False),
        )

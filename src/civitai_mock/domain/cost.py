"""What steps and workflows cost, in whole Buzz."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from civitai_mock.domain.quick_init import quick_init

EXACT_DECIMALS = 9  # of a product of factors: 1.1 times 10 is 11, and not a little more


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Tips:
    """Holds what is paid on top of the base, as rates: 0.25 is a quarter of it."""

    civitai: float = 0
    creators: float = 0


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """Holds the price of a step: the product of its factors, rounded up, and fixed surcharges by name."""

    factors: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, int] = field(default_factory=dict)

    @property
    def base(self) -> int:
        return rounded_up(math.prod(self.factors.values())) if self.factors else 0


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Holds the price of a workflow; the tips are in Buzz."""

    base: int
    factors: Mapping[str, float]
    fixed: Mapping[str, int]
    civitai_tip: int
    creators_tip: int

    @property
    def total(self) -> int:
        return self.base + sum(self.fixed.values()) + self.civitai_tip + self.creators_tip


def rounded_up(amount: float) -> int:
    return math.ceil(round(amount, EXACT_DECIMALS))


def cost_of(steps: Sequence[StepCost], tips: Tips, *, paid: Iterable[bool] | None = None) -> Cost:
    """Add up the steps, or only those that are `paid`; the factors are those of all.

    Several steps have one factor, which is the sum of their bases (a capture has only one step).
    """
    counted = [step for step, is_paid in zip(steps, paid or [True] * len(steps), strict=True) if is_paid]
    base = sum(step.base for step in counted)
    fixed: dict[str, int] = {}
    for step in counted:
        for name, amount in step.fixed.items():
            fixed[name] = fixed.get(name, 0) + amount
    return Cost(
        base=base,
        factors=dict(steps[0].factors) if len(steps) == 1 else {"base": sum(step.base for step in steps)},
        fixed=fixed,
        civitai_tip=rounded_up(base * tips.civitai),
        creators_tip=rounded_up(base * tips.creators),
    )

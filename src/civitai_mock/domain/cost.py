"""What steps and workflows cost, in whole Buzz."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import lru_cache

from civitai_mock.domain.dataclass import dataclass

CACHED_PRODUCTS = 1024
EXACT_DECIMALS = 9  # of a product of factors: 1.1 times 10 is 11, and not a little more


@dataclass(frozen=True, slots=True, kw_only=True)
class Tips:
    """Holds what is paid on top of the base, as rates: 0.25 is a quarter of it."""

    civitai: float = 0
    creators: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """Holds the price of a step: the product of its factors, rounded up, and fixed surcharges by name."""

    factors: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, int] = field(default_factory=dict)

    @property
    def base(self) -> int:
        return _rounded_product(*self.factors.values()) if self.factors else 0


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


@lru_cache(CACHED_PRODUCTS)
def _rounded_product(*factors: float) -> int:
    """Multiply the factors of a step; its base is asked for at each look at its workflow."""
    return rounded_up(math.prod(factors))


def cost_of(steps: Sequence[StepCost], tips: Tips, *, paid: Sequence[float] | None = None) -> Cost:
    """Add up the steps, or the share of each that is `paid`, rounded up; the factors are those of all.

    Several steps have one factor, which is the sum of their bases (a capture has only one step).
    """
    bases = [step.base for step in steps]
    if len(steps) == 1 and not paid:
        return _cost(bases[0], steps[0].factors, steps[0].fixed, tips)
    shares = [(place, share) for place, share in enumerate(paid or [1.0] * len(steps)) if share]
    base = sum([rounded_up(bases[place] * share) for place, share in shares])
    fixed: dict[str, int] = {}
    for place, share in shares:
        for name, amount in steps[place].fixed.items():
            fixed[name] = fixed.get(name, 0) + rounded_up(amount * share)
    return _cost(base, steps[0].factors if len(steps) == 1 else {"base": sum(bases)}, fixed, tips)


def _cost(base: int, factors: Mapping[str, float], fixed: Mapping[str, int], tips: Tips) -> Cost:
    return Cost(
        base=base,
        factors=factors,
        fixed=fixed,
        civitai_tip=rounded_up(base * tips.civitai) if tips.civitai else 0,
        creators_tip=rounded_up(base * tips.creators) if tips.creators else 0,
    )

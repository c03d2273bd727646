"""What steps and workflows cost."""

from collections.abc import Mapping

import pytest

from civitai_mock.domain.cost import StepCost, Tips, cost_of


@pytest.mark.parametrize(
    ("factors", "base"),
    [
        ({"base": 8, "pixels": 1, "steps": 2, "quantity": 1}, 16),  # both captures of v2.md
        ({"base": 8, "pixels": 1, "steps": 1.6, "quantity": 1}, 13),
        ({"base": 1.1, "quantity": 10}, 11),  # and not 11.000000000000002
        ({"base": 0.1, "quantity": 3}, 1),
        ({"base": 0}, 0),
        ({}, 0),
    ],
)
def test_the_base_is_the_product_of_the_factors_rounded_up(factors: Mapping[str, float], base: int) -> None:
    assert StepCost(factors=factors).base == base


def test_one_step_costs_as_in_the_capture() -> None:
    """Capture v2-workflow-queued-excerpt."""
    factors = {"base": 8, "pixels": 1, "steps": 1.6, "quantity": 1}
    step = StepCost(factors=factors, fixed={"licenseFees": 5, "additionalResources": 1})
    cost = cost_of([step], Tips(creators=0.25))
    assert (cost.base, cost.factors, cost.fixed) == (13, factors, {"licenseFees": 5, "additionalResources": 1})
    assert (cost.civitai_tip, cost.creators_tip, cost.total) == (0, 4, 23)


def test_several_steps_are_added_up() -> None:
    steps = [
        StepCost(factors={"base": 8}, fixed={"licenseFees": 5}),
        StepCost(factors={"base": 4}, fixed={"licenseFees": 1, "additionalResources": 2}),
    ]
    cost = cost_of(steps, Tips(civitai=0.5, creators=2))
    assert (cost.base, cost.factors, cost.fixed) == (12, {"base": 12}, {"licenseFees": 6, "additionalResources": 2})
    assert (cost.civitai_tip, cost.creators_tip, cost.total) == (6, 24, 50)


def test_what_is_not_paid_does_not_count_but_for_the_factors() -> None:
    """A failed and refunded workflow shows base 0, total 0, no fixed, and its factors (v2.md)."""
    steps = [StepCost(factors={"base": 8}, fixed={"licenseFees": 5}), StepCost(factors={"base": 4})]
    none = cost_of(steps, Tips(creators=1), paid=[False, False])
    assert (none.base, none.factors, none.fixed, none.total) == (0, {"base": 12}, {}, 0)
    one = cost_of(steps, Tips(creators=1), paid=[False, True])
    assert (one.base, one.fixed, one.total) == (4, {}, 8)
    alone = cost_of(steps[:1], Tips(), paid=[False])
    assert (alone.base, alone.factors, alone.total) == (0, {"base": 8}, 0)

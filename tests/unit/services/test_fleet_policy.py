"""Which fleet a namespace has: the one that was set for it, else the usual one, or none."""

from typing import Any

import pytest

from civitai_mock.domain.fleet.document import HYBRID, FleetDocument, as_json
from civitai_mock.services.controls import Controls
from civitai_mock.services.fleet_policy import FLEET, NO_FLEET, FleetPolicy

OTHER = FleetDocument(providers=HYBRID.providers, policy=HYBRID.policy, urgent_from=3)


@pytest.mark.parametrize("usual", [None, OTHER])
def test_what_is_set_comes_before_the_usual_fleet(usual: FleetDocument | None) -> None:
    controls = Controls()
    policy = FleetPolicy(controls, usual=usual)
    steps: list[tuple[Any, FleetDocument | None]] = [
        (as_json(HYBRID), HYBRID),
        (None, usual),
        (NO_FLEET, None),
        ({"urgentFrom": 3}, OTHER),
        ({"of": "a later version"}, None),
        (as_json(HYBRID), HYBRID),
    ]
    assert policy.document == usual
    for stored, expected in steps:
        controls.update({} if stored is None else {FLEET: stored}, {})
        assert (policy.document, policy.is_on) == (expected, expected is not None)


def test_what_is_set_already_counts_from_the_beginning() -> None:
    assert FleetPolicy(Controls({FLEET: as_json(HYBRID)})).document == HYBRID

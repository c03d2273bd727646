"""Servers whose leases are short, and jobs that take a while on them."""

from collections.abc import Mapping
from typing import Any

JOBS = "/v1/consumer/jobs"
TEMPLATE: Mapping[str, Any] = {
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a fox", "width": 64, "height": 64},
}


def short_leases(*, lease_ms: int, prompt_ms: int) -> Mapping[str, str]:
    """The settings of a simulation in which each job takes `prompt_ms`, and nothing else takes any time."""
    return {
        "SIMULATION_LOAD_MS": "0",
        "SIMULATION_PROMPT_MS": str(prompt_ms),
        "SIMULATION_STEP_MS": "0",
        "SIMULATION_CONVERT_MS": "0",
        "SIMULATION_PICTURES": "blank",
        "SCHEDULER_LEASE_MS": str(lease_ms),
        "SCHEDULER_POLL_MS": "200",
    }

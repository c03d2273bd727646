"""When a server that fails everything gets another prompt."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from civitai_mock.clock import VirtualClock
from civitai_mock.providers.comfyui.options import ComfyOptions
from civitai_mock.providers.comfyui.workers.breaker import MOST_IN_A_ROW, Breaker
from tests.support.dates import START

OPTIONS = ComfyOptions(cooldown=timedelta(seconds=30), longest_cooldown=timedelta(seconds=100))


class Circuit:
    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.changes = 0
        self.breaker = Breaker(worker_id="gpu", clock=self.clock, options=OPTIONS, changed=self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def fail(self, *prompt_ids: str) -> None:
        for prompt_id in prompt_ids:
            self.breaker.failed(prompt_id, "CUDA error")


@pytest.fixture
def circuit() -> Circuit:
    return Circuit()


def test_it_opens_when_different_prompts_fail_in_a_row(circuit: Circuit) -> None:
    circuit.fail(*map(str, range(MOST_IN_A_ROW - 1)))
    assert circuit.breaker.is_closed
    circuit.fail("last")
    assert circuit.breaker.is_resting
    assert circuit.breaker.reason.endswith("failed here (CUDA error); one is tried in 30 s")
    assert circuit.changes == 1


def test_one_prompt_that_fails_again_and_again_does_not_open_it(circuit: Circuit) -> None:
    circuit.fail(*["same"] * 10)
    assert circuit.breaker.is_closed


def test_a_success_in_between_keeps_it_closed(circuit: Circuit) -> None:
    circuit.fail("1", "2")
    circuit.breaker.succeeded()
    circuit.fail("3", "4")
    assert circuit.breaker.is_closed
    assert circuit.breaker.reason == ""


def test_each_rest_is_twice_as_long_up_to_a_bound_and_only_the_first_is_logged(circuit: Circuit) -> None:
    with capture_logs() as logs:
        circuit.fail("1", "2", "3")
        for seconds in (30, 60, 100, 100):
            circuit.clock.advance(seconds - 1)
            assert circuit.breaker.is_resting
            circuit.clock.advance(1)
            assert circuit.breaker.on_trial
            circuit.fail("trial")
        circuit.breaker.succeeded()
    assert [log["event"] for log in logs] == ["server put aside", "server back"]


def test_after_it_has_closed_it_begins_with_a_short_rest_again(circuit: Circuit) -> None:
    circuit.fail("1", "2", "3")
    circuit.clock.advance(30)
    circuit.fail("trial")
    circuit.breaker.succeeded()
    circuit.fail("1", "2", "3")
    circuit.clock.advance(30)
    assert circuit.breaker.on_trial


def test_what_fails_while_it_rests_prolongs_nothing(circuit: Circuit) -> None:
    circuit.fail("1", "2", "3")
    circuit.clock.advance(29)
    circuit.fail("sent before")
    circuit.clock.advance(1)
    assert circuit.breaker.on_trial

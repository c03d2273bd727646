"""The stand-in as an object: its faults, its statistics and its life."""

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.prompt_stats import MAX_PROMPTS, PromptStats
from tests.support.dates import START
from tests.support.standin import draw_plain


def test_statistics_forget_the_oldest_prompts() -> None:
    stats = PromptStats()
    for number in range(MAX_PROMPTS + 1):
        stats.facts_of(str(number)).accepted += 1
    assert len(stats.prompts) == MAX_PROMPTS
    assert "0" not in stats.prompts


def test_a_fault_with_a_count_occurs_that_often() -> None:
    faults = FaultControl()
    faults.set(half_images=2)
    assert [faults.consume("half_images") for _ in range(3)] == [True, True, False]


def test_reading_the_facts_of_an_unknown_prompt_leaves_none() -> None:
    standin = Standin(clock=VirtualClock(START), models={}, draw=draw_plain, options=StandinOptions())
    assert standin.prompt("nobody").accepted == 0
    assert standin.state.stats.prompts == {}


def test_a_stand_in_has_no_life_before_it_is_started() -> None:
    standin = Standin(clock=VirtualClock(START), models={}, draw=draw_plain, options=StandinOptions())
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = standin.life

"""Timing of simulated work, and the facts that are reported about it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.providers.simulator.timing import (
    INSTANT,
    MODELS_IN_MEMORY,
    PROFILES,
    REALISTIC,
    SimulatedWorker,
    demand_of,
)

BATCH = ImageBatch(width=1024, height=1024)
XL = "sdxl/civitai/101055/128078.safetensors"


def output(model: str = XL, *, steps: int = 25, node_id: str = "9", sampler: str = "3") -> OutputImages:
    return OutputImages(
        node_id=node_id,
        batch=BATCH,
        passes=(SamplerPass(steps=steps, model=model),),
        effort={sampler: steps * BATCH.megapixels},
    )


def test_an_ordinary_image_takes_seconds() -> None:
    worker = SimulatedWorker(REALISTIC)
    first, second = worker.take(demand_of([output()])), worker.take(demand_of([output()]))
    assert timedelta(seconds=4) < second.duration < timedelta(seconds=6) < first.duration < timedelta(seconds=9)


def test_more_steps_and_more_images_take_longer() -> None:
    def seconds(steps: int, count: int) -> float:
        batch = replace(BATCH, count=count)
        one = replace(output(steps=steps), batch=batch, effort={"3": steps * batch.megapixels})
        return SimulatedWorker(REALISTIC).take(demand_of([one])).duration.total_seconds()

    assert seconds(25, 1) < seconds(50, 1) < seconds(50, 2)


def test_the_instant_profile_takes_no_time() -> None:
    assert SimulatedWorker(INSTANT).take(demand_of([output()])).duration == timedelta()


def test_one_field_of_a_profile_can_be_chosen() -> None:
    worker = SimulatedWorker(replace(INSTANT, load=2.0))
    assert [worker.take(demand_of([output()])).duration for _ in range(2)] == [timedelta(seconds=2), timedelta()]


def test_profiles_have_the_names_of_the_setting() -> None:
    assert PROFILES == {"realistic": REALISTIC, "instant": INSTANT}


def test_facts_are_spelt_as_in_the_capture() -> None:
    worker = SimulatedWorker(replace(INSTANT, load=2.0, prompt=0.5, convert_per_megapixel=0.1))
    assert worker.take(demand_of([output()])).facts == {
        "comfy_mb_loaded": 6616,
        "comfy_load_ms": 2000,
        "middleware_duration_ComfyUI_ms": 2500,
        "middleware_duration_ConvertImages_ms": 104,
    }
    assert worker.take(demand_of([output()])).facts == {
        "comfy_mb_cached": 6616,
        "middleware_duration_ComfyUI_ms": 500,
        "middleware_duration_ConvertImages_ms": 104,
    }


@pytest.mark.parametrize(
    ("model", "megabytes"),
    [
        (XL, 6616),
        ("FLUX1-dev.safetensors", 11350),
        ("sd1/civitai/4384/128713.safetensors", 2034),
        ("ponyV6.ckpt", 6616),
    ],
)
def test_a_model_has_the_size_of_its_family(model: str, megabytes: int) -> None:
    assert SimulatedWorker(INSTANT).take(demand_of([output(model)])).facts["comfy_mb_loaded"] == megabytes


def test_a_sampler_with_two_outputs_works_once() -> None:
    profile = replace(INSTANT, step_per_megapixel=0.1)
    alone = SimulatedWorker(profile).take(demand_of([output()]))
    shared = SimulatedWorker(profile).take(demand_of([output(), output(node_id="10")]))
    apart = SimulatedWorker(profile).take(demand_of([output(), output(node_id="10", sampler="11")]))
    assert alone.duration == shared.duration < apart.duration


def test_a_model_that_was_not_used_for_long_is_loaded_again() -> None:
    worker = SimulatedWorker(INSTANT)
    for number in range(MODELS_IN_MEMORY + 1):
        worker.take(demand_of([output(f"model-{number}.safetensors")]))
    assert "comfy_mb_loaded" in worker.take(demand_of([output("model-0.safetensors")])).facts
    assert "comfy_mb_cached" in worker.take(demand_of([output(f"model-{MODELS_IN_MEMORY}.safetensors")])).facts


def test_no_graph_takes_for_ever() -> None:
    assert SimulatedWorker(REALISTIC).take(demand_of([output(steps=10**30)])).duration < timedelta(days=3)

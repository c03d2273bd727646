"""Training: what each epoch makes, and what the job shows of it."""

import json
import struct
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.domain.json_types import Json
from civitai_mock.generation.work import Epoch, TrainingWork
from tests.support.generation import SEED, plan, planned_job, work_of
from tests.support.templates import template

DTYPE_BYTES = {"F16": 2}


def epochs_of(**params: Json) -> tuple[Epoch, ...]:
    work = work_of(template("imageResourceTraining", params={"maxTrainEpochs": 2, "seed": 7, **params}))
    assert isinstance(work, TrainingWork)
    return work.epochs


def header_of(file: bytes) -> dict[str, Any]:
    """The header of a safetensors file, after the checks that its own library does."""
    (length,) = struct.unpack("<Q", file[:8])
    header: dict[str, Any] = json.loads(file[8 : 8 + length])
    data, end = file[8 + length :], 0
    for name, tensor in header.items():
        if name != "__metadata__":
            begin, stop = tensor["data_offsets"]
            count = 1
            for side in tensor["shape"]:
                count *= side
            assert (begin, stop - begin) == (end, count * DTYPE_BYTES[tensor["dtype"]])
            end = stop
    assert end == len(data)
    return header


def test_each_epoch_has_a_model_and_a_sample_for_each_prompt() -> None:
    epochs = epochs_of(samplePrompts=["a fox", "a boat"])
    assert [epoch.summary for epoch in epochs] == [
        {
            "epoch": number,
            "model": f"epoch-{number}.safetensors",
            "samples": [f"epoch-{number}-sample-1.png", f"epoch-{number}-sample-2.png"],
        }
        for number in (1, 2)
    ]
    assert [sample.prompt_text for sample in epochs[0].samples] == ["a fox", "a boat"]


def test_the_files_of_all_epochs_are_assets_of_the_job() -> None:
    planned = plan(template("imageResourceTraining"))
    assert planned.images == 0
    slots = planned.slots("job")
    assert [slot.name for slot in slots] == list(planned.assets)
    assert len({slot.blob_key for slot in slots}) == len(slots) == 6


def test_a_model_is_a_valid_file_that_names_its_epoch() -> None:
    first, second = (header_of(epoch.model) for epoch in epochs_of())
    assert first["__metadata__"]["ss_epoch"] == "1"
    assert second["__metadata__"] | {"ss_epoch": "1"} == first["__metadata__"]
    assert any(name.endswith(".lora_down.weight") for name in first)


def test_epochs_differ_and_are_the_same_again() -> None:
    first, second = epochs_of()
    assert first.model[-100:] != second.model[-100:]
    assert epochs_of() == (first, second)


@pytest.mark.parametrize("params", [None, {}])
def test_without_params_there_are_ten_epochs_of_one_sample(params: Json) -> None:
    work = work_of(template("imageResourceTraining", params=params))
    assert isinstance(work, TrainingWork)
    assert [len(epoch.samples) for epoch in work.epochs] == [1] * 10
    assert work.epochs[0].samples[0].seed == SEED + 1


def test_the_detailed_job_shows_params_that_nobody_knows() -> None:
    params: dict[str, Json] = {"maxTrainEpochs": 1, "unetLR": 0.0005, "engine": "kohya"}
    job = planned_job(template("imageResourceTraining", params=params))
    described = JOB_TYPES_BY_TYPE[job.type].describe(job)
    assert described["params"] == params
    assert described["model"] == "@civitai/128078"
    assert "seed" not in described

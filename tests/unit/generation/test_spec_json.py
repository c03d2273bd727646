"""Specs as JSON: what is written is read again, also what an earlier version wrote."""

import json
from typing import Any

import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.job_types import check_spec, stored_spec
from civitai_mock.generation.job_types.media import MediaCaptioningSpec
from civitai_mock.generation.job_types.text_to_image import TextToImageSpec
from civitai_mock.generation.job_types.training import TrainingSpec
from tests.support.generation import plan, planned_job
from tests.support.table import table
from tests.support.templates import MEDIA_URL, TEMPLATES, template

OLDEST: JsonObject = {
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"scheduler": "Undefined", "steps": 20, "cfgScale": 7, "width": 512, "height": 512, "seed": 5},
    "additionalNetworks": {"urn:air:sd1:lora:civitai:1@2": {"type": "Lora", "strength": 1}},
    "quantity": 1,
}


@table("name", TEMPLATES)
def test_a_stored_spec_is_read_as_it_was(name: str) -> None:
    spec = plan(template(name)).spec
    stored = json.loads(json.dumps(spec.to_json()))
    assert type(spec).from_json(stored) == spec
    assert stored_spec(planned_job(template(name))) == spec
    check_spec(planned_job(template(name)))


def test_what_the_first_versions_stored_is_read_and_written_again() -> None:
    """They knew neither kinds of models nor ControlNets."""
    spec = TextToImageSpec.from_json(OLDEST)
    assert (spec.model_kind, spec.control_nets) == (None, ())
    assert spec.to_json() == {**OLDEST, "controlNets": []}


def test_members_that_no_class_has_are_ignored() -> None:
    assert TextToImageSpec.from_json({**OLDEST, "loras": 3}) == TextToImageSpec.from_json(OLDEST)


def test_a_spec_without_what_it_needs_is_refused() -> None:
    with pytest.raises(TypeError, match="quantity"):
        TextToImageSpec.from_json({name: value for name, value in OLDEST.items() if name != "quantity"})


def test_what_training_does_not_read_is_stored_beside_what_it_reads() -> None:
    params: JsonObject = {"maxTrainEpochs": 2, "optimizerArgs": {"lr": None}, "max_train_epochs": 7, "resolution": None}
    spec: Any = plan(template("imageResourceTraining", params=params)).spec
    kept = {"maxTrainEpochs": 2, "optimizerArgs": {"lr": None}, "max_train_epochs": 7}
    assert spec.to_json()["params"] == kept
    assert TrainingSpec.from_json(spec.to_json()).params.max_train_epochs == 2


def test_whole_numbers_have_no_point() -> None:
    stored = MediaCaptioningSpec(media_url=MEDIA_URL, temperature=1.0).to_json()
    assert json.dumps(stored) == json.dumps({"mediaUrl": MEDIA_URL, "temperature": 1})

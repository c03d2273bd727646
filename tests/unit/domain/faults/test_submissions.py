"""What rules match in a body: members of version 1 and 2, whatever else stands there."""

from typing import Any

import pytest

from civitai_mock.domain.faults.submissions import SubmittedWork

CHECKPOINT, LORA = "urn:air:sdxl:checkpoint:civitai:101055@128078", "urn:air:sd1:lora:civitai:82098@87153"
V1: dict[str, Any] = {
    "$type": "textToImage",
    "model": CHECKPOINT,
    "params": {"prompt": "a fox", "negativePrompt": "a dog", "numImages": 4},
    "additionalNetworks": {LORA: {"strength": 1}},
}
STEP: dict[str, Any] = {
    "$type": "imageGen",
    "input": {"engine": "sdcpp", "ecosystem": "flux2Klein", "model": "klein", "prompt": "a cat", "loras": {LORA: 1}},
}


@pytest.mark.parametrize("body", [V1, {"jobs": [V1, V1]}, {"Jobs": [{name.upper(): V1[name] for name in V1}]}])
def test_a_body_of_version_1_is_read_as_one_job_or_a_list(body: Any) -> None:
    found = SubmittedWork.of(body)
    assert found.types == ("textToImage",)
    assert found.models == (CHECKPOINT, LORA)
    assert found.ecosystems == ("sdxl",)
    assert found.prompts == ("a fox",)
    assert not found.image_given


def test_a_body_of_version_2_is_read_with_all_of_its_steps() -> None:
    found = SubmittedWork.of({"steps": [STEP, {"$type": "chatCompletion", "input": {"messages": [{"content": "hi"}]}}]})
    assert found.types == ("imageGen", "chatCompletion")
    assert found.models == ("klein", LORA)
    assert found.ecosystems == ("sdcpp", "flux2Klein")
    assert found.prompts == ("a cat", "hi")


@pytest.mark.parametrize(
    ("sent", "ecosystem"),
    [({"baseModel": "SD_1_5"}, "sd1"), ({"baseModel": "SDXL"}, "SDXL"), ({"model": LORA}, "sd1")],
)
def test_an_ecosystem_is_named_or_that_of_the_model(sent: Any, ecosystem: str) -> None:
    assert SubmittedWork.of(sent).ecosystems == (ecosystem,)


@pytest.mark.parametrize(
    "sent",
    [
        {"params": {"sourceImage": "https://example.com/a.png"}},
        {"controlNets": [{"imageUrl": "https://example.com/a.png"}]},
        {"steps": [{"input": {"images": ["data:image/png;base64,AA=="]}}]},
        {"steps": [{"input": {"firstFrame": {"$ref": "0", "path": "output.images[0].url"}}}]},
        {"blobKey": "A1"},
    ],
)
def test_an_image_is_given_by_any_member_that_names_one(sent: Any) -> None:
    assert SubmittedWork.of(sent).image_given


@pytest.mark.parametrize(
    "sent", [{"sourceImage": None}, {"images": []}, {"numImages": 2}, {"image": ""}, {"video": "v"}]
)
def test_no_image_is_given_by_an_empty_member_or_by_a_number(sent: Any) -> None:
    assert not SubmittedWork.of(sent).image_given


@pytest.mark.parametrize("body", [None, 3, "text", [], {"model": 7, "$type": None, "prompt": {"a": 1}, "loras": []}])
def test_anything_may_stand_in_a_body(body: Any) -> None:
    assert SubmittedWork.of(body) == SubmittedWork()

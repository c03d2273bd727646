"""The graphs that the stand-in accepts: recorded ones, and others of which only the answers were recorded."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.comfyui_standin.validation.definitions import read_definitions
from civitai_mock.comfyui_standin.validation.validate import ValidationResult, ValidationRules, validate
from civitai_mock.domain.json_types import JsonObject
from tests.support.paths import DATA
from tests.support.recordings import LORAS, comparable
from tests.support.standin_session import text_to_image, with_inputs, with_node
from tests.support.table import table

GRAPHS = sorted((DATA / "comfyui_graphs").glob("*.json"))
OURS = sorted((DATA / "golden" / "graphs").glob("*.json"))
NODE_PACKS = "control-net"  # graphs with such names may have nodes of packs that people add
MODELS = {"checkpoints": ["sd15.safetensors"], "loras": LORAS}


def list_folder(folder: str) -> Sequence[str]:
    return MODELS.get(folder, [])


RULES = ValidationRules(
    definitions=read_definitions(), list_folder=list_folder, file_exists=lambda name: name == "there.png"
)
ANY_MODEL = ValidationRules(
    definitions=read_definitions(), list_folder=lambda _: [], file_exists=lambda _: True, accept_any_model=True
)


def validated(graph: Any, *, rules: ValidationRules = RULES, targets: Sequence[str] | None = None) -> ValidationResult:
    return validate(copy.deepcopy(graph), targets, rules)


def only_error(graph: Any) -> tuple[str, Any]:
    """Return the only invalid node and its only error, without what is not compared."""
    result = validated(graph)
    assert result.refusal is not None
    ((node_id, node),) = result.node_errors.items()
    (error,) = comparable(node)["errors"]
    return node_id, error


@table("path", GRAPHS, ids=lambda path: path.stem)
def test_every_graph_that_ran_on_the_real_server_is_accepted(path: Path) -> None:
    result = validated(json.loads(path.read_text("utf-8")), rules=ANY_MODEL)
    assert (result.refusal, result.node_errors) == (None, {})


@table("path", [path for path in OURS if NODE_PACKS not in path.stem], ids=lambda path: path.stem)
def test_every_graph_of_core_nodes_that_this_server_builds_is_accepted(path: Path) -> None:
    result = validated(json.loads(path.read_text("utf-8")), rules=ANY_MODEL)
    assert (result.refusal, result.node_errors) == (None, {})


@table("path", GRAPHS, ids=lambda path: path.stem)
def test_without_its_files_it_is_refused(path: Path) -> None:
    graph = json.loads(path.read_text("utf-8"))
    nothing = ValidationRules(definitions=read_definitions(), list_folder=lambda _: [], file_exists=lambda _: False)
    refused = validated(graph, rules=nothing)
    if path.stem != "upscale_with_model":  # its model comes from a new-style list, its image from the user
        assert refused.refusal is not None
    else:
        assert list(refused.invalid_nodes) == [
            node for node, body in graph.items() if body["class_type"] == "LoadImage"
        ]


def test_an_old_style_list_is_enforced() -> None:
    graph = with_node(text_to_image(), "20", "ImageScaleBy", upscale_method="nope", scale_by=1.0, image=["8", 0])
    node_id, error = only_error(with_inputs(graph, "9", images=["20", 0]))
    assert node_id == "20"
    assert error == {
        "type": "value_not_in_list",
        "message": "Value not in list",
        "details": "upscale_method: 'nope' not in ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos']",
        "extra_info": {
            "input_name": "upscale_method",
            "input_config": [["nearest-exact", "bilinear", "area", "bicubic", "lanczos"], {}],
            "received_value": "nope",
        },
    }


def test_there_is_no_lora_named_none() -> None:
    graph = with_node(
        text_to_image(), "30", "LoraLoader",
        lora_name="None", strength_model=1.0, strength_clip=1.0, model=["4", 0], clip=["4", 1],
    )  # fmt: skip
    node_id, error = only_error(with_inputs(graph, "3", model=["30", 0]))
    assert (node_id, error["details"]) == ("30", f"lora_name: 'None' not in {list(LORAS)}")


def test_a_positive_clip_skip_is_refused() -> None:
    graph = with_node(text_to_image(), "30", "CLIPSetLastLayer", stop_at_clip_layer=2, clip=["4", 1])
    _, error = only_error(with_inputs(graph, "6", clip=["30", 0]))
    assert error == {
        "type": "value_bigger_than_max",
        "message": "Value 2 bigger than max of -1",
        "details": "stop_at_clip_layer",
        "extra_info": {
            "input_name": "stop_at_clip_layer",
            "input_config": ["INT", {"default": -1, "min": -24, "max": -1, "step": 1}],
            "received_value": 2,
        },
    }


def test_every_missing_input_is_reported() -> None:
    graph = with_node(text_to_image(), "8", "VAEDecodeTiled", samples=["3", 0], vae=["4", 2], tile_size=512, overlap=64)
    errors = comparable(validated(graph).node_errors)["8"]["errors"]
    assert [error["details"] for error in errors] == ["temporal_size", "temporal_overlap"]
    assert {error["type"] for error in errors} == {"required_input_missing"}


@pytest.mark.parametrize(
    ("text", "type_name", "details"),
    [
        (["a", "b", "c"], "bad_linked_input", "text"),
        (["4", 1], "return_type_mismatch", "text, received_type(CLIP) mismatch input_type(STRING)"),
    ],
)
def test_a_text_that_is_a_list_is_taken_for_a_link(text: Any, type_name: str, details: str) -> None:
    node_id, error = only_error(with_inputs(text_to_image(), "6", text=text))
    assert (node_id, error["type"], error["details"]) == ("6", type_name, details)


@pytest.mark.parametrize("text", [{"a": 1}, 7, None, {"__value__": ["a", "b"]}, True])
def test_a_text_may_be_anything_else(text: Any) -> None:
    assert validated(with_inputs(text_to_image(), "6", text=text)).refusal is None


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"image": "nope.png"}, "image - Invalid image file: nope.png"),
        ({"image": ["4", 0]}, "'NoneType' object has no attribute 'endswith'"),
        ({"image": None}, "'NoneType' object has no attribute 'endswith'"),
        ({"image": 7}, "'int' object has no attribute 'endswith'"),
        ({}, "LoadImage.VALIDATE_INPUTS() missing 1 required positional argument: 'image'"),
    ],
    ids=str,
)
def test_an_image_to_load_must_exist(inputs: JsonObject, fault: str) -> None:
    graph = with_inputs(with_node(text_to_image(), "10", "LoadImage", **inputs), "9", images=["10", 0])
    node_id, error = only_error(graph)
    assert (node_id, error["details"]) == ("10", fault)


def test_an_image_that_exists_can_be_loaded() -> None:
    graph = with_node(text_to_image(), "10", "LoadImage", image="there.png")
    assert validated(with_inputs(graph, "9", images=["10", 0])).refusal is None


def test_an_output_whose_own_input_is_wrong_is_named_in_the_headline() -> None:
    result = validated(with_inputs(text_to_image(), "9", images=["4", 0]))
    assert result.refusal is not None
    assert result.refusal.details == (
        "Return type mismatch between linked nodes: images, received_type(MODEL) mismatch input_type(IMAGE)"
    )


def test_an_invalid_node_is_listed_with_every_output_that_fails_after_it() -> None:
    graph = with_node(text_to_image(), "10", "SaveImage", filename_prefix="x", images=["8", 0])
    result = validated(with_inputs(graph, "3", steps=0))
    assert result.invalid_nodes["3"].dependent_outputs == ["9", "10"]


def test_only_the_first_unknown_class_is_named() -> None:
    graph = {"1": {"class_type": "Nope"}, "2": {"class_type": "Neither"}}
    result = validated(graph)
    assert result.refusal is not None
    assert result.refusal.message == "Cannot execute because node Nope does not exist."


def test_only_requested_outputs_are_validated() -> None:
    graph = with_node(text_to_image(), "10", "SaveImage")
    assert validated(graph, targets=["9"]).outputs == ["9"]
    assert validated(graph, targets=["10"]).refusal is not None


def test_an_input_for_anything_takes_anything() -> None:
    graph = with_node(text_to_image(), "10", "PreviewAny", source=["4", 0])
    assert set(validated(graph).outputs) == {"9", "10"}


def test_a_very_deep_graph_is_refused_and_breaks_nothing() -> None:
    graph = text_to_image()
    for number in range(100, 1600):
        source = ["8", 0] if number == 100 else [str(number - 1), 0]
        graph = with_node(graph, str(number), "ImageInvert", image=source)
    assert validated(with_inputs(graph, "9", images=["1599", 0])).refusal is not None

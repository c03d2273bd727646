"""Skeletons as they are shipped, and what is wrong with one that is not right."""

import json
from typing import Any

import pytest

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.graph import Link, parse_skeleton
from civitai_mock.generation.graph_builder import GraphBuilder
from tests.support.generation import SKELETONS
from tests.support.graph_check import NODES

SHARED_SLOTS = {
    "model", "prompt", "sampler", "noise_schedule", "seed", "steps", "cfg_scale", "width", "height", "quantity",
    "denoise", "file_prefix",
}  # fmt: skip
GUIDED = SHARED_SLOTS | {"negative_prompt"}
# FLUX.1 has no use for a negative prompt, schnell for no guidance either; files of their own have a slot for the VAE.
SLOTS = {
    "sd1": GUIDED,
    "sdxl": GUIDED,
    "flux1": SHARED_SLOTS | {"vae"},
    "flux1_checkpoint": SHARED_SLOTS,
    "flux1_schnell": (SHARED_SLOTS - {"cfg_scale"}) | {"vae"},
    "flux1_schnell_checkpoint": SHARED_SLOTS - {"cfg_scale"},
}
WITHOUT_NEGATIVE = {"flux1", "flux1_schnell"}


def document(**changes: Any) -> JsonObject:
    graph = {
        "Loader": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": ""}},
        "Encoder": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["Loader", 1]}},
    }
    return {"graph": graph, "slots": {"prompt": ["Encoder", "text"]}, "sources": {"clip": ["Loader", 1]}, **changes}


@pytest.mark.parametrize("name", SKELETONS)
def test_a_skeleton_has_the_slots_that_an_image_fills(name: str) -> None:
    assert set(SKELETONS[name].slots) == SLOTS[name]


@pytest.mark.parametrize("name", SKELETONS)
def test_the_sources_of_a_skeleton_are_outputs_of_their_type(name: str) -> None:
    skeleton = SKELETONS[name]
    types = {
        source: NODES[skeleton.nodes[link.node_id].class_type]["outputs"][link.output]
        for source, link in skeleton.sources.items()
    }
    negative = {} if name in WITHOUT_NEGATIVE else {"negative": "CONDITIONING"}
    assert types == {
        "model": "MODEL",
        "clip": "CLIP",
        "vae": "VAE",
        "positive": "CONDITIONING",
        "latent": "LATENT",
        "samples": "LATENT",
        "image": "IMAGE",
        **negative,
    }


@pytest.mark.parametrize("slot", [["Encoder", "txt"], ["Decoder", "text"]])
def test_a_slot_that_names_no_input_is_refused(slot: list[str]) -> None:
    with pytest.raises(ValueError, match="slot prompt names no input"):
        parse_skeleton("x", document(slots={"prompt": slot}))


def test_a_list_of_two_is_a_link() -> None:
    skeleton = parse_skeleton("x", json.loads(json.dumps(document())))
    assert skeleton.nodes["Encoder"].inputs == {"text": "", "clip": Link("Loader", 1)}


def test_a_slot_that_a_skeleton_lacks_changes_nothing() -> None:
    builder = GraphBuilder(parse_skeleton("x", document()))
    before = builder.build()
    assert not builder.fill("negative_prompt", "ugly")
    assert builder.build() == before


def test_nodes_that_are_put_behind_a_source_stand_in_a_row() -> None:
    builder = GraphBuilder(parse_skeleton("x", document()))
    for layer in (-2, -3):
        builder.insert("CLIPSetLastLayer", {"stop_at_clip_layer": layer}, behind={"clip": "clip"})
    graph = builder.build()
    assert graph["CLIPSetLastLayer"]["inputs"] == {"stop_at_clip_layer": -2, "clip": ["Loader", 1]}
    assert graph["CLIPSetLastLayer_1"]["inputs"] == {"stop_at_clip_layer": -3, "clip": ["CLIPSetLastLayer", 0]}
    assert graph["Encoder"]["inputs"] == {"text": "", "clip": ["CLIPSetLastLayer_1", 0]}

"""The checker of graphs catches each fault; otherwise green graph tests would mean nothing."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.support.graph_check import NODES, faults
from tests.support.paths import DATA

Graph = dict[str, Any]
GOLDEN = DATA / "golden" / "graphs"


@pytest.fixture
def graph() -> Graph:
    loaded: Graph = json.loads((GOLDEN / "sd1-plain.json").read_text("utf-8"))
    return loaded


def set_input(node_id: str, name: str, value: object) -> Callable[[Graph], None]:
    def change(graph: Graph) -> None:
        graph[node_id]["inputs"][name] = value

    return change


def without_input(node_id: str, name: str) -> Callable[[Graph], None]:
    return lambda graph: graph[node_id]["inputs"].pop(name)


def with_class(node_id: str, class_type: str | None) -> Callable[[Graph], None]:
    def change(graph: Graph) -> None:
        graph[node_id]["class_type"] = class_type

    return change


def without_inputs(graph: Graph) -> None:
    del graph["KSampler"]["inputs"]


def with_orphan(graph: Graph) -> None:
    graph["VAELoader"] = {"class_type": "VAELoader", "inputs": {"vae_name": "x.safetensors"}}


def without_output(graph: Graph) -> None:
    del graph["SaveImage"]


def with_cycle(graph: Graph) -> None:
    """Two LoRA loaders that feed each other, and the sampler."""
    for node_id, other in (("a", "b"), ("b", "a")):
        inputs = {"lora_name": "x", "strength_model": 1, "strength_clip": 1, "model": [other, 0], "clip": [other, 1]}
        graph[node_id] = {"class_type": "LoraLoader", "inputs": inputs}
    graph["KSampler"]["inputs"]["model"] = ["a", 0]


CASES = {
    "a class that is unknown": (with_class("VAEDecode", "VAEDecodeTurbo"), "VAEDecode: unknown class VAEDecodeTurbo"),
    "a node without a class": (with_class("VAEDecode", None), "VAEDecode: unknown class None"),
    "a node without inputs": (without_inputs, "KSampler.inputs: missing"),
    "a required input that is missing": (
        without_input("KSampler", "positive"),
        "KSampler.positive: required input is missing",
    ),
    "an input that is unknown": (set_input("SaveImage", "quality", 9), "SaveImage.quality: unknown input"),
    "a link to nowhere": (set_input("VAEDecode", "vae", ["x", 0]), "VAEDecode.vae: link to absent node x"),
    "a link to an output that is not there": (
        set_input("VAEDecode", "vae", ["CheckpointLoaderSimple", 3]),
        "VAEDecode.vae: CheckpointLoaderSimple has no output 3",
    ),
    "a link to an output of another type": (
        set_input("VAEDecode", "vae", ["CheckpointLoaderSimple", 1]),
        "VAEDecode.vae: expected VAE, linked to CLIP",
    ),
    "a literal where a link belongs": (set_input("VAEDecode", "vae", "x"), "VAEDecode.vae: expected a link to VAE"),
    "a number below its range": (set_input("KSampler", "seed", -1), "KSampler.seed: -1 is out of range"),
    "a number above its range": (set_input("KSampler", "cfg", 100.5), "KSampler.cfg: 100.5 is out of range"),
    "a fraction for a whole number": (set_input("KSampler", "steps", 2.5), "KSampler.steps: 2.5 is not of type INT"),
    "a truth value for a number": (set_input("KSampler", "cfg", True), "KSampler.cfg: True is not of type FLOAT"),
    "a value that is no option": (
        set_input("KSampler", "sampler_name", "Euler a"),
        "KSampler.sampler_name: 'Euler a' is not an option",
    ),
    "a text that is none": (set_input("CLIPTextEncode", "text", 5), "CLIPTextEncode.text: expected a text"),
    "an empty file name": (
        set_input("CheckpointLoaderSimple", "ckpt_name", " "),
        "CheckpointLoaderSimple.ckpt_name: expected a file name",
    ),
    "a node that nothing needs": (with_orphan, "VAELoader: no output node needs it"),
    "a graph without output": (without_output, "graph: no output node"),
    "a cycle": (with_cycle, "a: part of a cycle"),
}


@pytest.mark.parametrize(("change", "fault"), CASES.values(), ids=CASES.keys())
def test_the_checker_finds(graph: Graph, change: Callable[[Graph], None], fault: str) -> None:
    broken = deepcopy(graph)
    change(broken)
    assert fault in faults(broken)


def test_the_checker_finds_nothing_in_a_good_graph(graph: Graph) -> None:
    assert faults(graph) == []


def test_the_checker_knows_every_class_of_the_skeletons() -> None:
    assert {"KSampler", "SamplerCustomAdvanced", "LoraLoader", "HypernetworkLoader"} <= NODES.keys()

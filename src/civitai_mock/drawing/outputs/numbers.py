"""Latents, models and meshes: small valid files of random numbers."""

import json
import struct
from random import Random

import numpy as np

from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.drawing.pixels.files import LATENT
from civitai_mock.generation.comfyui_facts import LATENT_CELL, SEED_INPUTS
from civitai_mock.generation.graph_reader.samplers import seed_in
from civitai_mock.generation.placeholder_results import Tensor, packed, small_lora

CHANNELS, MORE_CHANNELS = 4, 16
OF_MORE_CHANNELS = frozenset({"EmptySD3LatentImage", "UNETLoader"})
GLTF, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
TRIANGLE = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="3" fill="{}"/></svg>'


def latent(making: OutputContext) -> bytes:
    frame = making.frame
    above = {making.nodes.class_type(node_id) for node_id in making.nodes.upstream(making.node_id)}
    channels = MORE_CHANNELS if above & OF_MORE_CHANNELS else CHANNELS
    shape = [frame.count, channels, frame.height // LATENT_CELL, frame.width // LATENT_CELL]
    numbers = np.random.default_rng(_seed(making)).standard_normal(shape, np.float32)
    tensors = {
        LATENT: Tensor(dtype="F32", shape=shape, data=numbers.tobytes()),
        "latent_format_version_0": Tensor(dtype="F32", shape=[0], data=b""),
    }
    return packed(tensors, making.texts)


def model(making: OutputContext) -> bytes:
    weights = Tensor(shape=[4, 4], data=struct.pack("<16e", *(_throws(making).gauss(0, 0.02) for _ in range(16))))
    return packed({"model.weight": weights}, making.texts)


def lora(making: OutputContext) -> bytes:
    return small_lora(making.texts, _throws(making))


def vector_graphic(making: OutputContext) -> bytes:
    return SVG.format(f"hsl({_seed(making) % 360},60%,50%)").encode()


def mesh(making: OutputContext) -> bytes:
    """A triangle as binary glTF."""
    points = b"".join(struct.pack("<3f", *point) for point in TRIANGLE)
    document = {
        "asset": {"version": "2.0", "extras": dict(making.texts)},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "buffers": [{"byteLength": len(points)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(points)}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]}
        ],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(points), BINARY_CHUNK) + points
    return struct.pack("<III", GLTF, 2, 12 + len(body)) + body


def _throws(making: OutputContext) -> Random:
    return Random(_seed(making))


def _seed(making: OutputContext) -> int:
    seed = seed_in(making.nodes.nearest(making.node_id, frozenset(SEED_INPUTS), skip=()))
    return abs(seed) if isinstance(seed, int) else 0

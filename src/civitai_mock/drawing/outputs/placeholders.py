"""Placeholder files for latents, models, meshes and vector graphics: small and valid, of seeded random numbers."""

import json
import struct
from random import Random

import numpy as np

from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.drawing.pixels.files import LATENT
from civitai_mock.generation.comfyui_facts import LATENT_CELL, SEED_INPUTS
from civitai_mock.generation.graph_reader.samplers import seed_in
from civitai_mock.generation.placeholder_results import small_lora
from civitai_mock.generation.safetensors import Tensor, safetensors_file

CHANNELS, MORE_CHANNELS = 4, 16
CLASSES_OF_MORE_CHANNELS = frozenset({"EmptySD3LatentImage", "UNETLoader"})
GLTF_MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
TRIANGLE = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="3" fill="{}"/></svg>'


def latent(context: OutputContext) -> bytes:
    batch = context.batch
    classes_above = {context.nodes.class_type(node_id) for node_id in context.nodes.upstream(context.node_id)}
    channels = MORE_CHANNELS if classes_above & CLASSES_OF_MORE_CHANNELS else CHANNELS
    shape = [batch.count, channels, batch.height // LATENT_CELL, batch.width // LATENT_CELL]
    numbers = np.random.default_rng(_seed(context)).standard_normal(shape, np.float32)
    tensors = {
        LATENT: Tensor(dtype="F32", shape=shape, data=numbers.tobytes()),
        "latent_format_version_0": Tensor(dtype="F32", shape=[0], data=b""),
    }
    return safetensors_file(tensors, context.texts)


def model(context: OutputContext) -> bytes:
    weights = Tensor(shape=[4, 4], data=struct.pack("<16e", *(_random(context).gauss(0, 0.02) for _ in range(16))))
    return safetensors_file({"model.weight": weights}, context.texts)


def lora(context: OutputContext) -> bytes:
    return small_lora(context.texts, _random(context))


def vector_graphic(context: OutputContext) -> bytes:
    return SVG.format(f"hsl({_seed(context) % 360},60%,50%)").encode()


def mesh(context: OutputContext) -> bytes:
    """Return a triangle as binary glTF."""
    points = b"".join(struct.pack("<3f", *point) for point in TRIANGLE)
    document = {
        "asset": {"version": "2.0", "extras": dict(context.texts)},
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
    return struct.pack("<III", GLTF_MAGIC, 2, 12 + len(body)) + body


def _random(context: OutputContext) -> Random:
    return Random(_seed(context))


def _seed(context: OutputContext) -> int:
    seed = seed_in(context.nodes.nearest(context.node_id, frozenset(SEED_INPUTS), skip=()))
    return abs(seed) if isinstance(seed, int) else 0

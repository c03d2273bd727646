"""Placeholder files: small and valid ones of types that nothing is drawn in."""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from random import Random

from civitai_mock.domain.media import UNKNOWN_TYPE
from civitai_mock.generation.file_recipes import PlaceholderRecipe
from civitai_mock.generation.placeholder_results import small_lora

GLTF_MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
FLOATS, SHORTS = 5126, 5123  # of glTF
VERTEX_TARGET, INDEX_TARGET = 34962, 34963
CORNERS = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
# Two triangles for each side, whose corners go round against the clock as seen from outside.
SIDES = (
    *(0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1),
    *(2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3),
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" fill="{}"/>'
    '<circle cx="50" cy="50" r="{}" fill="{}"/></svg>\n'
)
ONLY_FILE = "readme.txt"
TEXT = b"This file stands in for one that a model would make.\n"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a ZIP file can name


def make_placeholder(recipe: PlaceholderRecipe) -> bytes:
    """Return the file of a recipe; of an unknown type it is plain text."""
    make = PLACEHOLDERS.get(recipe.content_type)
    return make(recipe) if make else TEXT


def _cube(recipe: PlaceholderRecipe) -> bytes:
    """Return a cube of a seeded colour as binary glTF."""
    points = b"".join(struct.pack("<3f", *corner) for corner in CORNERS)
    corners = struct.pack(f"<{len(SIDES)}H", *SIDES)
    random = Random(recipe.seed)
    colour = [round(random.uniform(0.2, 0.9), 3) for _ in range(3)]
    document = {
        "asset": {"version": "2.0", "extras": dict(recipe.metadata)},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "cube"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [*colour, 1], "metallicFactor": 0}}],
        "buffers": [{"byteLength": len(points) + len(corners)}],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(points), "target": VERTEX_TARGET},
            {"buffer": 0, "byteOffset": len(points), "byteLength": len(corners), "target": INDEX_TARGET},
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": FLOATS,
                "count": len(CORNERS),
                "type": "VEC3",
                "min": list(CORNERS[0]),
                "max": list(CORNERS[-1]),
            },
            {"bufferView": 1, "componentType": SHORTS, "count": len(SIDES), "type": "SCALAR"},
        ],
    }
    return _glb(json.dumps(document).encode(), points + corners)


def _glb(text: bytes, data: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    body = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(data), BINARY_CHUNK) + data
    return struct.pack("<III", GLTF_MAGIC, 2, 12 + len(body)) + body


def _weights(recipe: PlaceholderRecipe) -> bytes:
    return small_lora(recipe.metadata, Random(recipe.seed))


def _vector_graphic(recipe: PlaceholderRecipe) -> bytes:
    hue = recipe.seed % 360
    return SVG.format(f"hsl({hue},60%,85%)", 20 + recipe.seed % 25, f"hsl({hue},60%,45%)").encode()


def _json(_: PlaceholderRecipe) -> bytes:
    return b"{}\n"


def _zip(_: PlaceholderRecipe) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(ONLY_FILE, EARLIEST), TEXT)
    return file.getvalue()


def _tar(_: PlaceholderRecipe) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(ONLY_FILE)
        entry.size = len(TEXT)
        archive.addfile(entry, io.BytesIO(TEXT))
    return file.getvalue()


PLACEHOLDERS: Mapping[str, Callable[[PlaceholderRecipe], bytes]] = {
    "model/gltf-binary": _cube,
    UNKNOWN_TYPE: _weights,
    "image/svg+xml": _vector_graphic,
    "application/json": _json,
    "application/zip": _zip,
    "application/x-tar": _tar,
}

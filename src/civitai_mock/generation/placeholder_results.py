"""Placeholder results of models that do not run here: plausible, and always the same for the same words."""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

EMBEDDING_SIZE = 768  # as many numbers as CLIP ViT-L/14 gives

SUBJECTS = ("a fox", "a lighthouse", "a sailing boat", "an old bridge", "a portrait of a woman", "a city street")
PLACES = ("in fresh snow", "at the edge of a forest", "under a starry sky", "beside a quiet river", "in morning mist")
STYLES = ("soft natural light", "dramatic shadows", "muted colours", "a shallow depth of field", "vivid colours")
MEDIA_TAGS = (
    *("animal", "architecture", "boat", "bridge", "city", "clouds", "forest", "fox", "landscape", "man", "mountain"),
    *("night", "person", "portrait", "river", "road", "sea", "sky", "snow", "sunset", "tree", "woman"),
)
BOORU_TAGS = (
    *(
        "1girl",
        "blue_sky",
        "brown_hair",
        "building",
        "cloud",
        "day",
        "flower",
        "grass",
        "long_hair",
        "looking_at_viewer",
    ),
    *(
        "mountain",
        "night",
        "no_humans",
        "outdoors",
        "scenery",
        "smile",
        "snow",
        "solo",
        "standing",
        "star_(sky)",
        "tree",
    ),
)
LEAST_TAGS, MOST_TAGS = 6, 12


def seeded_random(*words: str) -> Random:
    """The same throws for the same words, in every process."""
    return Random("\n".join(words))


def confidences(vocabulary: Sequence[str], throws: Random) -> dict[str, float]:
    """Some of the words, each with how sure the model is of it (0 to 1), the surest first."""
    chosen = throws.sample(vocabulary, throws.randint(LEAST_TAGS, MOST_TAGS))
    sure = sorted((round(throws.uniform(0.35, 0.99), 4) for _ in chosen), reverse=True)
    return dict(zip(chosen, sure, strict=True))


def shares(names: Sequence[str], throws: Random) -> dict[str, float]:
    """Of one whole, most of it for the first name."""
    weights = [1.0, *(throws.uniform(0, 0.08) for _ in names[1:])]
    return {name: round(weight / sum(weights), 4) for name, weight in zip(names, weights, strict=True)}


def caption(throws: Random) -> str:
    return f"The image shows {throws.choice(SUBJECTS)} {throws.choice(PLACES)}, with {throws.choice(STYLES)}."


def embedding(throws: Random) -> list[float]:
    """A vector of length 1."""
    numbers = [throws.gauss(0, 1) for _ in range(EMBEDDING_SIZE)]
    length = math.hypot(*numbers)
    return [round(number / length, 6) for number in numbers]


RANK = 4
WIDTH = 16
ALIGNMENT = 8
LAYER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """`dtype` in the words of the format: F16, F32…."""

    dtype: str = "F16"
    shape: Sequence[int]
    data: bytes


def small_lora(metadata: Mapping[str, str], throws: Random) -> bytes:
    """One layer of a LoRA; `metadata` tells what kohya's trainer would (`ss_epoch`…)."""
    tensors = {
        f"{LAYER}.alpha": Tensor(shape=[], data=struct.pack("<e", RANK)),
        f"{LAYER}.lora_down.weight": Tensor(shape=[RANK, WIDTH], data=_numbers(throws)),
        f"{LAYER}.lora_up.weight": Tensor(shape=[WIDTH, RANK], data=_numbers(throws)),
    }
    return packed(tensors, metadata)


def packed(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    start = 0
    for name, tensor in tensors.items():
        offsets = [start, start + len(tensor.data)]
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        start += len(tensor.data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text + b"".join(tensor.data for tensor in tensors.values())


def shapes_of(content: bytes) -> Mapping[str, Sequence[int]]:
    """Return the shapes by the tensors' names; none for what is not in this format."""
    try:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, TypeError, LookupError, AttributeError, struct.error, RecursionError):
        return {}


def _numbers(throws: Random) -> bytes:
    return struct.pack(f"<{RANK * WIDTH}e", *(throws.gauss(0, 0.02) for _ in range(RANK * WIDTH)))

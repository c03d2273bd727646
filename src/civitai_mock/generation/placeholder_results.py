"""Placeholder results of models that do not run here: plausible, and always the same for the same words."""

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from random import Random

from civitai_mock.domain.png import SIGNATURE, chunk
from civitai_mock.generation.safetensors import Tensor, safetensors_file

EMBEDDING_SIZE = 768  # as many numbers as CLIP ViT-L/14 gives
LEAST_TAGS, MOST_TAGS = 6, 12

SUBJECTS = ("a fox", "a lighthouse", "a sailing boat", "an old bridge", "a portrait of a woman", "a city street")
PLACES = ("in fresh snow", "at the edge of a forest", "under a starry sky", "beside a quiet river", "in morning mist")
STYLES = ("soft natural light", "dramatic shadows", "muted colours", "a shallow depth of field", "vivid colours")
MEDIA_TAGS = (
    *("animal", "architecture", "boat", "bridge", "city", "clouds", "forest", "fox", "landscape", "man", "mountain"),
    *("night", "person", "portrait", "river", "road", "sea", "sky", "snow", "sunset", "tree", "woman"),
)
BOORU_TAGS = (
    *("1girl", "blue_sky", "brown_hair", "building", "cloud", "day", "flower", "grass", "long_hair"),
    *("looking_at_viewer", "mountain", "night", "no_humans", "outdoors", "scenery", "smile", "snow", "solo"),
    *("standing", "star_(sky)", "tree"),
)

RATINGS = ("general", "sensitive", "questionable", "explicit")  # of WD taggers, the mildest first

RANK, WIDTH = 4, 16  # of the matrices of a small LoRA
INDEXED_COLOUR = 3  # of PNG's types; a pixel has one bit here
PIXELS_OF_A_BYTE = 8
LEAST_PERIOD, MOST_PERIOD = 2, 9  # of stripes, in bytes of pixels
LAYER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


def seeded_random(*words: str) -> Random:
    """Return a source of random numbers that is the same for the same words in every process."""
    return Random("\n".join(words))


def confidences(vocabulary: Sequence[str], random: Random) -> dict[str, float]:
    """Choose some words, each with how sure the model is of it (0 to 1), the surest first."""
    chosen = random.sample(vocabulary, random.randint(LEAST_TAGS, MOST_TAGS))
    numbers = sorted((round(random.uniform(0.35, 0.99), 4) for _ in chosen), reverse=True)
    return dict(zip(chosen, numbers, strict=True))


def shares(names: Sequence[str], random: Random) -> dict[str, float]:
    """Divide 1 among some names, with the largest share for the first one."""
    weights = [1.0, *(random.uniform(0, 0.08) for _ in names[1:])]
    return {name: round(weight / sum(weights), 4) for name, weight in zip(names, weights, strict=True)}


def caption(random: Random) -> str:
    return f"The image shows {random.choice(SUBJECTS)} {random.choice(PLACES)}, with {random.choice(STYLES)}."


def embedding(random: Random) -> list[float]:
    """Return a vector of length 1."""
    numbers = [random.gauss(0, 1) for _ in range(EMBEDDING_SIZE)]
    length = math.hypot(*numbers)
    return [round(number / length, 6) for number in numbers]


def small_lora(metadata: Mapping[str, str], random: Random) -> bytes:
    """Return a file with one layer of a LoRA; `metadata` tells what kohya's trainer would (`ss_epoch`…)."""
    tensors = {
        f"{LAYER}.alpha": Tensor(shape=[], data=struct.pack("<e", RANK)),
        f"{LAYER}.lora_down.weight": Tensor(shape=[RANK, WIDTH], data=_weights(random)),
        f"{LAYER}.lora_up.weight": Tensor(shape=[WIDTH, RANK], data=_weights(random)),
    }
    return safetensors_file(tensors, metadata)


def small_png(width: int, height: int, random: Random) -> bytes:
    """Return an image of two colours in stripes, of a few kilobytes even where it has millions of pixels."""
    palette = bytes(random.randrange(256) for _ in range(2 * 3))
    row_bytes, period = -(-width // PIXELS_OF_A_BYTE), random.randint(LEAST_PERIOD, MOST_PERIOD)
    stripes = (b"\xff" * period + b"\0" * period) * (row_bytes // period + 1)
    rows = [b"\0" + stripes[row // PIXELS_OF_A_BYTE % period :][:row_bytes] for row in range(height)]
    header = struct.pack(">IIBBBBB", width, height, 1, INDEXED_COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in chunks)


def _weights(random: Random) -> bytes:
    return struct.pack(f"<{RANK * WIDTH}e", *(random.gauss(0, 0.02) for _ in range(RANK * WIDTH)))

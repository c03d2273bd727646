"""A small LoRA file, in the format of safetensors: the length of a JSON header, the header, the numbers."""

import json
import struct
from collections.abc import Mapping
from random import Random

RANK = 4
WIDTH = 16
ALIGNMENT = 8
LAYER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


def small_lora(metadata: Mapping[str, str], throws: Random) -> bytes:
    """One layer of a LoRA; `metadata` tells what kohya's trainer would (`ss_epoch`…)."""
    tensors = {
        f"{LAYER}.alpha": ([], struct.pack("<e", RANK)),
        f"{LAYER}.lora_down.weight": ([RANK, WIDTH], _numbers(throws)),
        f"{LAYER}.lora_up.weight": ([WIDTH, RANK], _numbers(throws)),
    }
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    start = 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [start, start + len(data)]}
        start += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values())


def _numbers(throws: Random) -> bytes:
    return struct.pack(f"<{RANK * WIDTH}e", *(throws.gauss(0, 0.02) for _ in range(RANK * WIDTH)))

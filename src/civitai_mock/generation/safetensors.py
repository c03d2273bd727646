"""Files in the format of safetensors: the length of a JSON header, the header, the numbers."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

RANK = 4
WIDTH = 16
ALIGNMENT = 8
LAYER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """`dtype` in the words of the format: F16, F32…"""

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

"""Write and read the header of safetensors files, which hold models and latents."""

import json
import struct
from collections.abc import Mapping, Sequence

from civitai_mock.domain.dataclass import dataclass

ALIGNMENT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """Is a tensor of a file; `dtype` is in the words of the format: F16, F32 and so on."""

    dtype: str = "F16"
    shape: Sequence[int]
    data: bytes


def safetensors_file(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    start = 0
    for name, tensor in tensors.items():
        offsets = [start, start + len(tensor.data)]
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        start += len(tensor.data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text + b"".join(tensor.data for tensor in tensors.values())


def tensor_shapes(content: bytes) -> Mapping[str, Sequence[int]]:
    """Return the shapes of tensors by their names; nothing for bytes that are not in this format."""
    try:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, TypeError, LookupError, AttributeError, struct.error, RecursionError):
        return {}

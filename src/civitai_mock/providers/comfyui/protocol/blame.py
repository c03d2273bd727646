"""Decide whose fault an error of a ComfyUI server is: the request's, the server's, or nobody knows."""

import re
from collections.abc import Sequence
from enum import StrEnum

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.json_types import as_text
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from civitai_mock.providers.comfyui.protocol.prompt_errors import NOT_IN_LIST, complaints_of


class Blame(StrEnum):
    """Names who is to blame: every server would fail the REQUEST, this SERVER is in a bad state, or it is UNKNOWN."""

    REQUEST = "request"
    SERVER = "server"
    UNKNOWN = "unknown"


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# Looked for in the message, before anything else: a server may say "CUDA error" or "[Errno 28]" for any type.
DEVICE = _any_of(
    r"\b(CUDA|HIP|ROCm|XPU|MPS|NCCL|NVML|DirectML)\b",
    r"cu(DNN|BLAS|FFT|SPARSE|SOLVER|RAND)",
    r"(hip|roc)(BLAS|FFT|SPARSE|SOLVER|RAND|Error)",
    r"MIOpen|nvrtc|nvidia|device-side assert|no kernel image",
    r"driver (version|shutting down|error)|failed to initialize driver",
    r"not implemented for '(Half|BFloat16|Float8)",
)
MEMORY = _any_of(
    r"out of memory|not enough (\w+ )?memory|insufficient (\w+ )?memory",
    r"(can'?t|cannot|could not|unable to|failed to) allocate",
    r"allocation on device|paging file is too small",
)
DISK = _any_of(
    r"no space left|not enough (disk )?space|disk (quota|full|is full)|quota exceeded|read-only file ?system",
    r"permission denied|access is denied|operation not permitted|input/output error|stale file handle",
    r"too many open files|resource (busy|temporarily unavailable)|no such file or directory|no such device",
    r"\[(Errno|WinError) \d+\]|os error \d+|unable to mmap|mmap(ing)? failed",
)
MODEL_FILE = _any_of(
    r"deserializing header|header ?too ?(large|small)|(invalid|incomplete) ?(header|metadata)|incomplete ?buffer",
    r"file not fully covered|PytorchStreamReader|central directory|invalid load key|unpickl|weights_only",
    r"unexpected (EOF|end of file)|ran out of input|corrupt|(checkpoint|safetensors|model) file\b.*\b(damaged|invalid)",
    r"could not detect model type|model in folder .* not found|not a zip file",
)
NETWORK = _any_of(
    r"connection (was )?(refused|reset|aborted|closed|timed out|error)|timed? ?out|broken pipe|max retries exceeded",
    r"name or service not known|temporary failure in name resolution|getaddrinfo|ssl:|huggingface|offline mode",
)
NODE_PACK = _any_of(
    r"no module named|cannot import name|dll load failed|shared object file|undefined symbol",
    r"not compiled with|xformers|triton|flash[-_ ]?att|sage[-_ ]?att",
    r"cannot schedule new futures|interpreter shutdown|can't start new thread",
)
SERVERS = (DEVICE, MEMORY, DISK, MODEL_FILE, NETWORK, NODE_PACK)

# Named by the last part of an exception's type.
SERVER_TYPES = frozenset(
    {
        "AcceleratorError", "BadZipFile", "BrokenPipeError", "ChildProcessError", "ConnectionAbortedError",
        "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "CudaError", "EOFError",
        "FileNotFoundError", "HTTPError", "HfHubHTTPError", "ImportError", "IOError", "LocalEntryNotFoundError",
        "MemoryError", "ModuleNotFoundError", "OSError", "OutOfMemoryError", "PermissionError", "ProxyError",
        "ReadTimeout", "SSLError", "SafetensorError", "TimeoutError", "URLError", "UnpicklingError",
    }
)  # fmt: skip
FILE_TYPES = frozenset({"BadZipFile", "EOFError", "FileNotFoundError", "SafetensorError", "UnpicklingError"})
REQUEST_TYPES = frozenset({"UnidentifiedImageError", "DecompressionBombError", "EinopsError"})

# What the graph asks for cannot be done with the images and models that it names, wherever it runs.
REQUESTS = _any_of(
    r"mat1 and mat2|shapes? cannot be multiplied|size mismatch|shape mismatch|mismatched (size|shape)",
    r"sizes? of tensors? (a |must)|must match the size of tensor|expected (input|tensor|size).* (but )?got",
    r"given groups=|kernel size can'?t be greater|calculated padded input size|output size is too small",
    r"shape '?[\[(].*[\])]'? is invalid|invalid for input of size|could not (be )?broadcast|broadcast together",
    r"stack expects each tensor|padding size should be less|dimension out of range|must be divisible",
    r"(clip|vae) (input )?is invalid: none|outside the output folder|file ?name too long",
    r"image file is truncated|cannot identify image|broken data stream|truncated file read|decompression bomb",
    r"'(str|int|float|bool|list|dict)' object (has no attribute|is not|does not)|string indices must be integers",
)

# Complaints of a server about a graph that another one may take.
LISTED_ELSEWHERE = frozenset({NOT_IN_LIST, "custom_validation_failed", "exception_during_validation"})
UNKNOWN_NODES = frozenset({"invalid_prompt", "missing_node_type", "too_large"})


def blame_of(failure: NodeFailure) -> Blame:
    """Judge the failure of a node by its message, then by the type of its exception."""
    kind = _last_name(failure)
    if REQUESTS.search(failure.message) and not is_about_device(failure):
        return Blame.REQUEST
    if _matches(failure.message, SERVERS):
        return Blame.SERVER
    if kind in REQUEST_TYPES:
        return Blame.REQUEST
    return Blame.SERVER if kind in SERVER_TYPES else Blame.UNKNOWN


def is_about_model_file(failure: NodeFailure) -> bool:
    """Tell whether a node could not read a model file, which says little about what else its server can do."""
    return _last_name(failure) in FILE_TYPES or bool(MODEL_FILE.search(failure.message))


def blame_of_refusal(refusal: JobError) -> Blame:
    """Judge the refusal of a graph; another server may have the nodes, files and images."""
    kinds = {as_text(complaint.get("type")) for complaint in complaints_of(refusal)}
    is_elsewhere = kinds <= LISTED_ELSEWHERE if kinds else refusal.evidence.get("error_type") in UNKNOWN_NODES
    return Blame.UNKNOWN if is_elsewhere else Blame.REQUEST


def is_about_device(failure: NodeFailure) -> bool:
    """Tell whether the device or its memory failed, which any other node would report as well."""
    return _matches(failure.message, (DEVICE, MEMORY))


def _last_name(failure: NodeFailure) -> str:
    return failure.exception_type.rpartition(".")[2]


def _matches(message: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    return any(pattern.search(message) for pattern in patterns)

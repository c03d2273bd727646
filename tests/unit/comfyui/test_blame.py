"""Whose fault it is when a node raises: one row for each thing that servers say."""

from civitai_mock.providers.comfyui.protocol.blame import Blame, blame_of
from civitai_mock.providers.comfyui.protocol.messages import NodeFailure
from tests.support.table import table

SERVER = [
    ("OSError", "[Errno 28] No space left on device"),
    ("OSError", "[Errno 122] Disk quota exceeded: '/data/output'"),
    ("OSError", "[Errno 30] Read-only file system: '/output/ComfyUI_00001_.png'"),
    ("OSError", "[Errno 5] Input/output error"),
    ("OSError", "[Errno 24] Too many open files"),
    ("OSError", "[WinError 112] There is not enough space on the disk"),
    ("PermissionError", "[Errno 13] Permission denied: '/output/ComfyUI_00001_.png'"),
    ("RuntimeError", "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronous"),
    ("torch.AcceleratorError", "CUDA error: unspecified launch failure"),
    ("RuntimeError", "CUDA error: device-side assert triggered"),
    ("RuntimeError", "CUDA error: no kernel image is available for execution on the device"),
    ("RuntimeError", "HIP error: invalid device function"),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ("RuntimeError", "CUDNN_STATUS_NOT_INITIALIZED"),
    ("RuntimeError", "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ("RuntimeError", "miopenStatusUnknownError: MIOpen failed"),
    ("RuntimeError", "The NVIDIA driver on your system is too old (found version 11040)."),
    ("RuntimeError", "Found no NVIDIA driver on your system."),
    ("AssertionError", "Torch not compiled with CUDA enabled"),
    ("RuntimeError", "MPS backend out of memory (MPS allocated: 17.9 GB, other allocations: 1.2 GB)"),
    ("RuntimeError", "\"addmm_impl_cpu_\" not implemented for 'Half'"),
    ("torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory. (out of memory)"),
    ("torch.cuda.OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 MiB"),
    ("torch.OutOfMemoryError", "Allocation on device "),
    ("MemoryError", ""),
    ("numpy.core._exceptions._ArrayMemoryError", "Unable to allocate 3.00 GiB for an array with shape (1024, 1024)"),
    ("RuntimeError", "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory"),
    ("OSError", "The paging file is too small for this operation to complete. (os error 1455)"),
    ("safetensors._safetensors_rust.SafetensorError", "Error while deserializing header: header too large"),
    ("safetensors_rust.SafetensorError", "Error while deserializing header: MetadataIncompleteBuffer"),
    ("SafetensorError", "device refused"),
    ("_pickle.UnpicklingError", "invalid load key, '<'."),
    ("EOFError", "Ran out of input"),
    ("RuntimeError", "PytorchStreamReader failed reading zip archive: failed finding central directory"),
    ("RuntimeError", "ERROR: Could not detect model type of: /models/checkpoints/x.safetensors"),
    ("FileNotFoundError", "Model in folder 'upscale_models' with filename 'x.pth' not found."),
    ("FileNotFoundError", "[Errno 2] No such file or directory: '/models/loras/x.safetensors'"),
    ("ModuleNotFoundError", "No module named 'segment_anything'"),
    ("ImportError", "libGL.so.1: cannot open shared object file: No such file or directory"),
    (
        "requests.exceptions.ConnectionError",
        "HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded",
    ),
    ("huggingface_hub.errors.LocalEntryNotFoundError", "An error happened while trying to locate the file on the Hub"),
    ("urllib.error.URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>"),
    ("RuntimeError", "can't start new thread"),
    ("RuntimeError", "cannot schedule new futures after interpreter shutdown"),
]
REQUEST = [
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (154x2048 and 768x320)"),
    ("RuntimeError", "Sizes of tensors must match except in dimension 1. Expected size 96 but got size 95"),
    ("RuntimeError", "The size of tensor a (64) must match the size of tensor b (32) at non-singleton dimension 3"),
    ("RuntimeError", "Given groups=1, weight of size [320, 4, 3, 3], expected input[2, 16, 64, 64] to have 4 channels"),
    ("RuntimeError", "shape '[1, 77, 768]' is invalid for input of size 1024"),
    ("RuntimeError", "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). Kernel size can't be "),
    ("ValueError", "operands could not be broadcast together with shapes (64,64,3) (64,64)"),
    ("RuntimeError", "stack expects each tensor to be equal size, but got [1, 64] at entry 0 and [1, 32] at entry 1"),
    ("einops.EinopsError", "Error while processing rearrange-reduction pattern"),
    (
        "RuntimeError",
        "ERROR: clip input is invalid: None\n\nIf the clip is from a checkpoint loader node your checkpoint",
    ),
    ("RuntimeError", "ERROR: VAE is invalid: None"),
    ("Exception", "**** ERROR: Saving image outside the output folder is not allowed."),
    ("OSError", "[Errno 36] File name too long: '/output/aaaa'"),
    ("OSError", "image file is truncated (3 bytes not processed)"),
    ("PIL.UnidentifiedImageError", "cannot identify image file '/input/x.png'"),
    ("AttributeError", "'str' object has no attribute 'shape'"),
    ("TypeError", "string indices must be integers, not 'str'"),
]
UNKNOWN = [
    ("RuntimeError", "The stand-in was told to fail here."),
    ("KeyError", "'foo'"),
    ("AttributeError", "'NoneType' object has no attribute 'encode'"),
    ("ValueError", "something that no list has"),
    ("", ""),
]


@table(
    ("exception_type", "message", "blame"),
    [
        *[(*row, Blame.SERVER) for row in SERVER],
        *[(*row, Blame.REQUEST) for row in REQUEST],
        *[(*row, Blame.UNKNOWN) for row in UNKNOWN],
    ],
)
def test_the_blame_is_found_by_type_and_message(exception_type: str, message: str, blame: Blame) -> None:
    failure = NodeFailure(node_id="3", node_type="X", exception_type=exception_type, message=message, traceback=())
    assert blame_of(failure) is blame

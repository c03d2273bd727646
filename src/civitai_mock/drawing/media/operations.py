"""The operations on media files: a function for each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from civitai_mock.drawing.media.image_operations import convert_image, preview_image, remove_background, upscale_image
from civitai_mock.generation.media import Derived, MediaInput
from civitai_mock.generation.operations import ConvertImage, Operation, PreviewImage, RemoveBackground, UpscaleImage


def derive(operation: Operation, inputs: Sequence[MediaInput]) -> Derived:
    """Do an operation; raise `JobError` if that cannot be done. It blocks, so it needs a thread."""
    return OPERATIONS[type(operation)](operation, inputs)


# Each takes the operation that is its key, which a mapping's type cannot say.
OPERATIONS: Mapping[type[Operation], Callable[[Any, Sequence[MediaInput]], Derived]] = {
    ConvertImage: convert_image,
    PreviewImage: preview_image,
    UpscaleImage: upscale_image,
    RemoveBackground: remove_background,
}

"""The operations on media files: a function for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from civitai_mock.drawing.media import image_operations, judgements
from civitai_mock.generation import operations as of
from civitai_mock.generation.media import Derived, ImageContent, MediaInput

Operate: TypeAlias = Callable[[Any, Sequence[MediaInput]], Derived]


def derive(operation: of.Operation, inputs: Sequence[MediaInput]) -> Derived:
    """Do an operation; raise `JobError` if that cannot be done. It blocks, so it needs a thread."""
    return _operations(operation)[type(operation)](operation, inputs)


def showing(operation: of.Operation, content: ImageContent) -> of.Operation:
    """Return an operation whose drawing, if it makes one, shows what this process has images show."""
    if not isinstance(operation, of.RedrawImage):
        return operation
    return replace(operation, recipe=operation.recipe.showing(content))


def _operations(operation: of.Operation) -> Mapping[type[of.Operation], Operate]:
    if not isinstance(operation, of.VideoOperation):
        return IMAGE_OPERATIONS
    # PyAV is large: imported when the first video is read.
    from civitai_mock.drawing.media.video_operations import VIDEO_OPERATIONS  # noqa: PLC0415

    return VIDEO_OPERATIONS


# Each takes the operation that is its key, which a mapping's type cannot say.
IMAGE_OPERATIONS: Mapping[type[of.Operation], Operate] = {
    of.ConvertImage: image_operations.convert_image,
    of.KeepImage: image_operations.keep_image,
    of.PreviewImage: image_operations.preview_image,
    of.BlackenImage: image_operations.blacken_image,
    of.UpscaleImage: image_operations.upscale_image,
    of.RedrawImage: image_operations.redraw_image,
    of.RemoveBackground: image_operations.remove_background,
    of.PreprocessImage: image_operations.preprocess_image,
    of.HashMedia: judgements.hash_media,
    of.JudgeMedia: judgements.judge_media,
}

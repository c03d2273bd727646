"""Operations that say something of a file: its hash, and what a model would say of it."""

import hashlib
from collections.abc import Sequence

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.media import SNIFFED_BYTES, sniffed_type
from civitai_mock.drawing.media.image_files import open_image
from civitai_mock.drawing.media.perceptual_hash import perceptual_hash
from civitai_mock.generation.media import Derived, MediaInput
from civitai_mock.generation.operations import HashMedia, JudgeMedia


def hash_media(_: HashMedia, inputs: Sequence[MediaInput]) -> Derived:
    if not inputs or inputs[0].content is None:
        raise JobError("There is no file.")
    return Derived(result={"perceptual": _hash(inputs[0].content)})


def judge_media(operation: JudgeMedia, inputs: Sequence[MediaInput]) -> Derived:
    """Take any file, also a sound or a broken one: nothing but the answer depends on it."""
    return Derived(result=operation.judge("\n".join(_text_for(one) for one in inputs)))


def _text_for(media: MediaInput) -> str:
    if media.content is None:
        return media.source
    try:
        return _hash(media.content)
    except JobError:
        return hashlib.sha256(media.content).hexdigest()


def _hash(content: bytes) -> str:
    if not (sniffed_type(content[:SNIFFED_BYTES]) or "").startswith("video/"):
        return perceptual_hash(open_image(content).convert("RGB"))
    from civitai_mock.drawing.media.video_operations import first_frame  # noqa: PLC0415 - PyAV is large

    return perceptual_hash(first_frame(content))

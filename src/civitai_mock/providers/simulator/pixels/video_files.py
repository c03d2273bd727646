"""Pictures of a video, by PyAV."""

import io
from collections.abc import Sequence
from itertools import islice

import av
from PIL import Image


def frames_of(content: bytes, *, most: int) -> Sequence[Image.Image]:
    """None of what is not a video."""
    try:
        with av.open(io.BytesIO(content), "r") as container:
            if not container.streams.video:
                return ()
            frames = islice(container.decode(container.streams.video[0]), most)
            return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in frames]
    except av.error.FFmpegError:
        return ()

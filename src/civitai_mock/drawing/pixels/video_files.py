"""Video files that a graph loads, read with PyAV."""

import io
from collections.abc import Sequence
from itertools import islice

import av
from PIL import Image

from civitai_mock.generation.graph_reader.image_batches.batch import Loaded


def loaded_video(content: bytes) -> Loaded | None:
    """Return size and number of the frames, without decoding them; None for a file that is not a video."""
    try:
        with av.open(io.BytesIO(content), "r") as container:
            if not container.streams.video:
                return None
            stream = container.streams.video[0]
            count = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
            return Loaded(width=stream.width, height=stream.height, count=max(count, 1)) if stream.width else None
    except (av.error.FFmpegError, ValueError):
        return None


def frames_of(content: bytes, *, max_pixels: int) -> Sequence[Image.Image]:
    """Decode the first frames, as many as fit into `max_pixels`; raise what PyAV raises for other files."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        frames = islice(container.decode(stream), max(max_pixels // (stream.width * stream.height), 1))
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in frames]

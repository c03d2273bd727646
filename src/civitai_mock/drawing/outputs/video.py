"""Videos, by PyAV: what is made of images, and what is loaded."""

import io
import os
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from civitai_mock.domain.json_types import as_text
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.drawing.outputs.sound import SoundFile, Sounds, sound_stream, write
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.nodes import Nodes, real

WEBM_CODECS = {"vp9": ("libvpx-vp9", "yuv420p"), "av1": ("libsvtav1", "yuv420p10le")}
MOVIE_SOUND = SoundFile(container="mp4", codec="aac")
DEFAULT_RATE = 30.0
os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder else prints its settings at each use


def webm(making: OutputContext) -> bytes:
    codec, pixel_format = WEBM_CODECS.get(making.text("codec"), WEBM_CODECS["vp9"])
    options = {"crf": str(making.real("crf", 32.0)), **({"preset": "6"} if codec == "libsvtav1" else {})}
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        container.metadata.update(making.texts)
        stream = _image_stream(container, making, codec, making.real("fps", 24.0), options)
        stream.pix_fmt = pixel_format
        _write(container, stream, making)
    return file.getvalue()


def movie(making: OutputContext, read: Callable[[str], bytes | None]) -> bytes:
    """MP4 with H.264, which wants even sides; a file that was loaded stays as it is."""
    nodes, link = making.nodes, making.link
    if nodes.class_type(link.node_id) == "LoadVideo":
        content = read(as_text(nodes.value(link.node_id, "file")))
        if content is not None:
            return content
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(making.texts)
        images = _image_stream(container, making, "libx264", _rate(nodes, link), {})
        place = nodes.link(link.node_id, "audio")
        sound = Sounds(nodes, read).at(place)
        sounds = sound_stream(container, sound, MOVIE_SOUND) if place else None
        _write(container, images, making)
        if sounds:
            write(container, sounds, sound)
    return file.getvalue()


def _rate(nodes: Nodes, video: Link) -> float:
    """Return the frame rate; a video made of another one's parts has that one's."""
    seen: set[str] = set()
    place: Link | None = video
    while place is not None and place.node_id not in seen:
        seen.add(place.node_id)
        number = real(nodes.value(place.node_id, "fps"))
        if number is not None:
            return number
        place = nodes.link(place.node_id, "fps") or nodes.link(place.node_id, "video")
    return DEFAULT_RATE


def _image_stream(
    container: OutputContainer, making: OutputContext, codec: str, rate: float, options: dict[str, str]
) -> VideoStream:
    images_a_second = Fraction(max(round(rate * 1000), 1), 1000)
    stream = container.add_stream(codec, rate=images_a_second, options=options)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{stream} is not for video")
    stream.width, stream.height, stream.pix_fmt = making.frame.width, making.frame.height, "yuv420p"
    return stream


def _write(container: OutputContainer, stream: VideoStream, making: OutputContext) -> None:
    for index in range(making.frame.count):
        image = np.asarray(making.image(index).convert("RGB"))
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
    container.mux(stream.encode(None))

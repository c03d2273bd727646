"""Make the files of output nodes for videos, with PyAV: WebM, and MP4 with sound."""

import io
import os
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from civitai_mock.domain.json_types import as_text
from civitai_mock.drawing.outputs.graph_sounds import GraphSounds
from civitai_mock.drawing.outputs.output_context import OutputContext
from civitai_mock.drawing.outputs.sound_files import SoundFile, sound_stream, write_sound
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.nodes import Nodes, real

WEBM_CODECS = {"vp9": ("libvpx-vp9", "yuv420p"), "av1": ("libsvtav1", "yuv420p10le")}
MP4_SOUND = SoundFile(container="mp4", codec="aac")
DEFAULT_FPS = 30.0
os.environ.setdefault("SVT_LOG", "1")  # else the AV1 encoder prints its settings at each use


def webm(context: OutputContext) -> bytes:
    codec, pixel_format = WEBM_CODECS.get(context.text("codec"), WEBM_CODECS["vp9"])
    options = {"crf": str(context.real("crf", 32.0)), **({"preset": "6"} if codec == "libsvtav1" else {})}
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        container.metadata.update(context.texts)
        stream = _image_stream(container, context, codec, context.real("fps", 24.0), options)
        stream.pix_fmt = pixel_format
        _write(container, stream, context)
    return file.getvalue()


def mp4(context: OutputContext, read: Callable[[str], bytes | None]) -> bytes:
    """Return MP4 with H.264, which only takes even sides; a file that was loaded stays as it is."""
    nodes, link = context.nodes, context.link
    if nodes.class_type(link.node_id) == "LoadVideo":
        content = read(as_text(nodes.value(link.node_id, "file")))
        if content is not None:
            return content
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(context.texts)
        images = _image_stream(container, context, "libx264", _fps(nodes, link), {})
        sound_link = nodes.link(link.node_id, "audio")
        sound = GraphSounds(nodes, read).at(sound_link)
        sounds = sound_stream(container, sound, MP4_SOUND) if sound_link else None
        _write(container, images, context)
        if sounds:
            write_sound(container, sounds, sound)
    return file.getvalue()


def _fps(nodes: Nodes, video: Link) -> float:
    """Return the frames per second; a video made of another one's parts has those of that one."""
    seen: set[str] = set()
    link: Link | None = video
    while link is not None and link.node_id not in seen:
        seen.add(link.node_id)
        fps = real(nodes.value(link.node_id, "fps"))
        if fps is not None:
            return fps
        link = nodes.link(link.node_id, "fps") or nodes.link(link.node_id, "video")
    return DEFAULT_FPS


def _image_stream(
    container: OutputContainer, context: OutputContext, codec: str, fps: float, options: dict[str, str]
) -> VideoStream:
    rate = Fraction(max(round(fps * 1000), 1), 1000)
    stream = container.add_stream(codec, rate=rate, options=options)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"codec {codec} is not for video")
    stream.width, stream.height, stream.pix_fmt = context.batch.width, context.batch.height, "yuv420p"
    return stream


def _write(container: OutputContainer, stream: VideoStream, context: OutputContext) -> None:
    for index in range(context.batch.count):
        image = np.asarray(context.image(index).convert("RGB"))
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
    container.mux(stream.encode(None))

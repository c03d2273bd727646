"""Video files (PyAV): write frames as H.264 in MP4 or VP8 in WebM."""

import io
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.media.sounds import add_sound
from civitai_mock.drawing.outputs.sound_files import SoundFile
from civitai_mock.generation.file_recipes import VIDEO_TYPE, WEBM_TYPE

BITEXACT = "+bitexact"  # without versions, times and random numbers, so that the same frames are the same bytes
COLOURS = {"colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m", "color_range": "tv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """Says how a video is written: quickly, and in one thread, on which its bytes would depend."""

    container: str
    options: Mapping[str, str]
    codec: str
    codec_options: Mapping[str, str]
    sound: SoundFile


KINDS: Mapping[str, VideoFile] = {
    VIDEO_TYPE: VideoFile(
        container="mp4",
        options={"fflags": BITEXACT},
        codec="libx264",
        codec_options={"preset": "ultrafast", "crf": "26"},
        sound=SoundFile(container="mp4", codec="aac"),
    ),
    WEBM_TYPE: VideoFile(
        container="webm",
        options={"fflags": BITEXACT},
        codec="libvpx",
        # Below 0 the speed is fixed: else it follows from how busy the machine is, and the bytes with it.
        codec_options={"deadline": "realtime", "cpu-used": "-8", "crf": "24", "b": "3M"},
        sound=SoundFile(container="webm", codec="libopus", rate=48_000),
    ),
}


# Writes all of a sound into its stream of a file.
WriteSound: TypeAlias = Callable[[OutputContainer, AudioStream], None]


def encode_video(
    frames: Iterable[av.VideoFrame],
    *,
    size: tuple[int, int],
    fps: Fraction,
    content_type: str = VIDEO_TYPE,
    write_sound: WriteSound | None = None,
) -> bytes:
    """Write frames of a size with even sides, in their order."""
    kind, file = KINDS[content_type], io.BytesIO()
    with av.open(file, "w", format=kind.container, options=dict(kind.options)) as container:
        images = _image_stream(container, kind, size, fps)
        sounds = add_sound(container, kind.sound) if write_sound else None
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, 1 / fps
            container.mux(images.encode(frame))
        container.mux(images.encode(None))
        if sounds and write_sound:
            write_sound(container, sounds)
    return file.getvalue()


def _image_stream(container: OutputContainer, kind: VideoFile, size: tuple[int, int], fps: Fraction) -> VideoStream:
    options = {**kind.codec_options, **COLOURS, "threads": "1", "flags": BITEXACT}
    stream = container.add_stream(kind.codec, rate=fps, options=options)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"codec {kind.codec} is not for video")
    stream.width, stream.height = size
    stream.pix_fmt, stream.time_base = "yuv420p", 1 / fps
    return stream

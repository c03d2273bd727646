"""Operations on videos: what they are, the same clip in another size or at another rate, and images of them."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import JobError
from civitai_mock.domain.media import SNIFFED_BYTES, sniffed_type
from civitai_mock.drawing.media.image_files import MAX_PIXELS, encode
from civitai_mock.drawing.media.perceptual_hash import distance, perceptual_hash
from civitai_mock.drawing.media.video_files import encode_video
from civitai_mock.generation.media import Derived, MadeFile, MediaInput
from civitai_mock.generation.operations import ChangeVideo, ExtractFrames, MeasureVideo, Operation

MOST_DECODED_PIXELS = 4_000_000_000  # of all frames of a clip
MOST_DRAWN_PIXELS = 600_000_000  # of all frames that are scaled or mixed; the others are those before them once more
MOST_EXTRACTED = 300
MOST_SIDE = 8192
DEFAULT_FPS, MOST_FPS = Fraction(24), 240
HASH_BITS = 64
FORMAT = "yuv420p"
# Demuxers of FFmpeg.
FORMATS = {"video/mp4": "mov", "video/quicktime": "mov", "video/webm": "matroska", "image/gif": "gif"}
Planes: TypeAlias = NDArray[Any]  # of YUV 4:2:0: the rows of Y, then those of U and of V


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Is a video as it was read, with the number of frames that its file tells, or its length suggests."""

    content: bytes
    width: int
    height: int
    fps: Fraction
    count: int
    has_sound: bool

    @property
    def seconds(self) -> float:
        return float(self.count / self.fps)


def measure_video(_: MeasureVideo, inputs: Sequence[MediaInput]) -> Derived:
    clip = _clip_of(inputs)
    fps = round(float(clip.fps), 3)
    return Derived(result={"width": clip.width, "height": clip.height, "fps": fps, "duration": round(clip.seconds, 6)})


def change_video(operation: ChangeVideo, inputs: Sequence[MediaInput]) -> Derived:
    clip = _clip_of(inputs)
    width, height = _changed_size(clip, operation)
    factor = max(min(operation.frame_factor, int(MOST_FPS / clip.fps)), 1)
    content = encode_video(
        _changed_frames(clip, (width, height), factor),
        size=(width, height),
        fps=clip.fps * factor,
        content_type=operation.content_type,
        write_sound=partial(_copy_sound, clip) if clip.has_sound else None,
    )
    facts = BlobFacts(width=width, height=height, duration=clip.seconds)
    return Derived(files=[MadeFile(content=content, content_type=operation.content_type, facts=facts)])


def extract_frames(operation: ExtractFrames, inputs: Sequence[MediaInput]) -> Derived:
    clip = _clip_of(inputs)
    most = min(operation.most or MOST_EXTRACTED, MOST_EXTRACTED)
    files = []
    for image in islice(_unlike_images(clip, operation), most):
        facts = BlobFacts(width=image.width, height=image.height)
        content = encode(image, operation.file, {})
        files.append(MadeFile(content=content, content_type=operation.file.content_type, facts=facts))
    return Derived(files=files)


def first_frame(content: bytes) -> Image.Image:
    return _image(next(_frames(_read_clip(content))))


def _clip_of(inputs: Sequence[MediaInput]) -> Clip:
    """Read the first input; raise `JobError` for one that is not a video."""
    content = inputs[0].content if inputs else None
    if content is None:
        raise JobError("There is no video.")
    return _read_clip(content)


def _read_clip(content: bytes) -> Clip:
    with _opened(content) as (container, stream):
        if stream.width * stream.height > MAX_PIXELS:
            raise JobError(f"The video is too large: {stream.width} x {stream.height} pixels.")
        rate = stream.average_rate or stream.guessed_rate or DEFAULT_FPS
        fps = min(max(rate, Fraction(1, 10)), Fraction(MOST_FPS))
        return Clip(
            content=content,
            width=stream.width,
            height=stream.height,
            fps=fps,
            count=stream.frames or max(round((container.duration or 0) / av.time_base * fps), 1),
            has_sound=bool(container.streams.audio),
        )


@contextmanager
def _opened(content: bytes) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Raise `JobError` for a file that is not a video, or breaks off while it is read.

    The kind of file is told to FFmpeg: left to guess, it would also read lists of other files and of URLs.
    """
    kind = FORMATS.get(sniffed_type(content[:SNIFFED_BYTES]) or "")
    if kind is None:
        raise JobError("The file is not an MP4, QuickTime or WebM video, nor a GIF.")
    try:
        with av.open(io.BytesIO(content), "r", format=kind, metadata_errors="replace") as container:
            if not container.streams.video:
                raise JobError("The file has no images.")
            stream = container.streams.video[0]
            codec: av.CodecContext | None = stream.codec_context  # which is None for an unknown one
            if codec is None:
                raise JobError("The video has an unknown codec.")
            codec.thread_count = 1
            yield container, stream
    except (av.error.FFmpegError, EOFError) as error:
        raise JobError("The file is not a readable video.", cause=str(error)) from error


def _frames(clip: Clip) -> Iterator[av.VideoFrame]:
    """Yield all frames, each of the size of the clip; raise `JobError` for more than anybody would watch."""
    with _opened(clip.content) as (container, stream):
        left, is_empty = MOST_DECODED_PIXELS, True
        for frame in container.decode(stream):
            left -= frame.width * frame.height
            if left < 0:
                raise JobError("The video is too long.")
            is_empty = False
            yield frame
        if is_empty:
            raise JobError("The video has no frames.")


def _changed_size(clip: Clip, operation: ChangeVideo) -> tuple[int, int]:
    width, height = clip.width * operation.scale, clip.height * operation.scale
    if operation.width is not None:
        height = operation.height or round(clip.height * operation.width / clip.width)
        width = operation.width
    if max(width, height) > MOST_SIDE:
        raise JobError(f"The video would be too large: {width} x {height}; no side may be longer than {MOST_SIDE}.")
    return max(width & ~1, 2), max(height & ~1, 2)


def _changed_frames(clip: Clip, size: tuple[int, int], factor: int) -> Iterator[av.VideoFrame]:
    """Yield the frames in another size, with `factor` - 1 mixtures of it and the next one after each.

    The last frame is shown as long. Very many pixels move in steps of several frames.
    """
    step = max(-(-clip.count * factor * size[0] * size[1] // MOST_DRAWN_PIXELS), 1)
    frames = _scaled(clip, size, step)
    shown = next(frames)
    for after in frames:
        for part in range(factor):
            planes = _mixed(shown, after, part, factor) if part and step == 1 else shown
            yield av.VideoFrame.from_ndarray(planes, format=FORMAT)
        shown = after
    for _ in range(factor):
        yield av.VideoFrame.from_ndarray(shown, format=FORMAT)


def _scaled(clip: Clip, size: tuple[int, int], step: int) -> Iterator[Planes]:
    planes: Planes = np.zeros(0, np.uint8)
    for index, frame in enumerate(_frames(clip)):
        if index % step == 0:
            planes = frame.reformat(*size, format=FORMAT).to_ndarray()
        yield planes


def _mixed(one: Planes, other: Planes, part: int, of: int) -> Planes:
    return ((one.astype(np.uint16) * (of - part) + other.astype(np.uint16) * part) // of).astype(np.uint8)


def _copy_sound(clip: Clip, container: OutputContainer, stream: AudioStream) -> None:
    with _opened(clip.content) as (source, _):
        for frame in source.decode(audio=0):
            container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _unlike_images(clip: Clip, operation: ExtractFrames) -> Iterator[Image.Image]:
    """Yield images at the times that were asked for, without those that are like the one before."""
    last = ""
    for image in _images_in_time(clip, operation):
        found = perceptual_hash(image)
        if last and 1 - distance(found, last) / HASH_BITS >= operation.unique_threshold:
            continue
        last = found
        yield image


def _images_in_time(clip: Clip, operation: ExtractFrames) -> Iterator[Image.Image]:
    taken = 0
    for index, frame in enumerate(_frames(clip)):
        due = (float((index + Fraction(1, 2)) / clip.fps) - operation.start) * operation.fps
        if due >= taken:
            yield _image(frame)
            taken = int(due) + 1


def _image(frame: av.VideoFrame) -> Image.Image:
    return Image.fromarray(frame.to_ndarray(format="rgb24"))


VIDEO_OPERATIONS: Mapping[type[Operation], Callable[[Any, Sequence[MediaInput]], Derived]] = {
    MeasureVideo: measure_video,
    ChangeVideo: change_video,
    ExtractFrames: extract_frames,
}

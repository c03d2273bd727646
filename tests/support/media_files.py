"""Small valid files of the types that people send, and files that are not what they seem."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import av
import numpy as np
from PIL import Image

from civitai_mock.domain.png import SIGNATURE, chunk

SIDES = (64, 48)


def image_file(image_format: str, *, size: tuple[int, int] = SIDES, **options: Any) -> bytes:
    """Return an image of noise, which hardly shrinks."""
    return _written(Image.effect_noise(size, 80).convert("RGB"), image_format, **options)


def plain_image_file(image_format: str, *, size: tuple[int, int]) -> bytes:
    """Return an image of one colour: a small file, however many pixels it has."""
    return _written(Image.new("RGB", size, "grey"), image_format, compress_level=1, method=0)


def _written(image: Image.Image, image_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def video_file(container: str, codec: str, *, size: tuple[int, int] = SIDES, frames: int = 12) -> bytes:
    """Return a grey clip of a second for each dozen frames."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(frames):
            grey = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 128, np.uint8), format="rgb24")
            output.mux(stream.encode(grey))
        output.mux(stream.encode(None))
    return file.getvalue()


def sound_file(container: str, codec: str, *, seconds: int = 2) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000 * seconds), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48000
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=stream.layout, rate=48000, frame_size=stream.frame_size or 1024
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


FILES: Mapping[str, Callable[[], bytes]] = {
    "image/jpeg": cache(partial(image_file, "JPEG")),
    "image/png": cache(partial(image_file, "PNG")),
    "image/webp": cache(partial(image_file, "WEBP")),
    "video/mp4": cache(partial(video_file, "mp4", "libx264")),
    "video/webm": cache(partial(video_file, "webm", "libvpx")),
    "audio/flac": cache(partial(sound_file, "flac", "flac")),
    "audio/ogg": cache(partial(sound_file, "ogg", "libopus")),
    "audio/mpeg": cache(partial(sound_file, "mp3", "libmp3lame")),
    "audio/wav": cache(partial(sound_file, "wav", "pcm_s16le")),
    "audio/mp4": cache(partial(sound_file, "ipod", "aac")),
}


def png_header(width: int, height: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def png_of(width: int, height: int, *scanlines: bytes) -> bytes:
    """Return a PNG that says it has so many pixels, whatever is in it."""
    packed = zlib.compress(b"".join(scanlines))
    return png_header(width, height) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")

"""Sound files (PyAV): decode what graphs load, and encode what their output nodes save."""

import io
import math
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from civitai_mock.domain.dataclass import dataclass

Waves: TypeAlias = NDArray[np.float32]

MIN_SECONDS, MIN_SAMPLES = 0.1, 64  # of a file: a codec returns nothing for less than one of its frames


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFile:
    """Says how sound is encoded; `rate` is that of the codec, if it has one of its own."""

    container: str
    codec: str
    bit_rate: int = 0
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Sound:
    """Holds sound: `waves` has a row of samples, from -1 to 1, for each channel, and `rate` is samples per second."""

    waves: Waves
    rate: int


def decode_sound(content: bytes) -> Sound:
    """Decode the first sound stream of any file, a video included."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        parts = [part.to_ndarray() for frame in container.decode(stream) for part in resampler.resample(frame)]
        return Sound(np.concatenate(parts, axis=1).astype(np.float32), stream.rate)


def encode_sound(sound: Sound, kind: SoundFile) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind.container) as container:
        write_sound(container, sound_stream(container, sound, kind), sound)
    return file.getvalue()


def sound_stream(container: OutputContainer, sound: Sound, kind: SoundFile) -> AudioStream:
    """Add a stream to a file, which must have all its streams before anything is written."""
    stream = container.add_stream(kind.codec, rate=kind.rate or sound.rate, layout=_layout(sound))
    if not isinstance(stream, AudioStream):
        raise TypeError(f"codec {kind.codec} is not for audio")
    if kind.bit_rate:
        stream.bit_rate = kind.bit_rate
    return stream


def write_sound(container: OutputContainer, stream: AudioStream, sound: Sound) -> None:
    missing = max(math.ceil(sound.rate * MIN_SECONDS), MIN_SAMPLES) - sound.waves.shape[1]
    waves = np.ascontiguousarray(np.pad(sound.waves[:2], ((0, 0), (0, max(missing, 0)))))
    frame = av.AudioFrame.from_ndarray(waves, format="fltp", layout=_layout(sound))
    frame.sample_rate = sound.rate
    frame.time_base = Fraction(1, sound.rate)
    frame.pts = 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _layout(sound: Sound) -> str:
    return "mono" if len(sound.waves) == 1 else "stereo"

"""Sounds: a plain melody, which begins anew every few seconds, as files of several formats."""

import io
from collections.abc import Iterator, Mapping
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from civitai_mock.drawing.outputs.sound_files import SoundFile
from civitai_mock.drawing.painter.seeded_random import SeededRandom
from civitai_mock.generation.file_recipes import SoundRecipe

RATE = 44_100
LEAST_SECONDS, MOST_SECONDS = 0.1, 600.0
NOTES, NOTE_SECONDS = 8, 0.5
LOWEST = 220.0  # Hz, on average
KEYS = (0.8, 1.25)  # how far the key may be from it
SCALE = (0, 2, 4, 7, 9, 12)  # semitones above the key
LOUDNESS, DECAY = 0.3, 5.0
BITEXACT = {"fflags": "+bitexact"}  # without random numbers, so that the same sound is the same bytes
KINDS: Mapping[str, SoundFile] = {
    "audio/wav": SoundFile(container="wav", codec="pcm_s16le"),
    "audio/ogg": SoundFile(container="ogg", codec="libopus", rate=48_000),
    "audio/mpeg": SoundFile(container="mp3", codec="libmp3lame", bit_rate=128_000),
    "audio/flac": SoundFile(container="flac", codec="flac"),
}


def make_sound(recipe: SoundRecipe) -> bytes:
    kind, file = KINDS[recipe.content_type], io.BytesIO()
    with av.open(file, "w", format=kind.container, options=BITEXACT) as container:
        write_melody(container, add_sound(container, kind), seconds=recipe.seconds, seed=recipe.seed)
    return file.getvalue()


def add_sound(container: OutputContainer, kind: SoundFile) -> AudioStream:
    """Add a stream to a file, which must have all its streams before anything is written."""
    stream = container.add_stream(kind.codec, rate=kind.rate or RATE, layout="mono", options={"flags": "+bitexact"})
    if not isinstance(stream, AudioStream):
        raise TypeError(f"codec {kind.codec} is not for audio")
    if kind.bit_rate:
        stream.bit_rate = kind.bit_rate
    return stream


def write_melody(container: OutputContainer, stream: AudioStream, *, seconds: float, seed: int) -> None:
    for frame in _frames(melody(seed), round(min(max(seconds, LEAST_SECONDS), MOST_SECONDS) * RATE)):
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def melody(seed: int) -> NDArray[np.float32]:
    """Return the samples of all notes, one after the other."""
    random = SeededRandom("melody", seed)
    time = np.arange(round(NOTE_SECONDS * RATE)) / RATE
    key = LOWEST * random.between(*KEYS)
    pitches = [key * 2 ** (random.pick(SCALE) / 12) for _ in range(NOTES)]
    tones = [np.sin(2 * np.pi * pitch * time) * np.exp(-DECAY * time) * LOUDNESS for pitch in pitches]
    return np.concatenate(tones).astype(np.float32)


def _frames(notes: NDArray[np.float32], samples: int) -> Iterator[av.AudioFrame]:
    """Yield the notes again and again, until there are so many samples."""
    for start in range(0, samples, len(notes)):
        part = notes[: samples - start]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part[None, :]), format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start
        yield frame

"""Sound at each place of a graph. What a model would compose is a plain chord; what was loaded, or cut, is true."""

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from civitai_mock.domain.json_types import as_text
from civitai_mock.generation.comfyui_facts import SEED_INPUTS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.nodes import Nodes, real, whole
from civitai_mock.generation.graph_reader.samplers import seed_in

Waves: TypeAlias = NDArray[np.float32]

RATE = 44100
DEFAULT_SECONDS = 47.6
CHORD = (220.0, 277.18, 329.63)
LOUDNESS = 0.2
SHORTEST_SECONDS, FEWEST_SAMPLES = 0.1, 64  # of a file: a codec gives out nothing for less than one of its frames
MOST_SAMPLES = 100_000_000
MOST_HOPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFile:
    """How sound is written; `rate` if the codec has one of its own."""

    container: str
    codec: str
    bit_rate: int = 0
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Sound:
    """`waves` are a row for each channel, from -1 to 1."""

    waves: Waves
    rate: int


class Sounds:
    def __init__(self, nodes: Nodes, read: Callable[[str], bytes | None]) -> None:
        self._nodes = nodes
        self._read = read

    def at(self, link: Link | None, *, hops: int = 0) -> Sound:
        """Silence where links lead nowhere."""
        if link is None or hops > MOST_HOPS:
            return Sound(np.zeros((1, RATE), np.float32), RATE)
        rule = RULES.get(self._nodes.class_type(link.node_id))
        return rule(_Place(self, self._nodes, link, hops)) if rule else _composed(_Place(self, self._nodes, link, hops))

    def of_file(self, name: str) -> Sound | None:
        content = self._read(name)
        return None if content is None else decoded(content)


@dataclass(frozen=True, slots=True)
class _Place:
    sounds: Sounds
    nodes: Nodes
    link: Link
    hops: int

    def sound(self, name: str) -> Sound:
        return self.sounds.at(self.nodes.link(self.link.node_id, name), hops=self.hops + 1)

    def real(self, name: str, otherwise: float) -> float:
        number = real(self.nodes.value(self.link.node_id, name))
        return otherwise if number is None else number

    def text(self, name: str) -> str:
        return as_text(self.nodes.value(self.link.node_id, name))


def decoded(content: bytes) -> Sound:
    """What sounds in any file."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        parts = [part.to_ndarray() for frame in container.decode(stream) for part in resampler.resample(frame)]
        return Sound(np.concatenate(parts, axis=1).astype(np.float32), stream.rate)


def encoded(sound: Sound, kind: SoundFile) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=kind.container) as container:
        write(container, sound_stream(container, sound, kind), sound)
    return file.getvalue()


def sound_stream(container: OutputContainer, sound: Sound, kind: SoundFile) -> AudioStream:
    """All streams of a file have to be there before anything is written."""
    stream = container.add_stream(kind.codec, rate=kind.rate or sound.rate, layout=_layout(sound))
    if not isinstance(stream, AudioStream):
        raise TypeError(f"{stream} is not for audio")
    if kind.bit_rate:
        stream.bit_rate = kind.bit_rate
    return stream


def write(container: OutputContainer, stream: AudioStream, sound: Sound) -> None:
    lacking = max(math.ceil(sound.rate * SHORTEST_SECONDS), FEWEST_SAMPLES) - sound.waves.shape[1]
    waves = np.ascontiguousarray(np.pad(sound.waves[:2], ((0, 0), (0, max(lacking, 0)))))
    frame = av.AudioFrame.from_ndarray(waves, format="fltp", layout=_layout(sound))
    frame.sample_rate = sound.rate
    frame.time_base = Fraction(1, sound.rate)
    frame.pts = 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _layout(sound: Sound) -> str:
    return "mono" if len(sound.waves) == 1 else "stereo"


def _silent(place: _Place) -> Sound:
    rate = max(int(place.real("sample_rate", RATE)), 1)
    channels = min(max(int(place.real("channels", 2)), 1), 2)
    return Sound(np.zeros((channels, _samples(place.real("duration", 60.0), rate)), np.float32), rate)


def _loaded(place: _Place) -> Sound:
    return place.sounds.of_file(place.text("audio")) or Sound(np.zeros((2, RATE), np.float32), RATE)


def _composed(place: _Place) -> Sound:
    """Make sound as long as the latent that it is decoded from."""
    found = place.nodes.nearest(place.link.node_id, {"seconds", *SEED_INPUTS}, skip=())
    seconds = real(found.get("seconds"))
    turn = (whole(seed_in(found)) or 0) % 12
    time = np.arange(_samples(DEFAULT_SECONDS if seconds is None else seconds, RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * tone * 2 ** (turn / 12) * time) for tone in CHORD) * LOUDNESS
    return Sound(np.stack([chord, chord]).astype(np.float32), RATE)


def _trimmed(place: _Place) -> Sound:
    """A start below 0 counts from the end."""
    sound = place.sound("audio")
    length = sound.waves.shape[1]
    start = int(place.real("start_index", 0.0) * sound.rate)
    start = min(max(length + start if start < 0 else start, 0), length - 1)
    stop = min(start + max(int(place.real("duration", 60.0) * sound.rate), 1), length)
    return replace(sound, waves=sound.waves[:, start:stop])


def _joined(place: _Place) -> Sound:
    one, other = _alike(place.sound("audio1"), place.sound("audio2"))
    parts = [other, one] if place.text("direction") == "before" else [one, other]
    return Sound(np.concatenate([part.waves for part in parts], axis=1), one.rate)


def _merged(place: _Place) -> Sound:
    """Keep the length of the first."""
    one, other = _alike(place.sound("audio1"), place.sound("audio2"))
    second = np.zeros_like(one.waves)
    length = min(one.waves.shape[1], other.waves.shape[1])
    second[:, :length] = other.waves[:, :length]
    match place.text("merge_method"):
        case "subtract":
            waves = one.waves - second
        case "multiply":
            waves = one.waves * second
        case "mean":
            waves = (one.waves + second) / 2
        case _:
            waves = one.waves + second
    return Sound(np.clip(waves, -1, 1), one.rate)


def _one_channel(place: _Place) -> Sound:
    sound = place.sound("audio")
    channel = min(place.link.output, len(sound.waves) - 1)
    return replace(sound, waves=sound.waves[channel : channel + 1])


def _louder(place: _Place) -> Sound:
    """Change the volume by decibels."""
    sound = place.sound("audio")
    return replace(sound, waves=(sound.waves * 10 ** (min(place.real("volume", 1.0), 100) / 20)).astype(np.float32))


def _of_video(place: _Place) -> Sound:
    """What was put into it."""
    video = place.nodes.link(place.link.node_id, "video")
    if video is None or place.nodes.class_type(video.node_id) != "CreateVideo":
        return place.sounds.at(None)
    return place.sounds.at(place.nodes.link(video.node_id, "audio"), hops=place.hops + 1)


def _alike(one: Sound, other: Sound) -> tuple[Sound, Sound]:
    """Bring both to the rate and the channels of the one that has more of them."""
    rate, channels = max(one.rate, other.rate), max(len(one.waves), len(other.waves))
    return _as(one, rate, channels), _as(other, rate, channels)


def _as(sound: Sound, rate: int, channels: int) -> Sound:
    places = np.arange(_samples(sound.waves.shape[1] / sound.rate, rate)) * (sound.rate / rate)
    taken = np.minimum(places.astype(np.int64), sound.waves.shape[1] - 1)
    return Sound(np.resize(sound.waves[:, taken], (channels, len(taken))), rate)


def _samples(seconds: float, rate: int) -> int:
    """Raise `MemoryError` for more than anybody would listen to."""
    count = max(round(seconds * rate), 1)
    if count > MOST_SAMPLES:
        raise MemoryError(f"{seconds:g} s of sound are too much")
    return count


RULES: Mapping[str, Callable[[_Place], Sound]] = {
    "EmptyAudio": _silent,
    "LoadAudio": _loaded,
    "RecordAudio": _loaded,
    "TrimAudioDuration": _trimmed,
    "AudioConcat": _joined,
    "AudioMerge": _merged,
    "SplitAudioChannels": _one_channel,
    "AudioAdjustVolume": _louder,
    "GetVideoComponents": _of_video,
}

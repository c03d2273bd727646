"""The sound at any place of a graph: what a model would compose is a plain chord; what was loaded or cut is exact."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_text
from civitai_mock.drawing.outputs.sound_files import Sound, decode_sound
from civitai_mock.generation.comfyui_facts import SEED_INPUTS
from civitai_mock.generation.graph import Link
from civitai_mock.generation.graph_reader.nodes import Nodes, real, whole
from civitai_mock.generation.graph_reader.samplers import seed_in

RATE = 44100
DEFAULT_SECONDS = 47.6
CHORD = (220.0, 277.18, 329.63)
LOUDNESS = 0.2
MAX_SAMPLES = 100_000_000
MAX_HOPS = 64


class GraphSounds:
    """Works out the sound at any place of a graph; `read` returns the bytes of a file by its name in the graph."""

    def __init__(self, nodes: Nodes, read: Callable[[str], bytes | None]) -> None:
        self._nodes = nodes
        self._read = read

    def at(self, link: Link | None, *, hops: int = 0) -> Sound:
        """Return the sound at a link; it is silence where links lead nowhere."""
        if link is None or hops > MAX_HOPS:
            return Sound(np.zeros((1, RATE), np.float32), RATE)
        operation = OPERATIONS.get(self._nodes.class_type(link.node_id), _composed)
        return operation(_NodeSounds(self, self._nodes, link, hops))

    def load(self, name: str) -> Sound | None:
        content = self._read(name)
        return None if content is None else decode_sound(content)


@dataclass(frozen=True, slots=True)
class _NodeSounds:
    """Gives a node's operation its settings, and the sounds that reach it."""

    sounds: GraphSounds
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


def _silent(node: _NodeSounds) -> Sound:
    rate = max(int(node.real("sample_rate", RATE)), 1)
    channels = min(max(int(node.real("channels", 2)), 1), 2)
    return Sound(np.zeros((channels, _sample_count(node.real("duration", 60.0), rate)), np.float32), rate)


def _loaded(node: _NodeSounds) -> Sound:
    return node.sounds.load(node.text("audio")) or Sound(np.zeros((2, RATE), np.float32), RATE)


def _composed(node: _NodeSounds) -> Sound:
    """Return a chord as long as the latent that it is decoded from; its pitch follows from the seed."""
    found = node.nodes.nearest(node.link.node_id, {"seconds", *SEED_INPUTS}, skip=())
    seconds = real(found.get("seconds"))
    semitones = (whole(seed_in(found)) or 0) % 12
    time = np.arange(_sample_count(DEFAULT_SECONDS if seconds is None else seconds, RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * tone * 2 ** (semitones / 12) * time) for tone in CHORD) * LOUDNESS
    return Sound(np.stack([chord, chord]).astype(np.float32), RATE)


def _trimmed(node: _NodeSounds) -> Sound:
    """Cut out a part; a start below 0 counts from the end."""
    sound = node.sound("audio")
    length = sound.waves.shape[1]
    start = int(node.real("start_index", 0.0) * sound.rate)
    start = min(max(length + start if start < 0 else start, 0), length - 1)
    stop = min(start + max(int(node.real("duration", 60.0) * sound.rate), 1), length)
    return replace(sound, waves=sound.waves[:, start:stop])


def _joined(node: _NodeSounds) -> Sound:
    one, other = _alike(node.sound("audio1"), node.sound("audio2"))
    parts = [other, one] if node.text("direction") == "before" else [one, other]
    return Sound(np.concatenate([part.waves for part in parts], axis=1), one.rate)


def _merged(node: _NodeSounds) -> Sound:
    """Mix two sounds; the length is that of the first."""
    one, other = _alike(node.sound("audio1"), node.sound("audio2"))
    second = np.zeros_like(one.waves)
    length = min(one.waves.shape[1], other.waves.shape[1])
    second[:, :length] = other.waves[:, :length]
    match node.text("merge_method"):
        case "subtract":
            waves = one.waves - second
        case "multiply":
            waves = one.waves * second
        case "mean":
            waves = (one.waves + second) / 2
        case _:
            waves = one.waves + second
    return Sound(np.clip(waves, -1, 1), one.rate)


def _one_channel(node: _NodeSounds) -> Sound:
    sound = node.sound("audio")
    channel = min(node.link.output, len(sound.waves) - 1)
    return replace(sound, waves=sound.waves[channel : channel + 1])


def _louder(node: _NodeSounds) -> Sound:
    """Change the volume, which is given in decibels."""
    sound = node.sound("audio")
    return replace(sound, waves=(sound.waves * 10 ** (min(node.real("volume", 1.0), 100) / 20)).astype(np.float32))


def _of_video(node: _NodeSounds) -> Sound:
    """Return the sound that a video was made with."""
    video = node.nodes.link(node.link.node_id, "video")
    if video is None or node.nodes.class_type(video.node_id) != "CreateVideo":
        return node.sounds.at(None)
    return node.sounds.at(node.nodes.link(video.node_id, "audio"), hops=node.hops + 1)


def _alike(one: Sound, other: Sound) -> tuple[Sound, Sound]:
    """Bring both to the higher rate and the larger number of channels."""
    rate, channels = max(one.rate, other.rate), max(len(one.waves), len(other.waves))
    return _converted(one, rate, channels), _converted(other, rate, channels)


def _converted(sound: Sound, rate: int, channels: int) -> Sound:
    positions = np.arange(_sample_count(sound.waves.shape[1] / sound.rate, rate)) * (sound.rate / rate)
    taken = np.minimum(positions.astype(np.int64), sound.waves.shape[1] - 1)
    return Sound(np.resize(sound.waves[:, taken], (channels, len(taken))), rate)


def _sample_count(seconds: float, rate: int) -> int:
    """Return the number of samples; raise `MemoryError` for more than anybody would listen to."""
    count = max(round(seconds * rate), 1)
    if count > MAX_SAMPLES:
        raise MemoryError(f"{seconds:g} s of sound are too much: at most {MAX_SAMPLES} samples")
    return count


OPERATIONS: Mapping[str, Callable[[_NodeSounds], Sound]] = {
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

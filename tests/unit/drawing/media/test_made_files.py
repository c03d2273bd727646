"""Videos, sounds and placeholders: players and parsers read them, and find what was asked for."""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image

from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.media import sniffed_type
from civitai_mock.drawing.media import moving_images
from civitai_mock.drawing.media.placeholders import PLACEHOLDERS, make_placeholder
from civitai_mock.drawing.media.recipes import make_file
from civitai_mock.drawing.media.sounds import KINDS
from civitai_mock.generation.file_recipes import PlaceholderRecipe, SoundRecipe, VideoRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.media import ImageContent
from civitai_mock.generation.safetensors import tensor_shapes

FOX = SamplerPass(prompt_text="a fox", seed=1)
VIDEO = VideoRecipe(sampled=FOX, width=96, height=64, seconds=1.0)


def video_frames(content: bytes) -> Sequence[Image.Image]:
    with av.open(io.BytesIO(content), "r") as container:
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).mean())


@pytest.mark.parametrize(
    ("width", "height", "seconds", "fps"),
    [(96, 64, 1.0, 24.0), (64, 96, 2.0, 16.0), (97, 65, 0.5, 30.0), (64, 64, 1.5, 12.5), (64, 64, 0.01, 24.0)],
)
def test_a_video_has_the_size_length_and_rate_that_were_asked_for(
    width: int, height: int, seconds: float, fps: float
) -> None:
    recipe = VideoRecipe(sampled=FOX, width=width, height=height, seconds=seconds, fps=fps)
    content = make_file(recipe)
    with av.open(io.BytesIO(content)) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == recipe.size == (width & ~1, height & ~1)
        assert stream.average_rate is not None
        assert float(stream.average_rate) == pytest.approx(fps)
        assert stream.frames == max(round(seconds * fps), 1)
    assert sniffed_type(content[:64]) == "video/mp4"


def test_a_video_moves_a_little_with_each_frame() -> None:
    frames = video_frames(make_file(VIDEO))
    steps = [difference(one, next_one) for one, next_one in pairwise(frames)]
    assert max(steps) < 12
    assert difference(frames[0], frames[-1]) > max(steps)


def test_other_seeds_and_texts_make_other_videos() -> None:
    samplings = [FOX, replace(FOX, seed=2), replace(FOX, prompt_text="a whale")]
    assert len({make_file(replace(VIDEO, sampled=sampled)) for sampled in samplings}) == len(samplings)


def test_a_blank_video_is_grey_all_the_time() -> None:
    frames = video_frames(make_file(VIDEO.showing(ImageContent.BLANK)))
    assert len(frames) == 24
    assert all(np.abs(np.asarray(frame, np.int64) - 130).max() < 4 for frame in frames)


def test_a_video_has_a_sound_of_its_length_where_that_is_asked_for() -> None:
    with av.open(io.BytesIO(make_file(replace(VIDEO, seconds=3.0, has_sound=True)))) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        assert sound.duration is not None
        assert sound.time_base is not None
        assert float(sound.duration * sound.time_base) == pytest.approx(3, abs=0.1)


def test_a_long_video_moves_less_often_and_a_very_long_one_has_fewer_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stay as long as they should be."""
    monkeypatch.setattr(moving_images, "MOST_DRAWN_PIXELS", 12 * 96 * 64)
    drawn = [frame.to_ndarray().tobytes() for frame in moving_images.Scene(VIDEO, 96, 64).frames(24)]
    assert (len(drawn), len(set(drawn))) == (24, 12)
    monkeypatch.setattr(moving_images, "MOST_PIXELS", 12 * 96 * 64)
    with av.open(io.BytesIO(make_file(replace(VIDEO, seconds=2.0))), "r") as container:
        assert (container.streams.video[0].frames, container.duration) == (12, 2_000_000)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (100_000, 2)])
def test_no_video_is_too_small_or_too_large_for_its_codec(width: int, height: int) -> None:
    recipe = replace(VIDEO, width=width, height=height, seconds=0.1)
    assert video_frames(make_file(recipe))[0].size == recipe.size
    assert recipe.facts == BlobFacts(width=recipe.size[0], height=recipe.size[1], duration=0.1)


@pytest.mark.parametrize("content_type", KINDS)
@pytest.mark.parametrize("seconds", [0.5, 9.3])
def test_a_sound_is_as_long_as_it_should_be(content_type: str, seconds: float) -> None:
    content = make_file(SoundRecipe(content_type=content_type, seconds=seconds, seed=5))
    assert sniffed_type(content[:64]) == content_type
    with av.open(io.BytesIO(content), "r") as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples = np.concatenate(parts, axis=1)
    assert samples.shape[1] / rate == pytest.approx(seconds, abs=0.1)
    assert np.abs(samples.astype(np.float64)).max() > 0.05


def test_a_sound_of_another_seed_is_another_melody() -> None:
    sounds = {make_file(SoundRecipe(content_type="audio/wav", seconds=1, seed=seed)) for seed in range(4)}
    assert len(sounds) == 4


def test_a_cube_is_a_closed_mesh_in_binary_gltf() -> None:
    content = make_placeholder(PlaceholderRecipe(content_type="model/gltf-binary", metadata={"prompt": "a cube"}))
    magic, version, length, text_length, kind = struct.unpack("<4sIIII", content[:20])
    assert (magic, version, length, kind) == (b"glTF", 2, len(content), 0x4E4F534A)
    document = json.loads(content[20 : 20 + text_length])
    data = content[28 + text_length :]
    views = document["bufferViews"]
    indices = np.frombuffer(data, "<u2", count=36, offset=views[1]["byteOffset"]).reshape(-1, 3)
    points = np.frombuffer(data, "<f4", count=24).reshape(-1, 3)
    edges = {(one, other) for side in indices.tolist() for one, other in zip(side, side[1:] + side[:1], strict=True)}
    assert len(edges) == 36
    assert all((other, one) in edges for one, other in edges)
    normals = np.cross(points[indices[:, 1]] - points[indices[:, 0]], points[indices[:, 2]] - points[indices[:, 0]])
    assert ((normals * points[indices].mean(axis=1)).sum(axis=1) > 0).all(), "a side is seen from inside"
    assert document["buffers"][0]["byteLength"] == 168
    assert document["asset"]["extras"] == {"prompt": "a cube"}


def test_archives_weights_and_drawings_can_be_read() -> None:
    made = {kind: make_placeholder(PlaceholderRecipe(content_type=kind, seed=2)) for kind in PLACEHOLDERS}
    assert zipfile.ZipFile(io.BytesIO(made["application/zip"])).testzip() is None
    with tarfile.open(fileobj=io.BytesIO(made["application/x-tar"])) as archive:
        assert archive.getnames() == ["readme.txt"]
    assert len(tensor_shapes(made["application/octet-stream"])) == 3
    assert made["image/svg+xml"].startswith(b"<svg ")


def test_what_is_of_no_known_type_is_text() -> None:
    assert make_placeholder(PlaceholderRecipe(content_type="text/plain")).endswith(b".\n")

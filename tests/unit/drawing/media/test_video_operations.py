"""Operations on videos: the same clip, smaller, larger, smoother or as another kind of file, and images of it."""

import io
from dataclasses import dataclass, replace
from functools import lru_cache

import av
import numpy as np
import pytest
from PIL import Image

from civitai_mock.domain.errors import JobError
from civitai_mock.drawing.media import video_operations
from civitai_mock.drawing.media.recipes import make_file
from civitai_mock.generation.file_recipes import SoundRecipe, VideoRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.operations import ChangeVideo, ExtractFrames, HashMedia, MeasureVideo, Operation
from tests.support.media import done, image_bytes, made, opened
from tests.support.table import table

WEBM = "video/webm"


@lru_cache(maxsize=8)
def clip(*, seconds: float = 1.0, fps: float = 12.0, has_sound: bool = False, prompt_text: str = "a fox") -> bytes:
    sampled = SamplerPass(prompt_text=prompt_text, seed=1)
    recipe = VideoRecipe(sampled=sampled, width=96, height=64, seconds=seconds, fps=fps, has_sound=has_sound)
    return make_file(recipe)


@dataclass(frozen=True)
class Seen:
    """What a player finds in a file."""

    size: tuple[int, int]
    fps: float
    frames: list[Image.Image]
    codecs: list[str]


def seen(content: bytes) -> Seen:
    with av.open(io.BytesIO(content), "r") as container:
        video = container.streams.video[0]
        assert video.average_rate is not None
        codecs = [stream.codec_context.name for stream in container.streams]
        fps = float(video.average_rate)
        frames = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    return Seen(frames[0].size, fps, frames, codecs)


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).mean())


@pytest.mark.parametrize(
    ("operation", "size", "fps", "count"),
    [
        (ChangeVideo(), (96, 64), 12, 12),
        (ChangeVideo(scale=2), (192, 128), 12, 12),
        (ChangeVideo(scale=4), (384, 256), 12, 12),
        (ChangeVideo(frame_factor=2), (96, 64), 24, 24),
        (ChangeVideo(frame_factor=3), (96, 64), 36, 36),
        (ChangeVideo(width=200, height=100, frame_factor=2), (200, 100), 24, 24),
        (ChangeVideo(width=49), (48, 32), 12, 12),
        (ChangeVideo(width=48, content_type=WEBM), (48, 32), 12, 12),
        (ChangeVideo(frame_factor=1000), (96, 64), 240, 240),
    ],
)
def test_a_changed_clip_has_the_size_and_the_rate_that_were_asked_for(
    operation: ChangeVideo, size: tuple[int, int], fps: float, count: int
) -> None:
    file = made(operation, clip())
    found = seen(file.content)
    assert (found.size, len(found.frames)) == (size, count)
    assert found.fps == pytest.approx(fps)
    assert (file.facts.width, file.facts.height, file.facts.duration) == (*size, 1.0)
    assert file.content_type == operation.content_type


def test_a_changed_clip_shows_the_same() -> None:
    before, after = seen(clip()).frames, seen(made(ChangeVideo(scale=2), clip()).content).frames
    for one, other in zip(before, after, strict=True):
        assert difference(one, other.resize(one.size, Image.Resampling.BOX)) < 6


def test_a_frame_between_two_others_is_a_mixture_of_them() -> None:
    before, after = seen(clip()).frames, seen(made(ChangeVideo(frame_factor=2), clip()).content).frames
    apart = difference(before[3], before[4])
    assert difference(after[7], before[3]) < apart
    assert difference(after[7], before[4]) < apart


@pytest.mark.parametrize(("content_type", "codecs"), [("video/mp4", ["h264", "aac"]), (WEBM, ["vp8", "opus"])])
def test_the_sound_of_a_clip_stays(content_type: str, codecs: list[str]) -> None:
    assert seen(made(ChangeVideo(content_type=content_type), clip(has_sound=True)).content).codecs == codecs


def test_a_webm_is_read_as_well_as_an_mp4() -> None:
    webm = made(ChangeVideo(content_type=WEBM), clip()).content
    assert seen(made(ChangeVideo(scale=2), webm).content).size == (192, 128)
    assert done(MeasureVideo(), webm).result == {"width": 96, "height": 64, "fps": 12.0, "duration": 1.0}


def test_a_clip_is_measured() -> None:
    measured = done(MeasureVideo(), clip(seconds=2.5, fps=16.0, has_sound=True)).result
    assert measured == {"width": 96, "height": 64, "fps": 16.0, "duration": 2.5}


@pytest.mark.parametrize(
    ("operation", "count"),
    [
        (ExtractFrames(fps=2, unique_threshold=2), 4),
        (ExtractFrames(fps=2, unique_threshold=2, start=1.0), 2),
        (ExtractFrames(fps=2, unique_threshold=2, most=3), 3),
        (ExtractFrames(fps=1e12, unique_threshold=2), 24),
        (ExtractFrames(fps=1, unique_threshold=2, start=9), 0),
        (ExtractFrames(fps=1e-9, unique_threshold=2), 1),
        (ExtractFrames(fps=12, unique_threshold=0), 1),
    ],
)
def test_images_are_taken_of_a_clip(operation: ExtractFrames, count: int) -> None:
    files = done(operation, clip(seconds=2.0)).files
    assert len(files) == count
    assert all(opened(file.content).size == (96, 64) and file.content_type == "image/jpeg" for file in files)


def test_only_images_that_are_unlike_the_one_before_are_taken() -> None:
    """The camera moves slowly: of many images few are different."""
    files = done(ExtractFrames(fps=12, unique_threshold=0.95), clip(seconds=2.0)).files
    assert 1 < len(files) < 24


def test_an_image_is_that_of_its_time() -> None:
    first, last = done(ExtractFrames(fps=1, unique_threshold=2), clip(seconds=2.0)).files
    frames = seen(clip(seconds=2.0)).frames
    assert difference(opened(first.content), frames[0]) < 4
    assert difference(opened(last.content), frames[12]) < 4


def test_the_hash_of_a_clip_is_that_of_its_first_image() -> None:
    (first,) = done(ExtractFrames(most=1), clip()).files
    hashes = [done(HashMedia(), content).result for content in (clip(), first.content)]
    assert hashes[0] is not None
    assert hashes[1] is not None
    assert bits_apart(str(hashes[0]["perceptual"]), str(hashes[1]["perceptual"])) < 4


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_too_many_pixels_move_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_operations, "MOST_DRAWN_PIXELS", 6 * 96 * 64)
    frames = seen(made(ChangeVideo(), clip()).content).frames
    assert len(frames) == 12
    assert difference(frames[0], frames[1]) < difference(frames[1], frames[2])


@table("operation", [MeasureVideo(), ChangeVideo(scale=2), ExtractFrames()])
@table(
    "content",
    [
        b"",
        b"no video" * 50,
        image_bytes(),
        clip()[:100],
        make_file(SoundRecipe(content_type="audio/mpeg", seconds=1)),
        b"#EXTM3U\n#EXTINF:5,\nhttp://localhost/x.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
    ids=["nothing", "text", "image", "head", "sound", "playlist", "list of files"],
)
def test_other_files_end_the_job(operation: Operation, content: bytes) -> None:
    with pytest.raises(JobError, match=r"not a readable video|not an MP4|no frames"):
        done(operation, content)


def test_a_clip_that_breaks_off_ends_the_job_or_gives_what_there_is() -> None:
    webm = made(ChangeVideo(content_type=WEBM), clip()).content
    half = seen(made(ChangeVideo(), webm[: len(webm) // 2]).content)
    assert 0 < len(half.frames) < 12


def test_a_clip_that_is_too_long_or_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(JobError, match="would be too large: 19200 x 12800"):
        done(ChangeVideo(scale=200), clip())
    monkeypatch.setattr(video_operations, "MOST_DECODED_PIXELS", 5 * 96 * 64)
    with pytest.raises(JobError, match="too long"):
        done(ChangeVideo(), clip())
    with pytest.raises(JobError, match="no video"):
        video_operations.measure_video(MeasureVideo(), [])


def test_the_same_clip_is_changed_to_the_same_bytes() -> None:
    operation = replace(ChangeVideo(frame_factor=2), content_type=WEBM)
    assert made(operation, clip(has_sound=True)).content == made(operation, clip(has_sound=True)).content

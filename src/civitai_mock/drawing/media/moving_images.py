"""Moving images: the painter's scene of a text, over which a camera moves while its colours change."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from civitai_mock.drawing.media.sounds import write_melody
from civitai_mock.drawing.media.video_files import encode_video
from civitai_mock.drawing.painter.canvas import TONES, Canvas
from civitai_mock.drawing.painter.colour_ramp import ColourRamp, rgb_colours
from civitai_mock.drawing.painter.scenes import SCENES
from civitai_mock.drawing.painter.seeded_random import SeededRandom
from civitai_mock.drawing.painter.style import style_of
from civitai_mock.generation.file_recipes import VideoRecipe
from civitai_mock.generation.media import ImageContent

LEAST_FPS, MOST_FPS = 1.0, 120.0
MOST_PIXELS = 1_500_000_000  # of all frames: a longer clip has fewer frames a second than were asked for
MOST_DRAWN_PIXELS = 200_000_000  # of all frames that are drawn; the others are those before them once more
SCENE_SIDE = 1280  # larger clips show an enlarged scene
NEAREST = 0.8  # how much of the scene is seen when the camera has come nearest
HUE_DRIFT = 50  # degrees
GREY = 128
# RGB to Y, U and V as BT.601 has them, within 16 to 235 and 16 to 240.
BT_601 = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
OFFSETS = np.array([16, 128, 128])


def make_video(recipe: VideoRecipe) -> bytes:
    """Draw the video of a recipe, always the same bytes for the same recipe."""
    width, height = recipe.size
    fps, count = _timing(recipe, width * height)
    is_blank = recipe.image_content == ImageContent.BLANK
    frames = _grey_frames(width, height, count) if is_blank else Scene(recipe, width, height).frames(count)
    melody = partial(write_melody, seconds=recipe.seconds, seed=recipe.sampled.seed) if recipe.has_sound else None
    return encode_video(frames, size=(width, height), fps=fps, write_sound=melody)


def _timing(recipe: VideoRecipe, pixels: int) -> tuple[Fraction, int]:
    """Return frames a second, and how many there are in all: at least one."""
    fps = min(max(recipe.fps, LEAST_FPS), MOST_FPS)
    most = max(MOST_PIXELS // pixels, 1)
    count = max(round(recipe.seconds * fps), 1)
    if count > most:
        count, fps = most, most / recipe.seconds
    return Fraction(round(fps * 1000), 1000), count


def _grey_frames(width: int, height: int, count: int) -> Iterator[av.VideoFrame]:
    planes = np.full((height * 3 // 2, width), GREY, np.uint8)
    for _ in range(count):
        yield av.VideoFrame.from_ndarray(planes, format="yuv420p")


class Scene:
    """Draws the frames of a clip: a part of one painted scene, larger or smaller, in colours that change."""

    def __init__(self, recipe: VideoRecipe, width: int, height: int) -> None:
        sampled = recipe.sampled
        facts = (sampled.seed, sampled.prompt_text, sampled.negative_text, sampled.model)
        strokes, finish, camera = (SeededRandom(name, *facts) for name in ("video", "finish", "camera"))
        style = style_of(sampled, finish=finish, scenes=tuple(SCENES))
        scale = min(SCENE_SIDE / max(width, height), 1)
        tones = np.zeros((max(round(height * scale), 1), max(round(width * scale), 1)), np.uint8)
        SCENES[style.scene](Canvas(tones), strokes)
        self._tones = Image.fromarray(tones)
        self._size = (width, height)
        self._ramp = style.art
        self._target = (camera.between(0, 1), camera.between(0, 1))
        self._comes_nearer = camera.chance(0.5)
        self._drift = camera.between(-HUE_DRIFT, HUE_DRIFT)

    def frames(self, count: int) -> Iterator[av.VideoFrame]:
        """Yield `count` frames; a long clip moves in steps of several frames."""
        width, height = self._size
        step = max(-(-count * width * height // MOST_DRAWN_PIXELS), 1)
        planes = None
        for index in range(count):
            if index % step == 0 or planes is None:
                planes = self._planes(index / max(count - 1, 1))
            yield av.VideoFrame.from_ndarray(planes, format="yuv420p")

    def _planes(self, time: float) -> NDArray[np.uint8]:
        """Return a frame as YUV 4:2:0: the rows of Y, then those of U and of V."""
        shown = self._tones.resize(self._size, Image.Resampling.BILINEAR, box=self._box(time))
        coarse = shown.reduce(2)
        ramp = replace(self._ramp, dark_hue=self._ramp.dark_hue + self._drift * time)
        luma, blue, red = _tables(replace(ramp, light_hue=ramp.light_hue + self._drift * time))
        parts = [np.asarray(shown.point(luma)), np.asarray(coarse.point(blue)), np.asarray(coarse.point(red))]
        return np.concatenate([part.ravel() for part in parts]).reshape(-1, self._size[0])

    def _box(self, time: float) -> tuple[float, float, float, float]:
        """Return the part of the scene that the camera sees."""
        nearness = time if self._comes_nearer else 1 - time
        share = 1 - (1 - NEAREST) * nearness
        (across, down), (width, height) = self._target, self._tones.size
        left, top = width * (1 - share) * across, height * (1 - share) * down
        return left, top, left + width * share, top + height * share


def _tables(ramp: ColourRamp) -> tuple[list[int], list[int], list[int]]:
    """Return Y, U and V by number of tone."""
    colours = rgb_colours(ramp, TONES).astype(np.float64)
    numbers = np.round(colours @ BT_601.T + OFFSETS).astype(int)
    padded = np.pad(numbers, ((0, 256 - TONES), (0, 0)), mode="edge")
    return padded[:, 0].tolist(), padded[:, 1].tolist(), padded[:, 2].tolist()

"""What the engines of videoGen call sizes, lengths, rates and sources, and what a video costs."""

from typing import Any

import pytest

from civitai_mock.api.v2.steps import STEP_TYPES
from civitai_mock.api.v2.steps.video_members import (
    has_sound,
    video_count,
    video_fps,
    video_seconds,
    video_size,
    video_sources,
)
from tests.support.table import table

REFERENCE = {"$ref": "first", "path": "output.images[0].url"}


@table(
    ("members", "size"),
    [
        ({}, (1280, 720)),
        ({"width": 640, "height": 384}, (640, 384)),
        ({"width": 640}, (1280, 720)),
        ({"width": 10**9, "height": 1}, (4096, 64)),
        ({"resolution": "480p"}, (854, 480)),
        ({"resolution": 1080, "aspectRatio": "9:16"}, (1080, 1920)),
        ({"resolution": "2K", "aspectRatio": "21:9"}, (3360, 1440)),
        ({"resolution": "1080p", "aspectRatio": "4:3"}, (1440, 1080)),
        ({"resolution": "huge", "aspectRatio": "auto"}, (1280, 720)),
        ({"aspectRatio": "0:0"}, (1280, 720)),
        ({"aspectRatio": "9999:1"}, (4096, 720)),
        ({"resolution": REFERENCE, "width": REFERENCE, "aspectRatio": REFERENCE}, (1280, 720)),
    ],
)
def test_the_shorter_side_is_as_long_as_the_resolution_says(members: Any, size: tuple[int, int]) -> None:
    assert video_size(members) == size


@table(
    ("members", "seconds"),
    [
        ({}, 5),
        ({"duration": 8}, 8),
        ({"duration": "10"}, 10),
        ({"duration": 0}, 1),
        ({"duration": 10**9}, 60),
        ({"duration": "long"}, 5),
        ({"duration": 3, "numFrames": 48, "fps": 12}, 4),
        ({"duration": REFERENCE}, 5),
    ],
)
def test_a_length_is_in_seconds_or_in_frames(members: Any, seconds: float) -> None:
    assert video_seconds(members) == seconds


@pytest.mark.parametrize(
    ("members", "fps"), [({}, 24), ({"fps": 12.5}, 12.5), ({"frameRate": 16}, 16), ({"frameRate": 10**6}, 60)]
)
def test_a_rate_has_two_names(members: Any, fps: float) -> None:
    assert video_fps(members) == fps


@pytest.mark.parametrize(
    ("members", "sounds"),
    [
        ({}, False),
        ({"generateAudio": True}, True),
        ({"enableAudio": False, "audioUrl": "https://a.test/b.mp3"}, True),
        ({"generateAudio": REFERENCE}, False),
    ],
)
def test_a_video_has_a_sound_if_one_is_asked_for_or_sent(members: Any, sounds: bool) -> None:
    assert has_sound(members) is sounds


def test_sources_are_named_by_their_places() -> None:
    members = {
        "images": ["a", REFERENCE, "b"],
        "startImage": "c",
        "endImage": None,
        "keyframes": [{"image": "d", "frameIndex": 1}],
    }
    assert video_sources(members) == {"startImage": "c", "images[0]": "a", "images[2]": "b", "keyframes[0].image": "d"}


@pytest.mark.parametrize(("members", "count"), [({}, 1), ({"quantity": 3}, 3), ({"quantity": 99}, 10)])
def test_only_some_videos_are_made_at_once(members: Any, count: int) -> None:
    assert video_count(members) == count


@pytest.mark.parametrize(
    ("members", "base", "fixed"),
    [
        ({"resolution": "720p", "duration": 5}, 650, {}),  # 130 a second (published)
        ({"width": 640, "height": 360, "duration": 4, "quantity": 2}, 260, {}),
        (
            {"duration": 1, "loras": [{"air": "urn:air:wan:lora:civitai:1@2", "strength": 1}]},
            130,
            {"additionalResources": 1},
        ),
        ({"duration": REFERENCE, "loras": REFERENCE}, 650, {}),
    ],
)
def test_a_video_costs_by_seconds_and_pixels(members: Any, base: int, fixed: dict[str, int]) -> None:
    cost = STEP_TYPES["videoGen"].cost(members)
    assert (cost.base, cost.fixed) == (base, fixed)

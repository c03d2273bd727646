"""Results of models that are not here: of the documented shape, and always the same for the same request."""

import math
from typing import Any

import pytest

from civitai_mock.domain.json_types import Json
from civitai_mock.generation.placeholder_results import BOORU_TAGS, MEDIA_TAGS
from civitai_mock.generation.work import ResultWork
from tests.support.generation import work_of
from tests.support.templates import CHECKPOINT, template

RESULTS = ["imageEmbedding", "mediaTagging", "mediaCaptioning", "wdTagging", "movieRating", "prepareModel"]


def result_of(name: str, **changes: Json) -> Any:
    work = work_of(template(name, **changes))
    assert isinstance(work, ResultWork)
    return work.result


def test_media_tags_are_sure_to_some_degree_the_surest_first() -> None:
    tags = result_of("mediaTagging")["tags"]
    assert {tag["tag"] for tag in tags} <= set(MEDIA_TAGS)
    sure = [tag["confidence"] for tag in tags]
    assert sure == sorted(sure, reverse=True)
    assert 0 < sure[-1] < sure[0] < 1


def test_booru_tags_come_with_a_rating() -> None:
    result = result_of("wdTagging")
    assert result["tags"].keys() <= set(BOORU_TAGS)
    assert list(result["rating"]) == ["general", "sensitive", "questionable", "explicit"]
    assert sum(result["rating"].values()) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("threshold", [0, 0.5, 0.8, 1])
def test_booru_tags_below_the_threshold_are_left_out(threshold: float) -> None:
    everything, chosen = (result_of("wdTagging", threshold=value)["tags"] for value in (None, threshold))
    assert chosen == {tag: sure for tag, sure in everything.items() if sure >= threshold}


def test_an_embedding_is_a_vector_of_length_one() -> None:
    vector = result_of("imageEmbedding")["embedding"]
    assert len(vector) == 768
    assert math.hypot(*vector) == pytest.approx(1, abs=0.001)


def test_a_caption_is_a_sentence() -> None:
    sentence = result_of("mediaCaptioning")["caption"]
    assert sentence.startswith("The image shows ")
    assert sentence.endswith(".")


def test_everybody_may_see_a_film() -> None:
    assert result_of("movieRating") == {"nsfwLevel": "pg", "isBlocked": False}


@pytest.mark.parametrize(("action", "done"), [("Pin", "Pin"), ("Upload", "Upload"), (None, "Upload")])
def test_a_prepared_model_is_answered_with_what_was_done(action: str | None, done: str) -> None:
    assert result_of("prepareModel", action=action) == {"model": CHECKPOINT, "action": done}


@pytest.mark.parametrize("name", ["imageEmbedding", "mediaTagging", "mediaCaptioning", "wdTagging"])
def test_another_file_gets_another_result(name: str) -> None:
    url = "imageUrl" if name == "imageEmbedding" else "mediaUrl"
    one, other = (result_of(name, **{url: f"https://images.example/{number}"}) for number in (1, 2))
    assert one != other


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_takes_some_time(name: str) -> None:
    work = work_of(template(name))
    assert isinstance(work, ResultWork)
    assert work.seconds > 0

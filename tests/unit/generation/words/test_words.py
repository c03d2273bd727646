"""What models say of prompts, media and files of models."""

from functools import partial
from itertools import pairwise

import pytest

from civitai_mock.domain.air import Air
from civitai_mock.domain.maturity import MATURE, WORDS, NsfwLevel, level_of_text
from civitai_mock.generation.operations import JudgeMedia
from civitai_mock.generation.words import media, moderation
from civitai_mock.generation.words.prompts import enhanced_prompt
from tests.support.media import done, image_bytes
from tests.support.paths import ROOT
from tests.support.v2_description import check_output

AIR = Air.parse("urn:air:sdxl:checkpoint:civitai:101055@128078")


@pytest.mark.parametrize(
    ("ecosystem", "garnish"), [("sdxl", "masterpiece"), ("Pony", "masterpiece"), ("flux1", "soft light, with")]
)
def test_a_prompt_keeps_its_words_and_gets_a_garnish(ecosystem: str, garnish: str) -> None:
    answer = enhanced_prompt("a red fox in snow. ", ecosystem=ecosystem)
    check_output("promptEnhancement", answer)
    enhanced = answer["enhancedPrompt"]
    assert isinstance(enhanced, str)
    assert enhanced.startswith("a red fox in snow")
    assert garnish in enhanced
    assert "enhancedNegativePrompt" not in answer
    assert answer["issues"] == []


def test_a_negative_prompt_is_enhanced_where_there_is_one() -> None:
    answer = enhanced_prompt("fox", ecosystem="sdxl", negative_prompt="blurry,")
    check_output("promptEnhancement", answer)
    assert str(answer["enhancedNegativePrompt"]).startswith("blurry, lowres")
    assert answer["issues"]
    assert enhanced_prompt("fox", ecosystem="sdxl", negative_prompt="")["enhancedNegativePrompt"]


def test_tags_are_those_of_the_content() -> None:
    answers = [media.tags(content, model="wd14-vit.v1") for content in ("A", "A", "B")]
    assert answers[0] == answers[1] != answers[2]
    check_output("wdTagging", answers[0])


def test_a_threshold_leaves_tags_out() -> None:
    all_of_them, sure, none = (media.tags("A", threshold=threshold)["tags"] for threshold in (0, 0.7, 1))
    assert isinstance(all_of_them, dict)
    assert isinstance(sure, dict)
    assert none == {}
    assert sure.items() < all_of_them.items()


def test_an_image_is_tagged_by_what_it_shows() -> None:
    operation = JudgeMedia(judge=partial(media.tags, threshold=0.5))
    files = [image_bytes(), image_bytes(fmt="WEBP", lossless=True), image_bytes(size=(300, 100))]
    one, same, other = (done(operation, file).result for file in files)
    assert one == same != other


@pytest.mark.parametrize("detects", [False, True])
def test_a_rating_has_what_was_asked_for(detects: bool) -> None:
    recognizes = media.RECOGNITIONS if detects else ()
    answer = media.rating("A", level=NsfwLevel.R, detects_age=detects, detects_faces=detects, recognizes=recognizes)
    check_output("mediaRating", answer)
    assert (answer["nsfwLevel"], answer["isBlocked"]) == ("r", False)
    assert ("faceRecognition" in answer, "aiRecognition" in answer) == (detects, detects)


def test_media_are_described() -> None:
    check_output("mediaCaptioning", media.described("A"))
    assert media.described("A") == media.described("A")
    assert len({str(media.described(content, instructions=order)) for content in "AB" for order in ("", "brief")}) > 2


@pytest.mark.parametrize("has_time_stamps", [True, False])
def test_a_transcript_has_its_sentences_one_after_the_other(has_time_stamps: bool) -> None:
    answer = media.transcript("A", language="de", has_time_stamps=has_time_stamps)
    check_output("transcription", answer)
    assert answer["language"] == "German"
    stamps = answer["timeStamps"]
    assert isinstance(stamps, list)
    assert bool(stamps) is has_time_stamps
    if stamps:
        assert answer["text"] == " ".join(str(stamp["text"]) for stamp in stamps if isinstance(stamp, dict))
        times = [(stamp["startTime"], stamp["endTime"]) for stamp in stamps if isinstance(stamp, dict)]
        assert times[0][0] == 0
        assert all(before[1] == after[0] for before, after in pairwise(times))


def test_a_guard_says_of_each_label_that_nothing_is_triggered() -> None:
    labels = [moderation.Label(name="violence", threshold=0.8), moderation.Label(name="other")]
    answer = moderation.guard_verdict("a fox", field="positivePrompt", labels=labels)
    check_output("xGuardModeration", answer)
    results = answer["results"]
    assert isinstance(results, list)
    assert [result["label"] for result in results if isinstance(result, dict)] == ["violence", "other"]
    assert (answer["blocked"], answer["triggeredLabels"]) == (False, [])
    check_output("xGuardModeration", moderation.guard_verdict("a fox", field="text"))


def test_models_are_clean() -> None:
    check_output("modelClamScan", moderation.clam_verdict())
    skipped, clean = (
        moderation.pickle_verdict(air) for air in (AIR, Air.parse("urn:air:sd1:embedding:civitai:1@2.pt"))
    )
    for verdict in (skipped, clean):
        check_output("modelPickleScan", verdict)
    assert (skipped["status"], clean["status"]) == ("skippedSafetensors", "clean")
    check_output("modelParseMetadata", moderation.model_metadata(AIR))


def test_the_hashes_of_a_model_are_those_that_are_known() -> None:
    answer = moderation.model_hashes(AIR, {"SHA256": "AB" * 32, "AutoV1": "CAFE0123", "size": 5})
    check_output("modelHash", answer)
    assert (answer["sha256"], answer["autoV1"], answer["autoV2"]) == ("AB" * 32, "CAFE0123", "AB" * 5)
    made = moderation.model_hashes(AIR, {})
    assert {name: len(str(digits)) for name, digits in made.items()} == {
        "sha256": 64,
        "autoV1": 8,
        "autoV2": 10,
        "autoV3": 12,
        "blake3": 64,
        "crc32": 8,
    }
    assert made != moderation.model_hashes(Air.parse("civitai:1@2"), {})


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("a fox in snow", NsfwLevel.PG),
        ("", NsfwLevel.PG),
        ("a woman in a Bikini, at the beach", NsfwLevel.PG13),
        ("bikini, (topless:1.2)", NsfwLevel.R),
        ("NSFW", NsfwLevel.X),
        ("nude_sunbathing, explicit", NsfwLevel.XXX),
        ("sexton, Essex", NsfwLevel.PG),
    ],
)
def test_the_most_mature_word_makes_the_level(text: str, level: NsfwLevel) -> None:
    assert level_of_text(text) is level


def test_the_words_of_each_level_are_documented() -> None:
    page = (ROOT / "docs" / "fidelity.md").read_text("utf-8").replace("\n", " ")
    for level, words in WORDS.items():
        assert f"`{level}`: {', '.join(sorted(words))}." in " ".join(page.split())


def test_every_word_has_one_level() -> None:
    words = [word for found in WORDS.values() for word in found]
    assert len(set(words)) == len(words)
    assert all(level_of_text(word) is level for level, found in WORDS.items() for word in found)
    assert {level for level in WORDS if level.is_mature} == MATURE

"""Captions: what is printed under a picture, and that it fits."""

from dataclasses import replace

import pytest

from civitai_mock.drawing.painter.caption import FOREIGN_WORDS, NO_WORDS, Caption, lay_out_caption, legible
from civitai_mock.drawing.painter.poster import MIN_SIDE_FOR_CAPTION, paint
from civitai_mock.generation.graph_reader.image_batches.batch import ImageBatch
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.graph_reader.samplers import Lora, SamplerPass
from tests.support.table import table

SAMPLED = SamplerPass(
    seed=1211611058,
    steps=20,
    cfg=7.0,
    sampler="euler_ancestral",
    noise_schedule="normal",
    prompt_text="RAW photo, face portrait photo of woman, wearing black dress, happy face, hard shadows",
    model="sdxl/civitai/101055/128078.safetensors",
)
LONG = replace(SAMPLED, prompt_text="masterpiece " * 500, model="folder/" * 60 + "model.safetensors")


def caption(sampled: SamplerPass, *, side: int = 1024, index: int = 0) -> Caption:
    output = OutputImages(node_id="9", batch=ImageBatch(width=side, height=side), passes=(sampled,))
    return lay_out_caption(output, index, width=side - 2 * round(side * 0.035), shorter=side)


def test_a_caption_says_how_the_picture_was_made() -> None:
    printed = caption(SAMPLED)
    assert " ".join(printed.title) == SAMPLED.prompt_text
    assert printed.facts == [
        "seed 1211611058  ·  20 steps  ·  euler_ancestral normal  ·  cfg 7  ·  sdxl/civitai/101055/128078"
    ]


def test_a_caption_names_index_guidance_and_loras_where_there_are_any() -> None:
    lora = Lora(file_name="style.safetensors", strength=1.0)
    facts = " ".join(caption(replace(SAMPLED, guidance=3.5, loras=(lora,)), index=2).facts)
    assert "seed 1211611058 #3" in facts
    assert "guidance 3.5" in facts
    assert "1 LoRA" in facts


@pytest.mark.parametrize("side", [256, 300, 512, 1024, 2048])
@pytest.mark.parametrize("sampled", [SAMPLED, LONG, SamplerPass()], ids=["usual", "long", "empty"])
def test_a_caption_keeps_within_its_strip(side: int, sampled: SamplerPass) -> None:
    printed = caption(sampled, side=side)
    sheet = printed.print()
    assert sheet.shape == (printed.height, printed.width)
    assert not sheet[:, -1].any()
    assert printed.height < side / 3


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert caption(LONG).title[-1].endswith("…")


@pytest.mark.parametrize("side", [256, 512])
def test_letters_are_never_smaller_than_ten_pixels(side: int) -> None:
    assert caption(SAMPLED, side=side).fact_size >= 10


@table(
    ("words", "printed"),
    [
        ("a red fox", "a red fox"),
        ("une forêt  d'été\n", "une foret d'ete"),
        ("fox 狐狸 snow", "fox … snow"),
        ("“fox” … snow", "“fox” ... snow"),
        ("狐狸", FOREIGN_WORDS),
        ("", NO_WORDS),
        (" \n", NO_WORDS),
        ("\ud83e fox", "… fox"),
    ],
    ids=ascii,
)
def test_what_the_font_lacks_is_replaced(words: str, printed: str) -> None:
    assert legible(words) == printed


def test_small_pictures_have_no_words() -> None:
    small = OutputImages(node_id="9", batch=ImageBatch(width=400, height=MIN_SIDE_FOR_CAPTION - 1), passes=(SAMPLED,))
    other = replace(small, passes=(replace(SAMPLED, cfg=8.0),))
    assert (paint(small, 0).pixels == paint(other, 0).pixels).all()


def test_pictures_with_words_differ_by_them() -> None:
    large = OutputImages(node_id="9", batch=ImageBatch(width=400, height=MIN_SIDE_FOR_CAPTION), passes=(SAMPLED,))
    other = replace(large, passes=(replace(SAMPLED, cfg=8.0),))
    assert (paint(large, 0).pixels != paint(other, 0).pixels).any()

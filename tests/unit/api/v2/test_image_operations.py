"""Step types that make one image of another one: what is done to it, and what they answer."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.domain.blob import Slot
from civitai_mock.generation import operations as of
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.media import ImageFile, ImageFormat
from civitai_mock.generation.work import DerivedWork
from tests.support.generation import SKELETONS, job_of
from tests.support.table import table
from tests.support.v2_description import check_output
from tests.support.v2_inputs import InputKind, input_kinds, make_input
from tests.support.v2_steps import SEEN, TYPES, job_in_step, plans_of

STEP_TYPES = ("imageUpscaler", "convertImage", "imageBackgroundRemoval", "preprocessImage", "imageUpload")
KINDS = [kind for kind in input_kinds() if kind.step_type in STEP_TYPES]
URL = "https://example.com/image.png"
PNG, WEBP = ImageFile(format=ImageFormat.PNG), ImageFile(format=ImageFormat.WEBP)


def work_of(step_type: str, sent: Any) -> DerivedWork:
    (made,) = plans_of(step_type, sent)
    work = job_work(job_of(made), SKELETONS)
    assert isinstance(work, DerivedWork)
    return work


@table("is_full", [False, True], ids=["least", "full"])
@table("kind", KINDS, ids=str)
def test_every_kind_of_input_is_done_by_one_job(kind: InputKind, is_full: bool) -> None:
    sent = make_input(kind, is_full=is_full)
    work = work_of(kind.step_type, sent)
    assert work.inputs == (sent if kind.schema is None else sent["image"],)
    (made,) = plans_of(kind.step_type, sent)
    assert TYPES.cost(kind.step_type, echo_input(kind.step_type, sent)).base >= (kind.schema is not None)
    output = TYPES.output(kind.step_type, sent, [job_in_step(made)], view=SEEN)
    if kind.schema is None:
        assert output is None  # until it is known what it is
    else:
        check_output(kind.step_type, output)


@table(
    ("step_type", "sent", "operation"),
    [
        ("imageUpscaler", {}, of.UpscaleImage(factor=2)),
        ("imageUpscaler", {"numberOfRepeats": 3, "model": "4x-UltraSharp.pth"}, of.UpscaleImage(factor=8)),
        ("imageBackgroundRemoval", {}, of.RemoveBackground(file=PNG)),
        ("imageBackgroundRemoval", {"format": "webp"}, of.RemoveBackground(file=WEBP)),
        ("preprocessImage", {"kind": "hed"}, of.PreprocessImage(kind="hed")),
        ("preprocessImage", {"kind": "binary", "binThreshold": 9}, of.PreprocessImage(kind="binary", threshold=9)),
        ("preprocessImage", {"kind": "shuffle", "seed": 9}, of.PreprocessImage(kind="shuffle", seed=9)),
        ("preprocessImage", {"kind": "canny", "resolution": 64}, of.PreprocessImage(kind="canny", resolution=64)),
        (
            "convertImage",
            {
                "transforms": [
                    {"type": "resize", "targetWidth": 320},
                    {"type": "resize", "targetWidth": None},
                    {"type": "blur", "blur": 9, "mode": "exclude", "regions": [{"x1": 1, "y1": 2, "x2": 3, "y2": 4}]},
                    {"type": "blur", "blur": 5, "mode": "include"},
                ],
                "output": {"format": "webp", "quality": 40, "lossless": True, "maxFrames": 3, "hideMetadata": True},
            },
            of.ConvertImage(
                file=ImageFile(format=ImageFormat.WEBP, quality=40, is_lossless=True, has_metadata=False),
                transforms=(
                    of.Resize(width=320),
                    of.Blur(radius=9, is_outside=True, regions=(of.Region(x1=1, y1=2, x2=3, y2=4),)),
                    of.Blur(radius=5),
                ),
                max_frames=3,
            ),
        ),
    ],
)
def test_an_input_says_what_is_done(step_type: str, sent: Any, operation: of.Operation) -> None:
    assert work_of(step_type, {"image": URL, **sent}).operation == operation


def test_an_upload_keeps_the_image_that_the_input_is() -> None:
    work = work_of("imageUpload", URL)
    assert (work.operation, work.inputs) == (of.KeepImage(), (URL,))
    (made,) = plans_of("imageUpload", URL)
    stored = replace(job_of(made), slots=(Slot(blob_key="0123456789ABCDEFGHJKMNPQRS.png"),))
    check_output("imageUpload", TYPES.output("imageUpload", URL, [stored], view=SEEN))


@table("step_type", STEP_TYPES)
@table(("source", "is_fetched"), [(URL, True), ("data:image/png,http://x", False), ("AAAA", False)])
def test_only_urls_have_to_be_fetched(step_type: str, source: str, is_fetched: bool) -> None:
    more: Any = {"kind": "canny", "output": {"format": "png"}}
    sent = source if step_type == "imageUpload" else {"image": source, **more}
    (draft,) = TYPES.job_maker(step_type, echo_input(step_type, sent))(1).drafts
    assert draft.image_urls() == ({"source": source} if is_fetched else {})


@pytest.mark.parametrize(
    ("step_type", "sent", "price"),
    [
        ("imageUpscaler", {}, 4),  # published prices
        ("imageUpscaler", {"numberOfRepeats": 2}, 8),
        ("imageUpscaler", {"numberOfRepeats": 3}, 16),
        ("convertImage", {"output": {"format": "png"}}, 1),
        ("imageBackgroundRemoval", {}, 7),
    ],
)
def test_prices(step_type: str, sent: Any, price: int) -> None:
    assert TYPES.cost(step_type, echo_input(step_type, {"image": URL, **sent})).base == price

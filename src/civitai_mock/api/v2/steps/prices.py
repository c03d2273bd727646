"""What steps cost, in whole Buzz: the published prices (v2 contract, section 8), and guesses where there is none."""

from collections.abc import Mapping

from civitai_mock.api.v2.steps.image_members import air_ecosystem, image_count, image_size, lora_count
from civitai_mock.api.v2.steps.step_type import StepInput
from civitai_mock.api.v2.steps.video_members import video_count, video_seconds, video_size
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import as_number, as_object, as_text
from civitai_mock.generation.text_to_image.spec import Size

UPSCALER = 4  # of 1024 by 1024 pixels, once
PRICED_BY = ("engine", "ecosystem", "model", "modelVersion")
ONE_PIXEL = Size(1, 1)
ADDITIONAL_RESOURCES = "additionalResources"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePrice:
    """Is the price of one image of `side` by `side` pixels with so many steps; others cost in proportion.

    Without a `side` or `steps` the price is the same for all. It is multiplied by `edit` if an image is edited, and
    by `guidance` if there is a negative prompt text to work against, which a `cfgScale` above 1 means.
    """

    base: float
    side: int | None = 1024
    steps: int | None = 20
    edit: float = 1
    guidance: float = 1


SDXL = ImagePrice(base=8)
EXTERNAL = ImagePrice(base=50, side=None, steps=None)  # a guess: what companies ask for is not published
KLEIN_4B, KLEIN_9B = (ImagePrice(base=base, edit=2, guidance=2) for base in (12, 24))
# By AIR's ecosystem, for models; by engine, ecosystem, model and version, as far as they matter, for imageGen.
IMAGE_PRICES: Mapping[str, ImagePrice] = {
    "sd1": ImagePrice(base=4, side=512),
    "sdxl": SDXL,
    "flux1": ImagePrice(base=8),
    "sdcpp": SDXL,
    "sdcpp/sd1": ImagePrice(base=4, side=512),
    "sdcpp/flux1": ImagePrice(base=28, steps=28),
    "sdcpp/zImage": ImagePrice(base=20),
    "sdcpp/zImage/turbo": ImagePrice(base=8, steps=9),
    "sdcpp/anima": ImagePrice(base=9.6, steps=30),
    "sdcpp/qwen": ImagePrice(base=18),
    "sdcpp/flux2Klein": KLEIN_4B,
    "sdcpp/flux2Klein/9b": KLEIN_9B,
    "sdcpp/flux2Klein/9b-base": KLEIN_9B,
    "comfy": ImagePrice(base=8, steps=30),
    "comfy/sd1": ImagePrice(base=4, side=512, steps=30),
    "comfy/flux1": ImagePrice(base=8),
    "comfy/anima": ImagePrice(base=9.6, steps=30),
    "flux2/klein": KLEIN_4B,
    "flux2/klein/9b": KLEIN_9B,
    "flux2/klein/9b-base": KLEIN_9B,
    "flux2/klein/9b-kv": KLEIN_9B,
}


VIDEO_SECOND, VIDEO_PIXELS = 130, 1280 * 720
MUSIC, MUSIC_SECOND = 1, 0.1
SPEECH_CHARACTERS = 40  # of a Buzz


def text_to_image_price(members: StepInput) -> StepCost:
    """Return the price of images by their model; a model of an unknown ecosystem costs as one of SDXL does."""
    price = IMAGE_PRICES.get(air_ecosystem(as_object(members).get("model")), SDXL)
    batch = as_number(as_object(members).get("batchSize"))
    return _cost(price, members, count=image_count(members) * (batch or 1))


def image_gen_price(members: StepInput) -> StepCost:
    """Return the price of images by the engine and what makes a difference there."""
    known = as_object(members)
    path = "/".join([word for name in PRICED_BY if (word := as_text(known.get(name)))])
    while path and path not in IMAGE_PRICES:
        path = path.rpartition("/")[0]
    return _cost(IMAGE_PRICES.get(path, EXTERNAL), members, count=image_count(members))


def upscaler_price(members: StepInput) -> StepCost:
    """Return the price of an upscaled image; its size is not known yet, so it counts as the usual one."""
    repeats = as_number(as_object(members).get("numberOfRepeats")) or 1
    return StepCost(factors={"base": UPSCALER, "repeats": 2 ** (repeats - 1)})


def video_price(members: StepInput) -> StepCost:
    """Return the price of videos, which is that of wan for all engines: 130 for a second of 720p."""
    width, height = video_size(members)
    return StepCost(
        factors={
            "base": VIDEO_SECOND,
            "pixels": width * height / VIDEO_PIXELS,
            "seconds": video_seconds(members),
            "quantity": video_count(members),
        },
        fixed=_surcharges(members),
    )


def music_price(members: StepInput) -> StepCost:
    seconds = as_number(as_object(members).get("duration")) or 0
    return StepCost(factors={"base": MUSIC + MUSIC_SECOND * seconds})


def speech_price(members: StepInput) -> StepCost:
    characters = len(as_text(as_object(members).get("text")))
    return StepCost(factors={"base": max(characters / SPEECH_CHARACTERS, 1)})


def _cost(price: ImagePrice, members: StepInput, *, count: float) -> StepCost:
    known = as_object(members)
    usual = Size(price.side, price.side) if price.side else ONE_PIXEL
    width, height = image_size(members, otherwise=usual) or usual
    steps = as_number(known.get("steps"))
    factors = {
        "base": price.base,
        "pixels": width * height / price.side**2 if price.side else 1,
        "steps": (steps or price.steps) / price.steps if price.steps else 1,
        "quantity": count,
    }
    if price.edit != 1 and "edit" in as_text(known.get("operation")).lower():
        factors["operation"] = price.edit
    if price.guidance != 1 and (as_number(known.get("cfgScale")) or 1) > 1:
        factors["cfgScale"] = price.guidance
    return StepCost(factors=factors, fixed=_surcharges(members))


def _surcharges(members: StepInput) -> Mapping[str, int]:
    loras = lora_count(members)
    return {ADDITIONAL_RESOURCES: loras} if loras else {}

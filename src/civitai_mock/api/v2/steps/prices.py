"""What steps cost, in whole Buzz: the published prices (v2 contract, section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from civitai_mock.api.v2.steps.step_type import StepInput
from civitai_mock.domain.air import parse_reference
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import as_number


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePrice:
    """Is the price of one image of `side` by `side` pixels with so many steps; others cost in proportion."""

    base: float
    side: int
    steps: int


SDXL = ImagePrice(base=8, side=1024, steps=20)
IMAGE_PRICES: Mapping[str, ImagePrice] = {"sd1": ImagePrice(base=4, side=512, steps=20), "sdxl": SDXL}


def image_price(members: StepInput) -> StepCost:
    """Return the price of the images of an input with a `model`; a model of an unknown ecosystem costs as SDXL does."""
    price = IMAGE_PRICES.get(_ecosystem(members.get("model")), SDXL)
    width, height = as_number(members.get("width")), as_number(members.get("height"))
    steps, quantity = as_number(members.get("steps")), as_number(members.get("quantity"))
    batch = as_number(members.get("batchSize"))
    return StepCost(
        factors={
            "base": price.base,
            "pixels": (width or price.side) * (height or price.side) / price.side**2,
            "steps": (steps or price.steps) / price.steps,
            "quantity": (quantity or 1) * (batch or 1),
        }
    )


def _ecosystem(model: object) -> str:
    try:
        reference = parse_reference(model) if isinstance(model, str) else None
    except InvalidRequestError:
        return ""
    return getattr(reference, "ecosystem", None) or ""

"""ControlNets as they are asked for, and as they are stored."""

from collections.abc import Iterator

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.control_nets.preprocessors import ALL_RECIPES, RECIPES

MAX_WEIGHT = 10  # ComfyUI's largest strength
FIRST_STEP, LAST_STEP = 0, 1  # fractions of all steps


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNetSpec:
    """Is a ControlNet as it is stored: its image is a blob or behind a URL, its steps are fractions of all steps.

    `model` is its AIR; without one it is any file that fits preprocessor and ecosystem.
    """

    preprocessor: str
    weight: float
    start_step: float
    end_step: float
    blob_key: str | None = None
    image_url: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNetDraft:
    """Is a ControlNet of a draft; `preprocessor` is the name of a recipe, and one of the two images is there."""

    preprocessor: str
    weight: float | None = None
    start_step: float | None = None
    end_step: float | None = None
    blob_key: str | None = None
    image_url: str | None = None
    model: str | None = None

    def complete(self, model: str | None) -> ControlNetSpec:
        return ControlNetSpec(
            preprocessor=self.preprocessor,
            weight=1 if self.weight is None else self.weight,
            start_step=FIRST_STEP if self.start_step is None else self.start_step,
            end_step=LAST_STEP if self.end_step is None else self.end_step,
            blob_key=self.blob_key,
            image_url=self.image_url,
            model=model,
        )

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what ComfyUI could not do, each with the member that asks for it."""
        if self.preprocessor not in ALL_RECIPES:
            yield "preprocessor", preprocessor_fault(f"'{self.preprocessor}'")
        if self.weight is not None and not 0 <= self.weight <= MAX_WEIGHT:
            yield "weight", f"expected a weight from 0 to {MAX_WEIGHT}; found {self.weight:g}"
        for member, number in (("start_step", self.start_step), ("end_step", self.end_step)):
            if number is not None and (message := fraction_fault(number)):
                yield member, message
        if (self.blob_key is None) == (self.image_url is None):
            yield "image_url", "A ControlNet needs one image, which is a blob or behind a URL."


def preprocessor_fault(found: str) -> str:
    return f"{found} is not a preprocessor; use one of {', '.join(RECIPES)}."


def fraction_fault(number: float) -> str | None:
    """Return what is wrong with a number that has to be a fraction of all steps; None if it is one."""
    if 0 <= number <= 1:
        return None
    return f"expected a fraction of all steps, from 0 to 1 (0.5 is half-way); found {number:g}"

"""Step types that make 3-D models, and images of them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.image_members import USUAL_SIZE, image_file, image_seeds, image_size, input_images
from civitai_mock.api.v2.steps.step_type import Blobs, OneJobStep, StepInput, slots_of
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, as_list, as_object, as_text
from civitai_mock.generation.job_types.models_3d import Model3dSpec, Model3dViewsSpec

# The members of an output that are there if they are asked for, by the members of the input that do.
VARIANTS: Mapping[str, str] = {"enableRigging": "riggedModel", "enableAnimation": "animatedModel"}
MOST_VIEWS = 32
ONE_VIEW = "front"


class PolyGen(OneJobStep):
    """Makes a 3-D model as glTF, and an image of it; a rigged and an animated one if they are asked for."""

    name: ClassVar[str] = "polyGen"
    price: ClassVar[int] = 100

    def draft(self, step_input: StepInput, *, seed: int) -> Model3dSpec:
        image = as_text(step_input.get("imageUrl"))
        return Model3dSpec(
            prompt=as_text(step_input.get("prompt")),
            seed=image_seeds(step_input, drawn=seed, jobs=1)[0],
            sources={"imageUrl": image} if image else input_images(step_input),
            variants=len(_variants(step_input)),
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        slots = slots_of(jobs)
        names = ("model", "thumbnail", *_variants(step_input))
        return {name: blobs.render(slot) for name, slot in zip(names, slots, strict=False)} or None


def _variants(step_input: StepInput) -> Sequence[str]:
    return [member for asked, member in VARIANTS.items() if as_object(step_input).get(asked) is True]


class Model3DPreview(OneJobStep):
    """Draws an image for each pose of the camera; the model is not looked at."""

    name: ClassVar[str] = "model3DPreview"
    price: ClassVar[int] = 1

    def draft(self, step_input: StepInput, *, seed: int) -> Model3dViewsSpec:
        poses = as_list(step_input["cameraPoses"])[:MOST_VIEWS]
        size = image_size(step_input) or USUAL_SIZE
        return Model3dViewsSpec(
            model=step_input["model"],
            views=tuple(as_text(as_object(pose).get("name")) or ONE_VIEW for pose in poses) or (ONE_VIEW,),
            seed=seed,
            width=size.width,
            height=size.height,
            file=image_file(step_input),
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return {"images": blobs.render_all(jobs)} if jobs else None

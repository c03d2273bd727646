"""Step types that nothing is made for yet: their outputs are built of the description.

One that is to become real gets a class of its own in the module of its family, in the place of the one here.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH, Side
from civitai_mock.api.v2.description.document import Schema, recipe_schemas, schemas_for
from civitai_mock.api.v2.steps.image_members import image_seeds
from civitai_mock.api.v2.steps.step_type import Blobs, OneJobStep, StepInput, slots_of
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.generation.file_recipes import VIDEO_TYPE, members_of
from civitai_mock.generation.job_types.stand_ins import StandInSpec
from civitai_mock.generation.schema_values import Shapes, build_value, filled

BLOB = f"{SCHEMAS_PATH}Blob"
BLOB_TYPES: Mapping[str, str] = {
    f"{SCHEMAS_PATH}ImageBlob": "image/jpeg",
    f"{SCHEMAS_PATH}VideoBlob": VIDEO_TYPE,
    f"{SCHEMAS_PATH}AudioBlob": "audio/ogg",
    f"{SCHEMAS_PATH}Model3DBlob": "model/gltf-binary",
}


class StandIn(OneJobStep):
    """Answers a value of its declared shape, the same for the same input and, if it `draws`, the same seed.

    A blob whose type is left open by the description is one of `blob_type`.
    """

    price: ClassVar[int] = 1
    blob_type: ClassVar[str] = "image/jpeg"
    draws: ClassVar[bool] = False

    def draft(self, step_input: StepInput, *, seed: int) -> StandInSpec:
        shapes = Shapes(resolve=answer_schema, blob_types={**BLOB_TYPES, BLOB: self.blob_type})
        drawn = image_seeds(step_input, drawn=seed, jobs=1)[0] if self.draws else None
        asked = json.dumps([self.name, step_input, drawn], sort_keys=True)
        built = build_value(recipe_schemas()[self.name].output, seed=asked, shapes=shapes)
        return StandInSpec(
            step_type=self.name,
            value=as_object(built.value),
            recipes=tuple(members_of(recipe) for recipe in built.files),
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        return next((as_object(filled(job.spec["value"], partial(_blob, job, blobs))) for job in jobs), None)


def answer_schema(reference: str) -> Schema:
    """Return the schema of answers that a `$ref` names."""
    return schemas_for(Side.ANSWERS)[reference.removeprefix(SCHEMAS_PATH)]


def _blob(job: Job, blobs: Blobs, place: int) -> Json:
    return blobs.render(list(slots_of([job]))[place])


class HumanoidImageMask(StandIn):
    """Answers an image in the place of a mask of the clothes that somebody wears."""

    name: ClassVar[str] = "humanoidImageMask"
    blob_type: ClassVar[str] = "image/png"


class TryOnU(StandIn):
    """Answers an image in the place of somebody in other clothes."""

    name: ClassVar[str] = "tryOnU"
    draws: ClassVar[bool] = True


class ImageToSvg(StandIn):
    """Answers a small vector graphic."""

    name: ClassVar[str] = "imageToSvg"
    blob_type: ClassVar[str] = "image/svg+xml"

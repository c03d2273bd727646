"""Show the form of an output that is not known before its step is done, for what-ifs of recipes."""

from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.api.v2.steps.stand_ins import BLOB, BLOB_TYPES, answer_schema
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.media import extension_of
from civitai_mock.generation.schema_values import Shapes, build_value, filled

USUAL_TYPE = "image/jpeg"  # of a blob whose type the description leaves open


def planned_output(recipe: str, renderer: BlobRenderer) -> JsonObject:
    """Return a value of the declared form, the same each time, with blobs that are not available."""
    shapes = Shapes(resolve=answer_schema, blob_types={**BLOB_TYPES, BLOB: USUAL_TYPE})
    built = build_value(recipe_schemas()[recipe].output, seed=recipe, shapes=shapes)

    def blob(place: int) -> Json:
        file = built.files[place]
        blob_id = f"planned-{place}{extension_of(file.content_type)}"
        return renderer.render(blob_id, content_type=file.content_type, facts=file.facts, is_available=False)

    return as_object(filled(built.value, blob))

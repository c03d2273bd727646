"""Show the form of an output that is not known before its step is done, for what-ifs of recipes."""

from collections.abc import Mapping

from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.api.v2.description.deviations import SCHEMAS_PATH, Side
from civitai_mock.api.v2.description.document import Schema, recipe_schemas, schemas_for
from civitai_mock.domain.json_types import Json, JsonObject, as_object
from civitai_mock.domain.media import extension_of
from civitai_mock.generation.schema_values import Shapes, build_value, filled

BLOB_TYPES: Mapping[str, str] = {
    f"{SCHEMAS_PATH}Blob": "image/jpeg",
    f"{SCHEMAS_PATH}ImageBlob": "image/jpeg",
    f"{SCHEMAS_PATH}VideoBlob": "video/mp4",
    f"{SCHEMAS_PATH}AudioBlob": "audio/ogg",
    f"{SCHEMAS_PATH}Model3DBlob": "model/gltf-binary",
}


def planned_output(recipe: str, renderer: BlobRenderer) -> JsonObject:
    """Return a value of the declared form, the same each time, with blobs that are not available."""
    shapes = Shapes(resolve=_schema, blob_types=BLOB_TYPES)
    built = build_value(recipe_schemas()[recipe].output, seed=recipe, shapes=shapes)

    def blob(place: int) -> Json:
        file = built.files[place]
        blob_id = f"planned-{place}{extension_of(file.content_type)}"
        return renderer.render(blob_id, content_type=file.content_type, facts=file.facts, is_available=False)

    return as_object(filled(built.value, blob))


def _schema(reference: str) -> Schema:
    return schemas_for(Side.ANSWERS)[reference.removeprefix(SCHEMAS_PATH)]

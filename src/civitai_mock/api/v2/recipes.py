"""Serve recipes: single steps, which are answered when they are done, and the description of each."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.openapi import DescribedRoute
from civitai_mock.api.v2.description.recipe_document import MEDIA_TYPES, DocumentFormat, written_recipe_document
from civitai_mock.api.v2.official_operations import RecipeDocumentOperations
from civitai_mock.services.threads import LARGE_BYTES, in_thread_if_large

RECIPE_PATH = "/v2/consumer/recipes/{name}"


async def get_json_document(request: Request) -> Response:
    return await _document(request, DocumentFormat.JSON)


async def get_yaml_document(request: Request) -> Response:
    return await _document(request, DocumentFormat.YAML)


async def _document(request: Request, document_format: DocumentFormat) -> Response:
    """Answer with a description; to write one takes up to a tenth of a second, the first time."""
    name: str = request.path_params["name"]
    write = partial(written_recipe_document, name, document_format)
    return Response(await in_thread_if_large(write, size=LARGE_BYTES), media_type=MEDIA_TYPES[document_format])


ROUTES = [
    DescribedRoute(
        f"{RECIPE_PATH}/openapi.{document_format}",
        endpoint,
        method="GET",
        operation=RecipeDocumentOperations(media_type=MEDIA_TYPES[document_format], problems=[404, 429]),
    )
    for document_format, endpoint in (
        (DocumentFormat.YAML, get_yaml_document),
        (DocumentFormat.JSON, get_json_document),
    )
]

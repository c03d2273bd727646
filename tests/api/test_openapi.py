"""The server's own description: complete, official in its names, and kept as a file for people."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Match

from civitai_mock.api.mock import CONTROL_TAG, is_control_path
from civitai_mock.api.v2.description.document import published
from civitai_mock.api.v2.official_operations import official_schemas
from tests.support.asgi import http_scope
from tests.support.golden import Golden
from tests.support.paths import ASSETS
from tests.support.served_app import JOBS, Served, serve, template

ASSET = ASSETS / "civitai-openapi-v1.json"
OPERATIONS = {
    ("post", JOBS): "postV1ConsumerJobs",
    ("get", JOBS): "getV1ConsumerJobs",
    ("put", JOBS): "putV1ConsumerJobs",
    ("delete", JOBS): "deleteV1ConsumerJobs",
    ("get", JOBS + "/{jobId}"): "getV1ConsumerJobsByJobId",
    ("put", JOBS + "/{jobId}"): "putV1ConsumerJobsByJobId",
    ("delete", JOBS + "/{jobId}"): "deleteV1ConsumerJobsByJobId",
    ("post", JOBS + "/query"): "postV1ConsumerJobsQuery",
    ("get", JOBS + "/{jobId}/assets/{assetName}"): "getV1ConsumerJobsByJobIdAssetsByAssetName",
    ("get", JOBS + "/events"): "streamJobsOfToken",
    ("get", JOBS + "/{jobId}/events"): "streamJob",
    ("get", "/v1/consumer/events"): "streamNamespace",
    ("get", "/v1/consumer/coverage"): "getV1ConsumerCoverage",
    ("get", "/v1/consumer/consumption"): "getV1ConsumerConsumption",
    ("get", "/v1/consumer/requests"): "getV1ConsumerRequests",
    ("get", "/v1/producer/jobs/{jobId}/events"): "getV1ProducerJobsByJobIdEvents",
    ("get", "/v2/resources"): "ListResources",
    ("post", "/v2/resources"): "CreateResource",
    ("get", "/v2/resources/{air}"): "GetResource",
    ("put", "/v2/resources/{air}"): "ReplaceResource",
    ("patch", "/v2/resources/{air}"): "UpdateResource",
    ("delete", "/v2/resources/{air}"): "DeleteResource",
    ("get", "/v2/consumer/blobs/upload"): "GetConsumerBlobUploadUrl",
    ("post", "/v2/consumer/blobs"): "UploadConsumerBlob",
    ("get", "/v2/consumer/blobs/{blobId}"): "GetBlob",
    ("head", "/v2/consumer/blobs/{blobId}"): "HeadBlob",
    ("get", "/v2/consumer/blobs/content/{encryptedToken}"): "GetBlobContent",
    ("get", "/v2/consumer/blobs/blocked/{encryptedToken}"): "GetBlockedContent",
    ("get", "/v2/consumer/blobs/archive/{encryptedToken}"): "GetBlobArchive",
    ("post", "/v2/consumer/blobs/{blobId}/refresh"): "RefreshBlob",
    ("get", "/v2/consumer/streaming-blobs/{blobKey}"): "GetStreamingBlob",
    ("get", "/v2/consumer/recipes/{name}/openapi.json"): "GetRecipeDocumentAsJson",
    ("get", "/v2/consumer/recipes/{name}/openapi.yaml"): "GetRecipeDocumentAsYaml",
    ("get", "/blobs/{key}"): "GetSignedBlob",
    ("head", "/blobs/{key}"): "HeadSignedBlob",
    ("get", "/health"): "GetHealth",
    ("get", "/health/live"): "GetLiveness",
    ("get", "/health/ready"): "GetReadiness",
    ("get", "/metrics"): "GetMetrics",
    ("get", "/"): "GetIndex",
}
OFFICIAL_SCHEMAS = {
    "Blob",
    "ConsumerBlobPresignResponse",
    "ConsumptionDetails",
    "ImageJobParams",
    "Job",
    "JobEvent",
    "JobEventType",
    "JobStatus",
    "JobStatusCollection",
    "JobTemplateList",
    "ProblemDetails",
    "ProviderAssetAvailability",
    "ProviderJobQueuePosition",
    "ProviderJobStatus",
    "QueryJobsRequest",
    "QueryJobsResult",
    "ResourceInfo",
    "TaintJobRequest",
    "TaintJobsRequest",
    "TaintJobsResult",
    "TextToImageJobRequest",
}


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:
    return (await client.get("/openapi.json")).json()


async def test_the_description_is_the_one_in_assets(golden: Golden) -> None:
    """The official schemas of v2 are data of the package, and need no second copy; this is without a control plane."""
    async with serve(admin="off") as served:
        document = (await served.client.get("/openapi.json")).json()
    schemas, official = document["components"]["schemas"], official_schemas()
    own = {name: schema for name, schema in schemas.items() if schema != official.get(name)}
    golden.check_json(ASSET, document | {"components": document["components"] | {"schemas": own}})


async def test_every_operation_has_its_official_name(document: Any) -> None:
    named = {
        (method, path): told["operationId"] for path, method, told in _operations(document) if not is_control_path(path)
    }
    official = {
        (method, path): told["operationId"]
        for path, methods in published()["paths"].items()
        for method, told in methods.items()
    }
    assert named == {**official, **OPERATIONS}


async def test_the_control_plane_has_a_tag_and_names_of_its_own(document: Any) -> None:
    tags = {path: told["tags"] for path, _, told in _operations(document) if CONTROL_TAG in told["tags"]}
    assert tags
    assert all(is_control_path(path) for path in tags)
    names = [told["operationId"] for _, _, told in _operations(document)]
    assert len(set(names)) == len(names)


async def test_the_schemas_have_their_official_names(document: Any) -> None:
    assert set(document["components"]["schemas"]) >= OFFICIAL_SCHEMAS


async def test_nothing_but_an_upload_answers_422(document: Any) -> None:
    """Only the official upload does."""
    answering = [told["operationId"] for _, _, told in _operations(document) if "422" in told["responses"]]
    assert answering == ["UploadConsumerBlob"]
    assert not [name for name in document["components"]["schemas"] if "ValidationError" in name]


async def test_every_reference_leads_somewhere(document: Any) -> None:
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names <= set(document["components"]["schemas"])


async def test_every_operation_can_be_reached(document: Any, served: Served) -> None:
    for path, method, _ in _operations(document):
        scope = http_scope(method.upper(), re.sub(r"\{\w+\}", "x", path))
        assert any(route.matches(scope)[0] is Match.FULL for route in served.app.routes), (method, path)


@pytest.mark.parametrize("finished", [True, False])
async def test_answers_are_as_described(document: Any, served: Served, finished: bool) -> None:
    submitted = await served.client.post(f"{JOBS}?detailed=true", json=template(quantity=2))
    if finished:
        await served.finish()
    polled = await served.client.get(JOBS, params={"token": submitted.json()["token"], "detailed": "true"})
    one = await served.client.get(f"{JOBS}/{submitted.json()['jobId']}")
    for schema, answer in (
        ("JobStatusCollection", submitted),
        ("JobStatusCollection", polled),
        ("JobStatus", one),
        ("QueryJobsResult", await served.client.post(f"{JOBS}/query?detailed=true", json={})),
        ("JobStatusCollection", await served.client.post(f"{JOBS}?whatif=true", json=template())),
        ("ConsumptionDetails", await served.client.get("/v1/consumer/consumption?startDate=2025-01-01")),
        ("RequestsResult", await served.client.get("/v1/consumer/requests")),
        ("ProblemDetails", await served.client.get("/nowhere")),
        ("ProblemDetails", await served.client.post(JOBS, json={})),
        ("ResourceList", await served.client.get("/v2/resources")),
        ("Health", await served.client.get("/health")),
        ("Probe", await served.client.get("/health/live")),
        ("Probe", await served.client.get("/health/ready")),
        ("Index", await served.client.get("/")),
    ):
        _validate(document, schema, answer.json())


async def test_the_template_of_the_tests_is_as_described(document: Any) -> None:
    _validate(document, "TextToImageJobRequest", template())
    _validate(document, "JobTemplateList", {"jobs": [template()]})


def _operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def _validate(document: Any, schema: str, value: Any) -> None:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    Draft202012Validator(whole).validate(value)

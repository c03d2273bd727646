"""Serve what a job leaves behind: assets and events."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.blob_reading import RequestReading
from civitai_mock.api.blobs import serve_blob
from civitai_mock.api.context import owner, use_cases, vocabulary
from civitai_mock.api.openapi import (
    DescribedRoute,
    ListOf,
    Operation,
    count_parameter,
    flag_parameter,
    path_parameter,
)
from civitai_mock.api.query_params import count, flag
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.silent_blobs import may_be_silent
from civitai_mock.api.v1 import JOB_PATH, JOBS_TAG, READ_PROBLEMS
from civitai_mock.api.v1.render import render_event
from civitai_mock.api.v1.schemas import JobEvent

ASSET_PATH = JOB_PATH + "/assets/{assetName}"
DEFAULT_COUNT, MAX_COUNT = 100, 1000


@may_be_silent
async def get_asset(request: Request) -> Response:
    cases, path = use_cases(request), request.path_params
    slot = await cases.query.asset(path["jobId"], path["assetName"], owner=owner(request))
    reading = RequestReading(request, ASSET_PATH)
    return await serve_blob(request, await cases.blob_access.open(slot.blob_key, owner=owner(request), reading=reading))


async def get_events(request: Request) -> Response:
    take, descending = count(request, "take", default=DEFAULT_COUNT, most=MAX_COUNT), flag(request, "descending")
    events = await use_cases(request).query.events(request.path_params["jobId"], owner=owner(request))
    ordered = events[::-1] if descending else events
    return JsonResponse([render_event(event, vocabulary(request)) for event in ordered[:take]])


ROUTES = [
    DescribedRoute(
        JOB_PATH + "/assets/{assetName:path}",
        get_asset,
        method="GET",
        operation=Operation(
            id="getV1ConsumerJobsByJobIdAssetsByAssetName",
            summary="Download an asset of a job, or one range of it",
            tag=JOBS_TAG,
            parameters=[path_parameter("jobId"), path_parameter("assetName")],
            responses={200: bytes, 206: bytes, 304: None},
            problems=[*READ_PROBLEMS, 404, 416],
        ),
    ),
    DescribedRoute(
        "/v1/producer/jobs/{jobId}/events",
        get_events,
        method="GET",
        operation=Operation(
            id="getV1ProducerJobsByJobIdEvents",
            summary="List the events of a job",
            tag=JOBS_TAG,
            parameters=[
                path_parameter("jobId"),
                count_parameter("take", default=DEFAULT_COUNT, most=MAX_COUNT),
                flag_parameter("descending"),
            ],
            responses={200: ListOf(JobEvent)},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
]

"""Show a consumer the available resources, past requests, and what was spent."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import owner, use_cases
from civitai_mock.api.openapi import (
    DescribedRoute,
    MapOf,
    Operation,
    count_parameter,
    list_parameter,
    moment_parameter,
    text_parameter,
)
from civitai_mock.api.query_params import count, moment, optional, required_list
from civitai_mock.api.responses import JsonResponse
from civitai_mock.api.v1 import CONSUMER_PATH, READ_PROBLEMS
from civitai_mock.api.v1.render import renderer_for
from civitai_mock.api.v1.schemas import ConsumptionDetails, ProviderAssetAvailability, RequestsResult
from civitai_mock.domain.dotnet import format_date
from civitai_mock.services.query import RequestPage

TAG = "Consumer"
DEFAULT_COUNT, MAX_COUNT = 20, 100


async def get_coverage(request: Request) -> Response:
    # A '+' that was not percent-encoded arrives as a space, which no AIR has.
    texts = [text.replace(" ", "+") for text in required_list(request, "model")]
    coverage = await use_cases(request).coverage(texts)
    return JsonResponse(
        {text: {"availability": found.availability, "workers": found.workers} for text, found in coverage.items()}
    )


async def get_consumption(request: Request) -> Response:
    """Sum up from the start date up to, but without, the end date."""
    start, end = moment(request, "startDate"), moment(request, "endDate")
    spent = await use_cases(request).consumption(owner=owner(request), since=start, until=end)
    dates = {"startDate": start, "endDate": end}
    return JsonResponse(
        {
            "images": spent.images,
            "totalCost": spent.cost,
            **{name: format_date(date) for name, date in dates.items() if date},
        }
    )


async def get_requests(request: Request) -> Response:
    take = count(request, "take", default=DEFAULT_COUNT, most=MAX_COUNT)
    page = await use_cases(request).requests(owner=owner(request), cursor=optional(request, "cursor"), take=take)
    renderer = await renderer_for(request, [])
    requests = [
        {"dateTime": format_date(past.at), "jobs": [renderer.requested(job) for job in past.jobs]}
        for past in page.requests
    ]
    return JsonResponse({**_cursor(page), "requests": requests})


def _cursor(page: RequestPage) -> dict[str, object]:
    if page.cursor is None:
        return {}
    return {"cursor": {"nextDateTime": format_date(page.requests[-1].at), "nextId": page.cursor}}


ROUTES = [
    DescribedRoute(
        CONSUMER_PATH + "/coverage",
        get_coverage,
        method="GET",
        operation=Operation(
            id="getV1ConsumerCoverage",
            summary="See which resources can be used",
            tag=TAG,
            parameters=[list_parameter("model")],
            responses={200: MapOf(ProviderAssetAvailability)},
            problems=READ_PROBLEMS,
        ),
    ),
    DescribedRoute(
        CONSUMER_PATH + "/consumption",
        get_consumption,
        method="GET",
        operation=Operation(
            id="getV1ConsumerConsumption",
            summary="Sum up images and cost",
            tag=TAG,
            parameters=[moment_parameter("startDate"), moment_parameter("endDate")],
            responses={200: ConsumptionDetails},
            problems=READ_PROBLEMS,
        ),
    ),
    DescribedRoute(
        CONSUMER_PATH + "/requests",
        get_requests,
        method="GET",
        operation=Operation(
            id="getV1ConsumerRequests",
            summary="List past requests, the youngest first",
            tag=TAG,
            parameters=[
                text_parameter("cursor", required=False),
                count_parameter("take", default=DEFAULT_COUNT, most=MAX_COUNT),
            ],
            responses={200: RequestsResult},
            problems=READ_PROBLEMS,
        ),
    ),
]

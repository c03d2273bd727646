"""Show jobs to the caller of a request."""

from collections.abc import Sequence

from starlette.requests import Request

from civitai_mock.api.context import base_url, options, use_cases
from civitai_mock.api.v1.render import JobRenderer
from civitai_mock.domain.job import Job


async def renderer_for(request: Request, jobs: Sequence[Job]) -> JobRenderer:
    """Knows where in the queue `jobs` are; those that are claimed or finished cost no look."""
    cases = use_cases(request)
    return JobRenderer(
        base_url=base_url(request),
        blob_urls=cases.blob_urls,
        provider_name=cases.provider_name,
        result_format=options(request).result_format,
        positions=await cases.queue(jobs),
        support=cases.support(jobs),
    )

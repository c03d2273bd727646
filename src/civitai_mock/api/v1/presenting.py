"""Show jobs to the caller of a request."""

from collections.abc import Sequence

from starlette.requests import Request

from civitai_mock.api.context import base_url, context, use_cases, vocabulary
from civitai_mock.api.v1.render import JobRenderer
from civitai_mock.domain.job import Job


async def renderer_for(request: Request, jobs: Sequence[Job]) -> JobRenderer:
    """Knows where in the queue `jobs` are; those that are claimed or finished cost no look."""
    cases, words = use_cases(request), vocabulary(request)
    context(request).client_hints.see(request.headers, jobs, words)
    return JobRenderer(
        base_url=base_url(request),
        blob_urls=cases.blob_urls,
        provider_name=cases.provider_name,
        vocabulary=words,
        positions=await cases.queue(jobs),
        support=cases.support(jobs),
    )

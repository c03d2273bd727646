"""PROMPT_PREPARED: see what there is to do, and in which way."""

from functools import partial

import orjson

from civitai_mock.generation.job_types import job_work
from civitai_mock.scheduler.ways import way_of
from civitai_mock.scheduler.work import Work
from civitai_mock.services.offload import beside_others

LONG_REQUEST_BYTES = 2048  # a hundred networks in a prompt are a graph that takes a tenth of a second


async def prepare(work: Work) -> None:
    job = work.job
    make, size = partial(job_work, job, work.tools.skeletons), len(orjson.dumps(dict(job.request)))
    work.way = way_of(await beside_others(make, size=size, large=LONG_REQUEST_BYTES))
    ecosystems = sorted({resource.air.ecosystem for resource in job.resources if resource.air.ecosystem})
    work.context = {
        "worker_group": work.tools.provider.name,
        "job_type": job.type[:1].lower() + job.type[1:],
        **({"ecosystems": ",".join(ecosystems)} if ecosystems else {}),
    }
    await work.way.prepare(work)

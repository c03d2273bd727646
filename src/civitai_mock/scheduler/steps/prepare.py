"""PROMPT_PREPARED: see what there is to do, and in which way."""

from civitai_mock.generation.build import job_work
from civitai_mock.scheduler.ways import way_of
from civitai_mock.scheduler.work import Work


async def prepare(work: Work) -> None:
    job = work.job
    work.way = way_of(job_work(job, work.tools.skeletons))
    ecosystems = sorted({resource.air.ecosystem for resource in job.resources if resource.air.ecosystem})
    work.context = {
        "worker_group": work.tools.provider.name,
        "job_type": job.type[:1].lower() + job.type[1:],
        **({"ecosystems": ",".join(ecosystems)} if ecosystems else {}),
    }
    await work.way.prepare(work)

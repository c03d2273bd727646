"""PROMPT_PREPARED: build the graph and name the prompt, so that it can be asked for after a crash."""

import json

from civitai_mock.generation.build import build_graph
from civitai_mock.scheduler.work import Work


async def prepare(work: Work) -> None:
    """A job that was prepared in an earlier claim keeps its prompt id: the provider may still know it."""
    job = work.job
    work.graph = build_graph(job, work.tools.skeletons)
    work.prompt_id = job.prompt_id or work.tools.ids.uuid()
    ecosystems = sorted({resource.air.ecosystem for resource in job.resources if resource.air.ecosystem})
    work.context = {
        "worker_group": work.tools.provider.name,
        "job_type": job.type[:1].lower() + job.type[1:],
        **({"ecosystems": ",".join(ecosystems)} if ecosystems else {}),
        "comfy_prompt_request": json.dumps(work.graph, separators=(",", ":"), ensure_ascii=False),
    }

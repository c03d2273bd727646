"""Run jobs through the whole app on a real ComfyUI server."""

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from PIL import Image

from civitai_mock.domain.json_types import JsonObject
from tests.support.real_comfyui import PARTS, URL
from tests.support.served_app import JOBS, Opened, serve_all

LONGEST_SECONDS = 600  # a server without a GPU loads for minutes
LOOK_SECONDS = 0.05  # between looks at another process, which has no event to wait for
TRAINED_WORD = "oddword"
PART_NAME = re.compile(r'"@([A-Z0-9_]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJob:
    """Is a job that has succeeded, with its images and the graph that the server says it ran."""

    job: Any
    images: list[Image.Image]
    ran: JsonObject

    @property
    def event_graph(self) -> Any:
        """Return the graph that the job's last event names."""
        return json.loads(self.job["lastEvent"]["context"]["comfy_prompt_request"])

    @property
    def classes(self) -> set[str]:
        return {node["class_type"] for node in self.event_graph.values()}

    @property
    def seeds(self) -> set[int]:
        """Return the seeds that samplers ran with."""
        inputs = [node["inputs"] for node in self.event_graph.values()]
        return {node[name] for node in inputs for name in ("seed", "noise_seed") if name in node}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealJobs:
    """Submits jobs to the app; `placeholders` are what stands in templates for a value of this run."""

    opened: Opened
    comfy: httpx.AsyncClient
    placeholders: dict[str, str] = field(default_factory=dict)
    submitted: list[str] = field(default_factory=list)

    async def submit(self, template: JsonObject) -> str:
        """Submit a template, with "@SD1" and the like replaced by the AIR of a file that the server has."""
        text = json.dumps(template)
        for name in set(PART_NAME.findall(text)) - self.placeholders.keys():
            self.placeholders[name] = await self._air(name)
        filled = json.loads(PART_NAME.sub(lambda found: json.dumps(self.placeholders[found[1]]), text))
        answer = await self.opened.client.post(JOBS, json=filled)
        assert answer.status_code == 202, answer.text
        self.submitted.append(str(answer.json()["jobId"]))
        return self.submitted[-1]

    async def status(self, job_id: str) -> Any:
        return (await self.opened.client.get(f"{JOBS}/{job_id}", params={"detailed": "true"})).raise_for_status().json()

    async def wait_until_ended(self, job_id: str) -> Any:
        await self.until(lambda: self._has_ended(job_id))
        return await self.status(job_id)

    async def cancel(self, job_id: str) -> None:
        (await self.opened.client.delete(f"{JOBS}/{job_id}")).raise_for_status()

    async def run(self, template: JsonObject) -> FinishedJob:
        job_id = await self.submit(template)
        job = await self.wait_until_ended(job_id)
        assert job["lastEvent"]["type"] == "Succeeded", job["lastEvent"]
        prompt_id = await self.prompt_id(job_id)
        entry = (await self.comfy.get(f"/history/{prompt_id}")).raise_for_status().json()[prompt_id]
        images = [await self.image(result["blobUrl"]) for result in job["result"]]
        return FinishedJob(job=job, images=images, ran=entry["prompt"][2])

    async def image(self, url: str) -> Image.Image:
        image = Image.open(io.BytesIO((await self.opened.client.get(url)).raise_for_status().content))
        image.load()
        return image

    async def prompt_id(self, job_id: str) -> str | None:
        return (await self.opened.use_cases.query.by_id(job_id)).prompt_id

    async def is_in(self, place: str, job_id: str) -> bool:
        """Return whether the job's prompt is in that part of the server's queue: `running` or `pending`."""
        return place in await self._places(job_id)

    async def is_gone(self, job_id: str) -> bool:
        return not await self._places(job_id)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(LONGEST_SECONDS):
            while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
                await asyncio.sleep(LOOK_SECONDS)

    async def clean_up(self) -> None:
        """Leave neither prompts nor their records behind."""
        for job_id in self.submitted:
            if not await self._has_ended(job_id):
                await self.cancel(job_id)
            await self.until(lambda: self.is_gone(job_id))  # noqa: B023 - waited for at once
        prompt_ids = [await self.prompt_id(job_id) for job_id in self.submitted]
        (await self.comfy.post("/history", json={"delete": prompt_ids})).raise_for_status()

    async def _places(self, job_id: str) -> list[str]:
        """Return the parts of the queue that have the job's prompt, as they were at one moment."""
        prompt_id = await self.prompt_id(job_id)
        queue = (await self.comfy.get("/queue")).raise_for_status().json()
        return [place.removeprefix("queue_") for place in queue for item in queue[place] if item[1] == prompt_id]

    async def _has_ended(self, job_id: str) -> bool:
        return (await self.opened.use_cases.query.by_id(job_id)).outcome is not None

    async def _air(self, name: str) -> str:
        part = PARTS[name]
        file = part.chosen(name, (await self.comfy.get(f"/models/{part.folder}")).raise_for_status().json())
        if file is None:
            pytest.skip(f"the server has no file that looks right; COMFY_TEST_{name} may name one of {part.folder}")
        air = f"urn:air:{part.air}"
        resource = {"air": air, "fileName": file, "trainedWords": [TRAINED_WORD]}
        (await self.opened.client.post("/v2/resources", json=resource)).raise_for_status()
        return air


@asynccontextmanager
async def real_jobs() -> AsyncIterator[RealJobs]:
    async with (
        serve_all(comfy_http_url=URL, progress_interval_ms=100) as opened,
        httpx.AsyncClient(base_url=URL.removesuffix("/prompt"), timeout=60) as comfy,
    ):
        jobs = RealJobs(opened=opened, comfy=comfy)
        try:
            yield jobs
        finally:
            await jobs.clean_up()


def image_job(model: str, *, members: JsonObject | None = None, **params: Any) -> JsonObject:
    """Return a small image of few steps, with a seed that no earlier run had, so that nothing is cached."""
    seed = int.from_bytes(os.urandom(4), "big")
    small = {"prompt": "a red fox", "width": 64, "height": 64, "steps": 2, "seed": seed}
    return {"$type": "textToImage", "model": f"@{model}", "params": {**small, **params}, **(members or {})}

"""A tag in a prompt text that a server has no file for costs the job nothing, and its event says so."""

import asyncio
from typing import Any

from tests.scheduler.conftest import Bench, running
from tests.support.comfyui import LONGEST_WAIT_SECONDS, comfyui_on
from tests.support.standin import running_standin

MODELS = {"checkpoints": ["sd1/civitai/4384/128713.safetensors"], "loras": ["style.safetensors"]}
PROMPT = "a fox <lora:style:0.5> <lora:nowhere:1> <lora:style:strong> <lora:nowhere:1>"


async def test_tags_are_told_whether_it_was_the_server_or_the_text_that_left_them_out(bench: Bench) -> None:
    async with (
        running_standin(models=MODELS) as standin,
        comfyui_on(standin) as provider,
        running(bench.scheduler(provider=provider)),
    ):
        (job,) = await bench.submit(params={"prompt": PROMPT, "width": 64, "height": 64, "steps": 1})
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while True:
                if await bench.ended(job.id):
                    break
                await asyncio.sleep(0)
    event: Any = (await bench.job(job.id)).last_event
    assert event.type == "Succeeded"
    assert [told["tag"] for told in event.context["ignoredTags"]] == ["<lora:style:strong>", "<lora:nowhere:1>"]
    assert "style.safetensors" in event.context["comfy_prompt_request"]

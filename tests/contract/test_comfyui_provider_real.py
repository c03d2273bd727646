"""The ComfyUI provider on a real server: `COMFY_TEST_URL`, and `COMFY_TEST_CHECKPOINT` if its first one will not do."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from civitai_mock.domain.errors import JobError
from civitai_mock.providers.comfyui.options import DEFAULT_OPTIONS
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfyui import comfyui_at, contents_of, make_submission
from tests.support.standin_session import text_to_image, with_inputs

URL = os.environ.get("COMFY_TEST_URL", "")
LONGEST_SECONDS = 600

pytestmark = pytest.mark.skipif(not URL, reason="COMFY_TEST_URL names no ComfyUI server")


@pytest.fixture
async def provider() -> AsyncIterator[ComfyUI]:
    async with comfyui_at([URL], options=DEFAULT_OPTIONS) as opened, asyncio.timeout(LONGEST_SECONDS):
        yield opened


@pytest.fixture
def checkpoint(provider: ComfyUI) -> str:
    found = provider.workers[0].models.get("checkpoints", ())
    chosen = os.environ.get("COMFY_TEST_CHECKPOINT") or next(iter(found), None)
    if chosen is None:
        pytest.skip("the server has no checkpoint")
    return chosen


def graph_of(checkpoint: str, **changes: Any) -> dict[str, Any]:
    """With a seed that no earlier run had, so that nothing is cached."""
    return text_to_image(checkpoint=checkpoint, seed=int.from_bytes(os.urandom(6), "big"), **changes)


async def test_a_prompt_comes_to_a_picture(provider: ComfyUI, checkpoint: str) -> None:
    submission = make_submission(graph_of(checkpoint))
    await provider.send(submission)
    outputs = await provider.collect(submission.prompt_id)
    (content,) = await contents_of(outputs)
    assert content.startswith(b"\x89PNG")
    assert outputs.facts["worker"] == provider.workers[0].id


async def test_a_prompt_is_found_again_by_another_process(provider: ComfyUI, checkpoint: str) -> None:
    submission = make_submission(graph_of(checkpoint))
    receipt = await provider.send(submission)
    async with comfyui_at([URL], options=DEFAULT_OPTIONS) as other:
        again = await other.send(submission)
        mine, theirs = await provider.collect(submission.prompt_id), await other.collect(submission.prompt_id)
        assert await contents_of(mine) == await contents_of(theirs)
    assert "number" in receipt.response
    assert "number" not in again.response


async def test_a_cancelled_prompt_ends(provider: ComfyUI, checkpoint: str) -> None:
    submission = make_submission(graph_of(checkpoint, steps=1000))
    await provider.send(submission)
    collecting = asyncio.create_task(provider.collect(submission.prompt_id))
    await provider.cancel(submission.prompt_id)
    with pytest.raises(JobError, match="stopped"):
        await collecting


async def test_a_graph_that_is_refused_names_its_node(provider: ComfyUI, checkpoint: str) -> None:
    with pytest.raises(JobError, match=r"node 3 \(KSampler\)"):
        await provider.send(make_submission(with_inputs(graph_of(checkpoint), "3", steps=0)))


async def test_a_file_that_is_missing_is_named(provider: ComfyUI) -> None:
    with pytest.raises(JobError, match=r"there-is-no-such-file\.safetensors"):
        await provider.send(make_submission(graph_of("there-is-no-such-file.safetensors")))

"""The ComfyUI provider does on a real server what it does on the stand-in; see `tests/support/real_comfyui.py`."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import httpx
import pytest

from civitai_mock.domain.errors import JobError
from civitai_mock.ports import Submission
from civitai_mock.providers.comfyui.options import DEFAULT_OPTIONS
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfy_graphs import Graph
from tests.support.comfyui import comfyui_at, contents_of, make_submission
from tests.support.real_comfyui import NO_URL, PARTS, URL
from tests.support.standin_session import text_to_image, with_inputs

LONGEST_SECONDS = 600
SubmissionOf: TypeAlias = Callable[[Graph], Submission]

pytestmark = pytest.mark.skipif(not URL, reason=NO_URL)


@pytest.fixture
async def provider() -> AsyncIterator[ComfyUI]:
    async with comfyui_at([URL], options=DEFAULT_OPTIONS) as opened, asyncio.timeout(LONGEST_SECONDS):
        yield opened


@pytest.fixture
def checkpoint(provider: ComfyUI) -> str:
    found = provider.workers[0].models.get("checkpoints", ())
    right = [file for name in ("SD1", "SDXL") if (file := PARTS[name].chosen(name, found)) is not None]
    if not right:
        pytest.skip("the server has no checkpoint that looks right; COMFY_TEST_SD1 may name one")
    return right[0]


@pytest.fixture
async def submission_of() -> AsyncIterator[SubmissionOf]:
    """Delete their history entries at the end."""
    made: list[Submission] = []

    def make(graph: Graph) -> Submission:
        made.append(make_submission(graph))
        return made[-1]

    yield make
    async with httpx.AsyncClient(base_url=URL.removesuffix("/prompt")) as comfy:
        prompt_ids = [submission.prompt_id for submission in made]
        (await comfy.post("/history", json={"delete": prompt_ids})).raise_for_status()


def graph_of(checkpoint: str, **changes: Any) -> dict[str, Any]:
    """Choose a seed that no earlier run had, so that nothing is cached."""
    return text_to_image(checkpoint=checkpoint, seed=int.from_bytes(os.urandom(6), "big"), **changes)


async def test_a_prompt_comes_to_an_image(provider: ComfyUI, checkpoint: str, submission_of: SubmissionOf) -> None:
    submission = submission_of(graph_of(checkpoint))
    await provider.send(submission)
    outputs = await provider.collect(submission.prompt_id)
    (content,) = await contents_of(outputs)
    assert content.startswith(b"\x89PNG")
    assert outputs.facts["worker"] == provider.workers[0].id


async def test_a_prompt_is_found_again_by_another_process(
    provider: ComfyUI, checkpoint: str, submission_of: SubmissionOf
) -> None:
    submission = submission_of(graph_of(checkpoint))
    receipt = await provider.send(submission)
    async with comfyui_at([URL], options=DEFAULT_OPTIONS) as other:
        again = await other.send(submission)
        mine, theirs = await provider.collect(submission.prompt_id), await other.collect(submission.prompt_id)
        assert await contents_of(mine) == await contents_of(theirs)
    assert "number" in receipt.response
    assert "number" not in again.response


async def test_a_cancelled_prompt_ends(provider: ComfyUI, checkpoint: str, submission_of: SubmissionOf) -> None:
    submission = submission_of(graph_of(checkpoint, steps=1000))
    await provider.send(submission)
    collecting = asyncio.create_task(provider.collect(submission.prompt_id))
    await provider.cancel(submission.prompt_id)
    with pytest.raises(JobError, match="stopped"):
        await collecting


async def test_a_graph_that_is_refused_names_its_node(
    provider: ComfyUI, checkpoint: str, submission_of: SubmissionOf
) -> None:
    with pytest.raises(JobError, match=r"node 3 \(KSampler\)"):
        await provider.send(submission_of(with_inputs(graph_of(checkpoint), "3", steps=0)))


async def test_a_file_that_is_missing_is_named(provider: ComfyUI, submission_of: SubmissionOf) -> None:
    with pytest.raises(JobError, match=r"there-is-no-such-file\.safetensors"):
        await provider.send(submission_of(graph_of("there-is-no-such-file.safetensors")))

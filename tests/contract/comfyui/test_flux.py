"""FLUX.1 runs on servers that have it in one file or in several, and receipts have the graph that really runs."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.clock import RandomIds, SystemClock
from civitai_mock.comfyui_standin.options import ModelNames
from civitai_mock.domain.errors import JobError
from civitai_mock.generation.ecosystems import ecosystem_needs
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Submission
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.provider import ComfyUI
from tests.support.comfyui import HELD, IMPATIENT, Gate, comfyui_on, finish, is_pending, is_running, until
from tests.support.generation import SKELETONS, make_found, planned_job
from tests.support.standin import RunningStandin, running_standin

FLUX1 = {"flux1", "flux1kontext", "fluxkrea"}
MODEL = "urn:air:flux1:checkpoint:civitai:618692@{version}"
DEV, SCHNELL = MODEL.format(version=691639), MODEL.format(version=699279)
NAMES = {DEV: "flux1-dev.safetensors", SCHNELL: "flux1-schnell.safetensors"}
ALL_IN_ONE: ModelNames = {"checkpoints": ["FLUX1/flux1-dev.safetensors", "flux1-schnell.safetensors"]}
IN_PARTS: ModelNames = {
    "diffusion_models": ["flux1-dev.safetensors", "flux1-schnell.safetensors"],
    "text_encoders": [
        "clip_g.safetensors",
        "clip_l.safetensors",
        "t5xxl_fp16.safetensors",
        "umt5_xxl_fp16.safetensors",
    ],
    "vae": ["FLUX1/ae.sft", "sdxl_vae.safetensors"],
}
WELL_KNOWN: ModelNames = {
    **IN_PARTS,
    "text_encoders": ["t5xxl.safetensors", "t5xxl_fp8_e4m3fn.safetensors", "clip_l.safetensors"],
    "vae": ["ae.safetensors", "ae.sft"],
}
NEITHER: ModelNames = {"checkpoints": ["sd15.safetensors"], "vae": ["sdxl_vae.safetensors"]}


def submission_of(model: str = DEV, **members: Any) -> Submission:
    """Make a submission of a request like the scheduler."""
    params: Any = {"prompt": "a fox", "steps": 2}
    job = planned_job({"model": model, "params": params, **members}, {model: make_found(model, fileName=NAMES[model])})
    work = job_work(replace(job, id=str(uuid.uuid4())), SKELETONS)
    assert isinstance(work, GraphWork)
    return Submission(
        job_id="job",
        prompt_id=str(uuid.uuid4()),
        trace_id="00-1-2-00",
        graph=work.graph,
        alternatives=work.alternatives,
        resources=job.resources,
        roles=work.roles,
    )


@asynccontextmanager
async def with_needs(*standins: RunningStandin) -> AsyncIterator[ComfyUI]:
    async with ComfyUI(
        name="local",
        servers=parse_servers(",".join(standin.url for standin in standins)),
        clock=SystemClock(),
        ids=RandomIds(),
        options=IMPATIENT,
        needs=ecosystem_needs(SKELETONS),
    ) as provider:
        yield provider


async def graph_run(provider: ComfyUI, submission: Submission) -> Any:
    """Run a submission to its end; return its graph."""
    receipt = await provider.send(submission)
    assert (await finish(provider, submission)).contents
    return receipt.graph


def names_in(graph: Any) -> dict[str, str]:
    return {
        name: value
        for node in graph.values()
        for name, value in node["inputs"].items()
        if isinstance(value, str) and value.endswith((".safetensors", ".sft"))
    }


@pytest.mark.parametrize(
    ("models", "model", "expected"),
    [
        (ALL_IN_ONE, DEV, {"ckpt_name": "FLUX1/flux1-dev.safetensors"}),
        (ALL_IN_ONE, SCHNELL, {"ckpt_name": "flux1-schnell.safetensors"}),
        (
            IN_PARTS,
            DEV,
            {
                "unet_name": "flux1-dev.safetensors",
                "clip_name1": "t5xxl_fp16.safetensors",
                "clip_name2": "clip_l.safetensors",
                "vae_name": "FLUX1/ae.sft",
            },
        ),
        (
            WELL_KNOWN,
            SCHNELL,
            {
                "unet_name": "flux1-schnell.safetensors",
                "clip_name1": "t5xxl_fp8_e4m3fn.safetensors",
                "clip_name2": "clip_l.safetensors",
                "vae_name": "ae.safetensors",
            },
        ),
    ],
)
async def test_a_server_runs_flux_with_the_files_that_it_has(
    models: ModelNames, model: str, expected: dict[str, str]
) -> None:
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        graph = await graph_run(provider, submission_of(model))
        assert names_in(graph) == expected
        assert ("FluxGuidance" in graph) == (model == DEV)


async def test_a_server_with_both_runs_the_better_graph() -> None:
    async with running_standin(models={**ALL_IN_ONE, **IN_PARTS}) as standin, comfyui_on(standin) as provider:
        assert "UNETLoader" in await graph_run(provider, submission_of())


async def test_servers_with_either_share_the_work_each_with_its_own_graph() -> None:
    async with (
        running_standin(models=ALL_IN_ONE, clock=Gate(), options=HELD) as one,
        running_standin(models=IN_PARTS, clock=Gate(), options=HELD) as two,
        running_standin(models=NEITHER) as three,
        comfyui_on(one, two, three, options=replace(IMPATIENT, max_in_flight=1)) as provider,
    ):
        graphs = [(await provider.send(submission_of())).graph for _ in range(2)]
        assert sorted("UNETLoader" in graph for graph in graphs) == [False, True]
        assert [worker.in_flight for worker in provider.workers] == [1, 1, 0]


async def test_the_next_of_a_kind_goes_to_the_server_that_has_its_model_loaded() -> None:
    async with (
        running_standin(models=ALL_IN_ONE) as one,
        running_standin(models=IN_PARTS) as two,
        comfyui_on(one, two) as provider,
    ):
        used = {(await finish(provider, submission_of())).worker for _ in range(3)}
        assert used == {provider.workers[0].id}


async def test_a_vae_of_the_users_own_takes_the_place_of_that_of_a_checkpoint() -> None:
    vae = "urn:air:flux1:vae:civitai:5@6789"
    models = {**ALL_IN_ONE, "vae": ["mine_6789.safetensors"]}
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        graph = await graph_run(provider, submission_of(additionalNetworks={vae: {}}))
        assert names_in(graph)["vae_name"] == "mine_6789.safetensors"
        assert graph["VAEDecode"]["inputs"]["vae"] == ["VAELoader", 0]


async def test_a_resource_of_the_users_own_is_not_replaced_by_what_could_play_its_part() -> None:
    vae = "urn:air:flux1:vae:civitai:5@6789"
    model = make_found(DEV, fileName=NAMES[DEV])
    job = planned_job(
        {"model": DEV, "params": {}, "additionalNetworks": {vae: {}}},
        {DEV: model, vae: make_found(vae, fileName="ae.safetensors")},
    )
    work = job_work(job, SKELETONS)
    assert isinstance(work, GraphWork)
    submission = replace(submission_of(), graph=work.graph, alternatives=(), resources=job.resources)
    only_another: ModelNames = {**IN_PARTS, "vae": ["flux_vae.safetensors"]}
    async with running_standin(models=only_another) as standin, comfyui_on(standin) as provider:
        with pytest.raises(JobError, match=r"'ae\.safetensors' \(urn:air:flux1:vae:civitai:5@6789\) is not in vae"):
            await provider.send(submission)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (NEITHER, r"'flux1-dev\.safetensors' \(urn:air:flux1:.*\) is not in checkpoints"),
        (
            {**IN_PARTS, "checkpoints": ["sd15.safetensors"], "vae": ["sdxl_vae.safetensors"]},
            r"'ae\.safetensors' is not in vae, nor is anything that can take its place",
        ),
    ],
)
async def test_what_is_missing_is_reported_for_the_graph_that_lacks_the_least(models: ModelNames, message: str) -> None:
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        with pytest.raises(JobError, match=message) as caught:
            await provider.send(submission_of())
        missing: Any = caught.value.evidence["missing"]
        assert [each["file"] in str(caught.value) for each in missing] == [True]


async def test_a_job_without_roles_is_given_no_other_file() -> None:
    async with running_standin(models=IN_PARTS) as standin, comfyui_on(standin) as provider:
        with pytest.raises(JobError, match=r"'t5xxl_fp8_e4m3fn\.safetensors' is not in text_encoders \("):
            await provider.send(replace(submission_of(), alternatives=(), roles=()))


@pytest.mark.parametrize("place", ["waits", "runs", "has ended"])
async def test_a_prompt_that_an_earlier_life_sent_has_the_graph_that_runs(place: str) -> None:
    gate = Gate()
    async with running_standin(models=ALL_IN_ONE, clock=gate, options=HELD) as standin:
        submission = submission_of()
        async with comfyui_on(standin) as crashed:
            if place == "waits":
                first = submission_of()
                await crashed.send(first)
                await until(lambda: is_running(standin, first.prompt_id))
            sent = await crashed.send(submission)
            if place == "has ended":
                gate.open()
                await finish(crashed, submission)
            else:
                where = is_pending if place == "waits" else is_running
                await until(lambda: where(standin, submission.prompt_id))
        async with comfyui_on(standin) as provider:
            found = await provider.send(submission)
            assert found.graph == sent.graph
            assert names_in(found.graph) == {"ckpt_name": "FLUX1/flux1-dev.safetensors"}
            gate.open()
            assert (await finish(provider, submission)).contents
        assert standin.server.prompt(submission.prompt_id).accepted == 1


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (ALL_IN_ONE, FLUX1),
        (IN_PARTS, FLUX1),
        (NEITHER, {"sd1"}),
        ({}, set()),
    ],
)
async def test_the_report_lists_the_ecosystems_that_a_server_can_serve(models: ModelNames, expected: set[str]) -> None:
    async with running_standin(models=models) as standin, with_needs(standin) as provider:
        assert set(provider.workers[0].ecosystems) == expected

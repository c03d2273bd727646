"""Recorded requests, replayed: the answers have the members, the spelling, the types and the order of the real ones.

Validated against recordings of the real service of 2025-09.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.parity.compare import Difference, Kind, differences
from tests.parity.replay import REQUESTS, read_capture, replay_claimed, replay_submitted, replay_succeeded

# Drawn, timed or named by whoever answers; they have to have the same form, not the same value.
FREE = {
    "job.params.seed",
    "job.slots[].imageHash",
    "job.slots[].destinationUrl",
    "job.claimDuration",
    "job.id",
    "job.createdAt",
    "job.expireAt",
    "job.issuedBy",
    "jobId",
    "result[].blobKey",
    "result[].blobUrl",
    "result[].blobUrlExpirationDate",
    "result[].seed",
    "lastEvent.jobId",
    "lastEvent.dateTime",
    "lastEvent.workerId",
    "lastEvent.claimDuration",
    "lastEvent.jobDuration",
    "lastEvent.context.ActualStartDateOffsetMS",
    "lastEvent.context.comfy_prompt_response",
    "lastEvent.context.comfy_mb_cached",
    "lastEvent.context.middleware_duration_ComfyUI_ms",
    "lastEvent.context.middleware_duration_ConvertImages_ms",
    "lastEvent.context.middleware_duration_UploadBlobs_ms",
    "lastEvent.context.trace_id",
}

OUR_PROVIDER = "the provider of this server is called local (a setting)"
NO_GPU = "simulation has no GPU to measure"
NO_MODERATION = "images are not sent to a moderation service"
NO_FLEET = "names the real service's own worker software"

# Chosen differences: path, kind and reason. A line that is no longer true fails, as a difference without a line does.
CLAIMED: Mapping[Difference, str] = {
    ("job.promptClassificationResult.young", Kind.VALUE): "prompts are not classified; nothing is flagged",
    ("lastEvent.provider", Kind.VALUE): OUR_PROVIDER,
    ("serviceProviders.ValdiAI", Kind.MISSING): OUR_PROVIDER,
    ("serviceProviders.local", Kind.ADDED): OUR_PROVIDER,
}
SUCCEEDED: Mapping[Difference, str] = {
    ("lastEvent.provider", Kind.VALUE): OUR_PROVIDER,
    ("lastEvent.context.worker_group", Kind.VALUE): OUR_PROVIDER,
    ("lastEvent.context.comfy_prompt_request", Kind.VALUE): "the graph is made of core nodes only",
    ("lastEvent.context.ImageVersion", Kind.MISSING): NO_FLEET,
    ("lastEvent.context.spine", Kind.MISSING): NO_FLEET,
    ("lastEvent.context.gpu_usage_avg", Kind.MISSING): NO_GPU,
    ("lastEvent.context.gpu_offset", Kind.MISSING): NO_GPU,
    ("lastEvent.context.gpu_memory_avg", Kind.MISSING): NO_GPU,
    ("lastEvent.context.gpu_power_usage_avg", Kind.MISSING): NO_GPU,
    ("lastEvent.context.gpu_power_limit_avg", Kind.MISSING): NO_GPU,
    ("lastEvent.context.gpu_total_energy_wh", Kind.MISSING): NO_GPU,
    ("lastEvent.context.clavata_job_uuid", Kind.MISSING): NO_MODERATION,
    ("lastEvent.context.clavata_nsfw_level", Kind.MISSING): NO_MODERATION,
    ("lastEvent.context.clavata_bestiality", Kind.MISSING): NO_MODERATION,
    ("lastEvent.context.clavata_realistic", Kind.MISSING): NO_MODERATION,
    ("lastEvent.context.clavata_child_10", Kind.MISSING): NO_MODERATION,
    ("lastEvent.context.clavata_child_15", Kind.MISSING): NO_MODERATION,
}


def _found(capture: str, ours: Any) -> set[Difference]:
    found = differences(read_capture(capture), ours)
    return {(path, kind) for path, kind in found if not (kind is Kind.VALUE and path in FREE)}


async def test_a_claimed_job_is_as_recorded_but_for_the_chosen_differences() -> None:
    ours = await replay_claimed("v1-create-request-sdxl")
    assert _found("v1-job-claimed-detailed", ours) == set(CLAIMED)


async def test_a_succeeded_job_is_as_recorded_but_for_the_chosen_differences() -> None:
    ours = await replay_succeeded("v1-create-request-sdxl")
    assert _found("v1-job-succeeded", ours) == set(SUCCEEDED)


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_every_recorded_request_is_accepted(request_name: str) -> None:
    (status,) = (await replay_submitted(request_name))["jobs"]
    sent = read_capture(request_name)
    assert status["lastEvent"]["type"] == "Initialized"
    assert status["job"]["baseModel"] == sent["baseModel"]
    assert {**status["job"]["params"], "seed": -1} == sent["params"]


async def test_the_cost_is_the_recorded_one_to_the_last_digit() -> None:
    ours = await replay_submitted("v1-create-request-sdxl")
    assert ours["jobs"][0]["cost"] == read_capture("v1-job-succeeded")["cost"] == 0.9600000000000002


async def test_a_network_is_shown_in_the_map_and_among_the_resources() -> None:
    (status,) = (await replay_submitted("v1-create-request-sd1-lora"))["jobs"]
    assert list(status["job"]["additionalNetworks"]) == ["@civitai/87153"]
    assert status["job"]["resources"] == ["@civitai/128713", "@civitai/87153"]

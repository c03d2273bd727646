"""Answers meet the official description, corrected by recordings; the recordings meet it in the same way.

Validated against the official v1 description of 2024-03.
"""

from typing import Any

import pytest

from civitai_mock.domain.blob import PREVIEW, blob_key
from civitai_mock.domain.progress import SamplingProgress
from tests.parity.official import CORRECTIONS, Correction, faults, has_null
from tests.parity.replay import REQUESTS, read_capture, read_official
from tests.support.served_app import JOBS, Served, serve

OFFICIAL = read_official()
OFFICIAL_PROVIDER = "ValdiAI"  # the description has a closed list of names


async def _answers(request: str) -> dict[str, tuple[str, Any]]:
    """Every kind of answer with the name of its official schema."""
    async with serve(provider_name=OFFICIAL_PROVIDER) as served:
        submitted = (await served.client.post(f"{JOBS}?detailed=true", json=read_capture(request))).json()
        job, token = f"{JOBS}/{submitted['jobId']}?detailed=true", {"token": submitted["token"], "detailed": "true"}
        queued = (await served.client.get(JOBS, params=token)).json()
        done = await served.finish()
        running = f"{JOBS}/{await served.submit_one()}?detailed=true"
        await _take_a_step(served)
        return {
            "submitted": ("JobStatusCollection", submitted),
            "queued": ("JobStatusCollection", queued),
            "succeeded": ("JobStatus", (await served.client.get(job)).json()),
            "succeeded by token": ("JobStatusCollection", (await served.client.get(JOBS, params=token)).json()),
            "running": ("JobStatus", (await served.client.get(running)).json()),
            "unknown job": ("ProblemDetails", (await served.client.get(f"{JOBS}/{done.id}x")).json()),
            "bad template": ("ProblemDetails", (await served.client.post(JOBS, json={})).json()),
        }


async def _take_a_step(served: Served) -> None:
    claimed = await served.claim()
    told = SamplingProgress(step=5, steps=20, fraction=0.25, node_id="3", preview_key=blob_key(claimed.id, PREVIEW))
    stepped = claimed.progressed(at=served.clock.now(), context=told.context)
    assert await served.stores.jobs.replace(claimed, stepped)


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_every_answer_meets_the_corrected_official_schema(request_name: str) -> None:
    answers = await _answers(request_name)
    told = {name: faults(OFFICIAL, schema, answer) for name, (schema, answer) in answers.items()}
    assert {name: told_of for name, told_of in told.items() if told_of} == {}


@pytest.mark.parametrize("capture", ["v1-job-claimed-detailed", "v1-job-succeeded"])
def test_the_recordings_meet_the_corrected_official_schema(capture: str) -> None:
    assert faults(OFFICIAL, "JobStatus", read_capture(capture)) == []


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda correction: ".".join(correction.place))
async def test_every_correction_is_still_needed(correction: Correction) -> None:
    others = [other for other in CORRECTIONS if other is not correction]
    answers = (await _answers(REQUESTS[0])).values()
    assert any(faults(OFFICIAL, schema, answer, others) for schema, answer in answers)


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_no_answer_has_a_null(request_name: str) -> None:
    assert not [name for name, (_, answer) in (await _answers(request_name)).items() if has_null(answer)]

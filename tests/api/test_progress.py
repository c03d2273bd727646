"""How far a running job is, as its status and its events show it."""

from civitai_mock.domain.blob import PREVIEW, blob_key
from civitai_mock.domain.job import Job
from civitai_mock.domain.progress import SamplingProgress
from civitai_mock.domain.stages import Outcome
from tests.support.served_app import BASE_URL, JOBS, Served

SKETCH = b"sketch"


async def _tell(served: Served, *, preview: bool = True) -> Job:
    """A claimed job with news of its fifth step."""
    job_id = await served.submit_one()
    key = blob_key(job_id, PREVIEW) if preview else None
    if key is not None:
        await served.store_blob(key, SKETCH)
    told = SamplingProgress(step=5, steps=20, fraction=0.25, node_id="3", node_type="KSampler", preview_key=key)
    claimed = await served.claim()
    job = claimed.progressed(at=served.clock.now(), context=told.context)
    assert await served.stores.jobs.replace(claimed, job)
    return job


async def test_a_running_job_shows_its_steps_and_a_preview_that_can_be_had(served: Served) -> None:
    job = await _tell(served)
    status = (await served.client.get(f"{JOBS}/{job.id}")).json()
    preview = status["progress"].pop("preview")
    image = await served.client.get(preview["blobUrl"].removeprefix(BASE_URL))
    assert status["progress"] == {"step": 5, "steps": 20, "progress": 0.25, "node": "3", "nodeType": "KSampler"}
    assert preview.keys() == {"blobKey", "blobUrl", "blobUrlExpirationDate"}
    assert preview["blobKey"] == blob_key(job.id, PREVIEW)
    assert (image.status_code, image.content) == (200, SKETCH)


async def test_the_last_event_and_the_list_of_events_agree(served: Served) -> None:
    job = await _tell(served, preview=False)
    status = (await served.client.get(f"{JOBS}/{job.id}")).json()
    events = (await served.client.get(f"/v1/producer/jobs/{job.id}/events")).json()
    assert status["lastEvent"]["context"] == dict(job.last_event.context)
    assert status["lastEvent"] in events
    assert "preview" not in status["progress"]


async def test_a_job_whose_last_event_reports_no_steps_has_no_progress(served: Served) -> None:
    job_id = await served.submit_one()
    await served.enter(await served.claim(), {})
    assert "progress" not in (await served.client.get(f"{JOBS}/{job_id}")).json()


async def test_a_job_that_has_ended_has_none_and_its_preview_stays(served: Served) -> None:
    job = await _tell(served)
    failed = job.ended(Outcome.FAILED, at=served.clock.now(), context={"error": "job_failed"})
    assert await served.stores.jobs.replace(job, failed)
    status = (await served.client.get(f"{JOBS}/{job.id}")).json()
    image = await served.client.get(served.blob_url(blob_key(job.id, PREVIEW)).removeprefix(BASE_URL))
    assert "progress" not in status
    assert image.content == SKETCH


async def test_a_job_that_is_in_the_queue_again_has_none(served: Served) -> None:
    job = await _tell(served)
    back = job.claim_expired(at=served.clock.now(), reason="its worker died")
    assert await served.stores.jobs.replace(job, back)
    assert "progress" not in (await served.client.get(f"{JOBS}/{job.id}")).json()

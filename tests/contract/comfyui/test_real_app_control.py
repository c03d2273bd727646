"""Graphs of users, cancelling, progress and failures work through the whole app on a real server."""

from collections.abc import AsyncIterator

import pytest

from civitai_mock.domain.json_types import JsonObject
from tests.support.real_comfyui import NO_URL, URL
from tests.support.real_jobs import TRAINED_WORD, RealJobs, image_job, real_jobs

MOST_STEPS = 150
COMFY_GRAPH: JsonObject = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "@SD1"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "@SOURCE_URL"}},
    "3": {"class_type": "VAEEncode", "inputs": {"pixels": ["2", 0], "vae": ["1", 2]}},
    "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["1", 1]}},
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 5,
            "steps": 2,
            "cfg": 7,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 0.5,
            "model": ["1", 0],
            "positive": ["4", 0],
            "negative": ["4", 0],
            "latent_image": ["3", 0],
        },
    },
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "civitai-mock-test"}},
}

pytestmark = pytest.mark.skipif(not URL, reason=NO_URL)


@pytest.fixture
async def jobs() -> AsyncIterator[RealJobs]:
    async with real_jobs() as opened:
        yield opened


def long_job() -> JsonObject:
    return image_job("SD1", steps=MOST_STEPS, width=128, height=128)


async def test_a_graph_of_a_user_runs_with_its_air_and_its_image(jobs: RealJobs) -> None:
    source = await jobs.run(image_job("SD1", width=128, height=64))
    jobs.placeholders.update(SOURCE_URL=source.job["result"][0]["blobUrl"])
    made = await jobs.run({"$type": "comfy", "params": {"workflow": COMFY_GRAPH}})
    assert made.event_graph == made.ran
    assert made.event_graph.keys() == COMFY_GRAPH.keys()
    assert [image.size for image in made.images] == [(128, 64)]


async def test_an_embedding_of_the_server_stands_where_its_trained_word_was(jobs: RealJobs) -> None:
    networks: JsonObject = {"additionalNetworks": {"@SD1_EMBEDDING": {}}}
    made = await jobs.run(image_job("SD1", members=networks, negativePrompt=f"{TRAINED_WORD}, bad"))
    texts = {node["inputs"].get("text") for node in made.event_graph.values()}
    assert [text.endswith(", bad") for text in texts if text and text.startswith("embedding:")] == [True]


async def test_a_job_that_is_cancelled_while_it_runs_leaves_the_server_free(jobs: RealJobs) -> None:
    job_id = await jobs.submit(long_job())
    await jobs.until(lambda: jobs.is_in("running", job_id))
    await jobs.cancel(job_id)
    await jobs.until(lambda: jobs.is_gone(job_id))
    assert (await jobs.status(job_id))["lastEvent"]["type"] == "Deleted"


async def test_a_job_that_is_cancelled_while_it_waits_leaves_the_one_before_it_alone(jobs: RealJobs) -> None:
    first = await jobs.submit(long_job())
    await jobs.until(lambda: jobs.is_in("running", first))
    second = await jobs.submit(image_job("SD1"))
    await jobs.until(lambda: jobs.is_in("pending", second))
    await jobs.cancel(second)
    await jobs.until(lambda: jobs.is_gone(second))
    assert await jobs.is_in("running", first)


async def test_a_pod_that_is_taken_away_leaves_its_server_to_whoever_goes_on(jobs: RealJobs) -> None:
    """The one server is the engine of the pod; whoever goes on has no other."""
    spot: JsonObject = {"name": "spot", "kind": "spot", "engines": [URL.removesuffix("/prompt")]}
    spot |= {"bootSeconds": {"min": 0, "max": 0}, "secondsPerPicture": 3600}
    fleet: JsonObject = {"providers": [spot, {"name": "serverless", "kind": "serverless"}], "policy": [{"use": "spot"}]}
    (await jobs.opened.client.put("/_mock/fleet", json=fleet)).raise_for_status()
    job_id = await jobs.submit(long_job())
    await jobs.until(lambda: jobs.is_in("running", job_id))
    on_pod = await jobs.prompt_id(job_id)
    preempted = await jobs.opened.client.post("/_mock/fleet/pods/spot-1/preempt", json={"warningSeconds": 30})
    preempted.raise_for_status()

    async def goes_on() -> bool:
        return await jobs.prompt_id(job_id) != on_pod and await jobs.is_in("running", job_id)

    await jobs.until(goes_on)
    ran = (await jobs.comfy.get(f"/history/{on_pod}")).raise_for_status().json()[str(on_pod)]
    assert "execution_interrupted" in {message[0] for message in ran["status"]["messages"]}
    events = (await jobs.opened.client.get(f"/v1/producer/jobs/{job_id}/events")).json()
    ended = next(event for event in events if event["type"] == "LateRejected")
    assert (ended["workerId"], ended["context"]) == ("spot-1", {"reason": "preempted"})


async def test_a_running_job_shows_its_steps(jobs: RealJobs) -> None:
    job_id = await jobs.submit(long_job())

    async def shows_steps() -> bool:
        return "progress" in await jobs.status(job_id)

    await jobs.until(shows_steps)
    progress = (await jobs.status(job_id))["progress"]
    assert (progress["steps"], progress["nodeType"]) == (MOST_STEPS, "KSampler")


async def test_a_running_job_shows_a_preview_that_is_an_image(jobs: RealJobs) -> None:
    stats = (await jobs.comfy.get("/system_stats")).raise_for_status().json()
    if "--preview-method" not in stats["system"]["argv"]:
        pytest.skip("the server makes no previews: start it with --preview-method auto")
    job_id = await jobs.submit(long_job())

    async def shows_preview() -> bool:
        return "preview" in (await jobs.status(job_id)).get("progress", {})

    await jobs.until(shows_preview)
    preview = (await jobs.status(job_id))["progress"]["preview"]
    assert (await jobs.image(preview["blobUrl"])).format == "JPEG"


async def test_a_file_that_no_server_has_is_named(jobs: RealJobs) -> None:
    air = "urn:air:sd1:checkpoint:civitai:99@99"
    resource = {"air": air, "fileName": "there-is-no-such-file.safetensors"}
    (await jobs.opened.client.post("/v2/resources", json=resource)).raise_for_status()
    event = (await jobs.wait_until_ended(await jobs.submit({**image_job("SD1"), "model": air})))["lastEvent"]
    assert event["type"] == "Failed"
    assert "there-is-no-such-file.safetensors" in event["context"]["message"]
    assert air in event["context"]["message"]

"""Steps of v2 that make no images, over HTTP: sent as clients do, run, chained, and their files fetched."""

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.domain.media import SNIFFED_BYTES, sniffed_type
from tests.support.media_files import video_file
from tests.support.paths import DATA
from tests.support.served_app import BASE_URL, Opened, serve_all
from tests.support.v2_description import check_output
from tests.support.v2_media_inputs import sent_inputs
from tests.support.v2_workflows import RECIPES, WorkflowClient, image, reference, step

CLIP = f"data:video/mp4;base64,{base64.b64encode(video_file('mp4', 'libx264')).decode()}"
VIDEO: Any = {"engine": "ltx2.3", "prompt": "a fox", "width": 64, "height": 64, "duration": 3, "fps": 4, "seed": 3}
REQUESTS = [entry["body"] for entry in json.loads((DATA / "captures/v2-requests.json").read_text("utf-8"))]
OF_OTHERS = {
    *("textToImage", "imageGen", "imageUpscaler", "convertImage", "imageBackgroundRemoval", "preprocessImage"),
    *("imageUpload", "comfy", "customComfy", "repeat", "blobArchive"),
}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all(missing_resources="lenient") as running:
        yield running


@pytest.fixture
def workflows(opened: Opened) -> WorkflowClient:
    return WorkflowClient(opened.client)


def urls_in(value: Any) -> Iterator[str]:
    """Yield the URLs of files of this server, but for previews, which are made of them."""
    if isinstance(value, str) and value.startswith(BASE_URL):
        yield value
    named = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
    for name, item in named.items():
        if name != "previewUrl":
            yield from urls_in(item)


async def run(workflows: WorkflowClient, *steps: Any, **members: Any) -> list[Any]:
    """Return the steps of a workflow that has succeeded."""
    made = await workflows.submit(*steps, query="wait=90", expected=[200], **members)
    assert made["status"] == "succeeded", made
    found: list[Any] = made["steps"]
    return found


async def fetched(workflows: WorkflowClient, url: str) -> bytes:
    answer = await workflows.http.get(url, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("step_type", sorted(recipe_schemas().keys() - OF_OTHERS))
async def test_each_recipe_answers_files_that_can_be_had(step_type: str) -> None:
    """With blank images, which are files as others are."""
    sent = sent_inputs(step_type, is_full=False, media=CLIP)[0]
    async with serve_all(missing_resources="lenient", simulation_pictures="blank") as opened:
        workflows = WorkflowClient(opened.client)
        answer = await workflows.http.post(f"{RECIPES}/{step_type}", json=sent)
        assert answer.status_code == 200, answer.text
        check_output(step_type, answer.json())
        for url in urls_in(answer.json()):
            assert await fetched(workflows, url)


async def test_what_a_website_asks_of_an_upload_is_answered_at_once(workflows: WorkflowClient) -> None:
    (body,) = [body for body in REQUESTS if body["steps"][0]["$type"] == "wdTagging"]
    sent = json.loads(json.dumps(body).replace("{{image}}", CLIP))
    steps = await run(workflows, *sent["steps"], arguments=sent["arguments"], externalId=sent["externalId"])
    tags, rating, found = (one["output"] for one in steps)
    assert all(score >= 0.5 for score in tags["tags"].values())
    assert (rating["nsfwLevel"], rating["isBlocked"]) == ("pg", False)
    assert list(found["hashes"]) == ["perceptual"]


async def test_a_video_of_a_newer_version_is_made(workflows: WorkflowClient) -> None:
    (body,) = [body for body in REQUESTS if body["steps"][0]["$type"] == "videoGen"]
    sent = json.loads(json.dumps(body).replace("{{image}}", CLIP))
    (made,) = await run(workflows, *sent["steps"])
    video = made["output"]["video"]
    assert (video["width"], video["height"], video["type"]) == (1280, 720, "video")


async def test_a_video_is_made_smoother_and_taken_apart(workflows: WorkflowClient) -> None:
    """With all that a later step refers to being made by the one before."""
    made, smooth, known, frames = await run(
        workflows,
        step("videoGen", VIDEO, name="clip"),
        step("videoInterpolation", {"video": reference("clip", "output.video.url")}, name="smooth"),
        step("videoMetadata", {"video": reference("smooth", "output.video.url")}),
        step("videoFrameExtraction", {"videoUrl": reference("smooth", "output.video.url"), "uniqueThreshold": 2}),
    )
    used, shown = smooth["input"]["video"], made["output"]["video"]["url"]
    assert used.partition("?")[0] == shown.partition("?")[0]  # each is signed for the second in which it is given out
    assert known["output"] == {"width": 64, "height": 64, "fps": 8, "duration": "00:00:03"}
    assert frames["output"]["totalFramesExtracted"] == 3
    for frame in frames["output"]["frames"]:
        content = await fetched(workflows, frame["url"])
        assert sniffed_type(content[:SNIFFED_BYTES]) == "image/jpeg"


async def test_a_better_prompt_is_drawn(workflows: WorkflowClient) -> None:
    better, drawn = await run(
        workflows,
        step("promptEnhancement", {"ecosystem": "sdxl", "prompt": "a fox"}, name="better"),
        image(prompt=reference("better", "output.enhancedPrompt"), width=64, height=64),
    )
    assert drawn["input"]["prompt"] == better["output"]["enhancedPrompt"]


async def test_a_snapshot_of_nodes_is_a_resource_of_a_graph(workflows: WorkflowClient) -> None:
    (body,) = [body for body in REQUESTS if body["steps"][0]["$type"] == "customComfy"]
    (graph,) = body["steps"]
    layer = reference("nodes", "output.results[0].layerAir")
    sent = {**graph["input"], "resources": [*graph["input"]["resources"], layer]}
    snapshot, made = await run(
        workflows, step("comfyNodepackSnapshot", {"nodepacks": ["a pack"]}, name="nodes"), step("customComfy", sent)
    )
    assert made["input"]["resources"][-1] == snapshot["output"]["results"][0]["layerAir"]


async def test_a_song_is_made_of_what_a_chat_has_written_as_json(workflows: WorkflowClient) -> None:
    """The website has a chat write the text and the description of a song, and refers to the members of its answer."""
    members = {name: {"type": "string"} for name in ("lyrics", "musicDescription")}
    schema = {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}
    asked = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Write a song"}],
        "responseFormat": {"type": "json_schema", "jsonSchema": {"name": "song", "strict": True, "schema": schema}},
    }
    song = {name: reference("$0", f"output.parsed.{name}") for name in members}
    written, made = await run(workflows, step("chatCompletion", asked), step("aceStepAudio", {"duration": 30, **song}))
    assert {name: made["input"][name] for name in members} == written["output"]["parsed"]


async def test_a_dialogue_of_voices_is_a_sound(workflows: WorkflowClient) -> None:
    """What is composed is a sound where all elements are, so that other steps can refer to it as one."""
    voices = ({"speaker": "vivian"}, {"refAudioUrl": "https://example.com/voice.ogg"})
    speech = [step("textToSpeech", {"engine": "custom", "text": "Good morning", **voice}) for voice in voices]
    elements: list[Any] = [{"url": reference(f"${number}", "output.audioBlob.url")} for number in range(2)]
    *spoken, mixed = await run(workflows, *speech, step("composeMedia", {"elements": elements}))
    assert [each["output"]["modelType"] for each in spoken] == ["custom_voice", "base"]
    assert mixed["output"]["type"] == "audio"
    assert sniffed_type(await fetched(workflows, mixed["output"]["audioBlob"]["url"])) == "audio/ogg"
    (clip,) = await run(workflows, step("composeMedia", {"elements": [{"url": CLIP}]}))
    assert clip["output"]["type"] == "video"


async def test_a_model_is_trained_on_images_that_are_sent_one_by_one(workflows: WorkflowClient) -> None:
    items = [{"air": f"https://example.com/{name}.png", "caption": name} for name in ("fox", "cat")]
    data = {"type": "blobs", "items": items}
    sent = {"engine": "ai-toolkit", "ecosystem": "sdxl", "trainingData": data, "samples": {"prompts": ["a fox"]}}
    (made,) = await run(workflows, step("training", sent))
    assert made["input"]["trainingData"] == data
    for url in urls_in(made["output"]):
        assert await fetched(workflows, url)


async def test_images_are_downloaded_as_an_archive(workflows: WorkflowClient) -> None:
    entry = {"blobId": reference("drawn", "output.images[0].id"), "fileName": "fox.jpeg"}
    drawn, archive = await run(
        workflows,
        image(width=64, height=64, name="drawn"),
        step("blobArchive", {"entries": [entry], "archiveName": "foxes"}),
    )
    content = await fetched(workflows, archive["output"]["url"])
    with zipfile.ZipFile(io.BytesIO(content)) as opened_archive:
        assert opened_archive.read("fox.jpeg") == await fetched(workflows, drawn["output"]["images"][0]["url"])


async def test_a_training_is_asked_for_all_the_time(workflows: WorkflowClient) -> None:
    """Its epochs come one after the other, and none of them goes."""
    data = {"type": "zip", "sourceUrl": "https://example.com/data.zip", "count": 9}
    sent = {"engine": "ai-toolkit", "ecosystem": "sdxl", "epochs": 8, "trainingData": data}
    made = await workflows.submit(step("training", sent), expected=[200, 202])
    seen = []
    while made["status"] not in {"succeeded", "failed"}:
        await asyncio.sleep(0)
        made = await workflows.get(made["id"])
        seen.append(len(made["steps"][0].get("output", {}).get("epochs", [])))
    assert made["status"] == "succeeded"
    assert seen == sorted(seen)
    assert seen[-1] == 8
    for url in urls_in(made["steps"][0]["output"]):
        assert await fetched(workflows, url)


async def test_a_fault_is_named_by_its_place_in_the_input(workflows: WorkflowClient) -> None:
    rating = await workflows.http.post("/v2/consumer/workflows", json={"steps": [step("mediaRating", {})]})
    assert (rating.status_code, list(rating.json()["errors"])) == (400, ["steps[0].input.mediaUrl"])


async def test_a_job_that_cannot_be_done_fails_its_step(workflows: WorkflowClient) -> None:
    text = base64.b64encode(b"not a video").decode()
    made = await workflows.submit(step("videoMetadata", {"video": f"data:text/plain;base64,{text}"}), query="wait=90")
    assert (made["status"], made["steps"][0]["status"]) == ("failed", "failed")
    assert made["cost"]["total"] == 0

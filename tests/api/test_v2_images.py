"""Image steps of v2 over HTTP: submitted as real clients do, run, and their files looked at."""

import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image

from civitai_mock.drawing.media import image_files
from tests.support.media import image_bytes
from tests.support.paths import DATA
from tests.support.served_app import Opened, serve_all
from tests.support.v2_inputs import InputKind, input_kinds, make_input
from tests.support.v2_steps import with_airs
from tests.support.v2_workflows import CHECKPOINT, RECIPES, WorkflowClient, step

REQUESTS = [entry["body"] for entry in json.loads((DATA / "captures/v2-requests.json").read_text("utf-8"))]
OF_IMAGES = {"textToImage", "imageGen", "imageUpscaler", "customComfy"}
CAPTURED = [
    *(body for body in REQUESTS if {step["$type"] for step in body["steps"]} <= OF_IMAGES),
    json.loads((DATA / "captures/v2-request-imagegen-sdcpp.json").read_text("utf-8")),
]
ENGINES = (
    "openai",
    "flux1-kontext",
    "flux2",
    "google",
    "wan",
    "gemini",
    "sdcpp",
    "comfy",
    "seedream",
    "grok",
    "fal",
    "qwen",
)
PICTURE = f"data:image/png;base64,{base64.b64encode(image_bytes((96, 64))).decode()}"
KINDS = [kind for kind in input_kinds() if kind.step_type in {"imageGen", "textToImage"}]
SDXL: Any = {
    "engine": "sdcpp",
    "ecosystem": "sdxl",
    "operation": "createImage",
    "model": CHECKPOINT,
    "prompt": "a lighthouse",
    "width": 64,
    "height": 128,
    "seed": 7,
    "steps": 4,
}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all(missing_resources="lenient") as running:
        yield running


@pytest.fixture
def workflows(opened: Opened) -> WorkflowClient:
    return WorkflowClient(opened.client)


async def run(workflows: WorkflowClient, *steps: Any) -> Any:
    """Return the last step of a workflow that has succeeded."""
    made = await workflows.submit(*steps, query="wait=90")
    assert made["status"] == "succeeded", made
    return made["steps"][-1]


async def fetched(client: httpx.AsyncClient, blob: Any) -> tuple[httpx.Response, Image.Image]:
    assert blob["available"] is True
    answer = await client.get(blob["url"], follow_redirects=True)
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return answer, image


@pytest.mark.parametrize("body", CAPTURED, ids=lambda body: body["steps"][0]["$type"])
async def test_requests_of_real_clients_succeed(workflows: WorkflowClient, body: Any) -> None:
    made = await workflows.submit(
        *body["steps"], query="wait=90", **{name: body[name] for name in body.keys() - {"steps"}}
    )
    assert made["status"] == "succeeded", made
    for one in made["steps"]:
        blobs = one["output"].get("images") or one["output"].get("blobs") or [one["output"]["blob"]]
        for blob in blobs:
            await fetched(workflows.http, blob)


FLUX1 = {"engine": "sdcpp", "ecosystem": "flux1", "diffuserModel": "urn:air:flux1:checkpoint:civitai:618692@691639"}
QWEN = {"engine": "qwen", "model": "edit-plus"}
SEEDANCE = {"engine": "seedance", "model": "v2-mini"}


@pytest.mark.parametrize(
    ("step_type", "sent", "filled_in"),
    [
        ("imageGen", {**FLUX1, "operation": "createImage"}, {}),
        ("imageGen", {**FLUX1, "operation": "createVariant", "image": PICTURE}, {}),
        ("imageGen", {**FLUX1, "operation": "editImage", "images": [PICTURE]}, {}),
        ("imageGen", {"engine": "fal", "model": "krea2", "operation": "createImage"}, {"imageStyleReferences": []}),
        ("imageGen", {**QWEN, "operation": "editImage", "images": [PICTURE]}, {}),
        ("imageGen", {"engine": "qwen", "model": "plus", "operation": "createImage"}, {}),
        ("imageGen", {"engine": "seedream"}, {"version": "v4.5"}),
        ("videoGen", {"engine": "minimax-h3"}, {"resolution": "2K", "duration": 5, "aspectRatio": "adaptive"}),
        ("videoGen", SEEDANCE, {"resolution": "720p", "duration": 5, "aspectRatio": "adaptive"}),
        ("videoGen", {"engine": "hunyuan", "duration": 1}, {"width": 480, "height": 480}),
        ("videoGen", {"engine": "veo3"}, {"generateAudio": True}),
    ],
    ids=lambda value: value.get("engine", "") if isinstance(value, dict) else None,
)
async def test_what_the_documentation_has_a_default_for_may_be_left_out(
    workflows: WorkflowClient, step_type: str, sent: Any, filled_in: Any
) -> None:
    made = await run(workflows, step(step_type, {**sent, "prompt": "a fox"}))
    assert {name: made["input"].get(name) for name in filled_in} == filled_in
    assert "vaeModel" not in made["input"]


@pytest.mark.parametrize("images", [{}, {"images": []}], ids=["none", "an empty list"])
async def test_a_video_of_an_image_is_not_made_without_one(workflows: WorkflowClient, images: Any) -> None:
    sent = {"engine": "grok", "operation": "image-to-video", "prompt": "a fox", **images}
    answer = await workflows.http.post("/v2/consumer/workflows", json={"steps": [step("videoGen", sent)]})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["steps[0].input.images"])


def small(value: Any) -> Any:
    """Return an input that is quick to draw, with a picture wherever one is asked for."""
    if isinstance(value, dict):
        found = {name: small(item) for name, item in value.items()}
        sizes = {name: 832 for name in ("width", "height") if name in found}
        counts = {name: 1 for name in ("quantity", "numImages", "batchSize") if name in found}
        pictures = {
            name: PICTURE for name in ("image", "mask", "maskImage", "imageUrl", "sourceImage") if name in found
        }
        return {**found, **sizes, **counts, **pictures}
    return [PICTURE if item == "a text" else small(item) for item in value] if isinstance(value, list) else value


def sent_by(kind: InputKind, *, is_full: bool) -> Any:
    sent = small(make_input(kind, is_full=is_full))
    known = with_airs(sent)
    nets = [{**net, "image": PICTURE} for net in known.get("controlNets", ())]
    return {**known, **({"controlNets": nets} if nets else {})}


@pytest.mark.parametrize("is_full", [False, True], ids=["least", "full"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_every_kind_of_input_of_an_engine_succeeds(engine: str, is_full: bool) -> None:
    """With blank images, as those of these sizes would be drawn for seconds."""
    inputs = [sent_by(kind, is_full=is_full) for kind in KINDS if kind.step_type == "imageGen"]
    asked = [step("imageGen", sent) for sent in inputs if sent["engine"] == engine]
    async with serve_all(missing_resources="lenient", simulation_pictures="blank") as opened:
        made = await WorkflowClient(opened.client).submit(*asked, query="wait=90")
    assert made["status"] == "succeeded", [one for one in made["steps"] if one["status"] != "succeeded"]
    for one in made["steps"]:
        (blob,) = one["output"]["images"]
        assert (blob["available"], blob["nsfwLevel"]) == (True, "pg")


@pytest.mark.parametrize("is_full", [False, True], ids=["least", "full"])
async def test_text_to_image_of_any_input_succeeds(workflows: WorkflowClient, is_full: bool) -> None:
    (kind,) = (kind for kind in KINDS if kind.step_type == "textToImage")
    sent = sent_by(kind, is_full=is_full)
    done = await run(workflows, step("textToImage", sent))
    (blob,) = done["output"]["images"]
    _, image = await fetched(workflows.http, blob)
    assert image.size == ((832, 832) if is_full else (512, 512))


@pytest.mark.parametrize("word", ["sdcpp", "comfy"])
async def test_a_failed_image_leaves_no_error_text_in_its_output(workflows: WorkflowClient, word: str) -> None:
    """As in captures; its job says why."""
    sent = {**SDXL, "engine": word, "operation": "createVariant", "image": base64.b64encode(b"no image" * 40).decode()}
    made = await workflows.submit(step("imageGen", sent), query="wait=60")
    (done,) = made["steps"]
    assert (made["status"], done["output"]["errors"]) == ("failed", [])
    assert done["output"]["images"][0]["available"] is False


def test_all_engines_are_tried() -> None:
    assert {make_input(kind, is_full=False)["engine"] for kind in KINDS if kind.step_type == "imageGen"} == set(ENGINES)


@pytest.mark.parametrize(("word", "kind"), [("jpeg", "image/jpeg"), ("png", "image/png"), ("webP", "image/webp")])
@pytest.mark.parametrize("engine", [{}, {"engine": "seedream", "width": 256, "height": 256}], ids=["graph", "drawing"])
async def test_an_image_is_of_the_asked_format_and_says_how_it_was_made(
    workflows: WorkflowClient, engine: Any, word: str, kind: str
) -> None:
    done = await run(workflows, step("imageGen", {**SDXL, **engine, "outputFormat": word}))
    answer, image = await fetched(workflows.http, done["output"]["images"][0])
    assert answer.headers["content-type"] == kind
    assert image.size == (engine.get("width", 64), engine.get("height", 128))
    assert (done["output"]["images"][0]["width"], done["output"]["images"][0]["height"]) == image.size
    assert "a lighthouse" in texts_of(image)["parameters"]


async def test_each_image_of_a_batch_is_another_one_and_the_same_each_time(workflows: WorkflowClient) -> None:
    asked = {**SDXL, "quantity": 3}
    once, again, later = [
        [
            (await fetched(workflows.http, blob))[1].tobytes()
            for blob in (await run(workflows, step("imageGen", sent)))["output"]["images"]
        ]
        for sent in (asked, asked, {**asked, "seed": 8, "quantity": 2})
    ]
    assert len(set(once)) == 3
    assert once == again
    assert once[1:] == later


async def test_the_same_image_comes_of_both_versions(opened: Opened, workflows: WorkflowClient) -> None:
    params = {"prompt": "a fox", "width": 128, "height": 64, "seed": 7, "steps": 9, "cfgScale": 6, "clipSkip": 1}
    networks = {"urn:air:sdxl:lora:civitai:58390@62833": {"strength": 0.5}}
    job = await opened.run(
        {
            "$type": "textToImage",
            "model": CHECKPOINT,
            "params": {**params, "scheduler": "EulerA"},
            "additionalNetworks": networks,
        }
    )
    of_v1 = Image.open(io.BytesIO((await opened.client.get(job["result"][0]["blobUrl"])).content))
    more = {"model": CHECKPOINT, "scheduler": "eulerA", "additionalNetworks": networks, "outputFormat": "png"}
    done = await run(workflows, step("textToImage", {**params, **more}))
    _, of_v2 = await fetched(workflows.http, done["output"]["images"][0])
    assert of_v2.tobytes() == of_v1.tobytes()
    assert texts_of(of_v2)["parameters"] == texts_of(of_v1)["parameters"]


async def test_a_chain_of_steps_makes_one_image_of_another(workflows: WorkflowClient) -> None:
    def late(source: str, path: str) -> Any:
        return {"$ref": source, "path": path}

    done = await run(
        workflows,
        step("imageGen", SDXL, name="gen"),
        step("imageUpscaler", {"image": late("gen", "output.images[0].url"), "numberOfRepeats": 2}),
        step("imageBackgroundRemoval", {"image": late("$1", "output.blob.url")}),
        step(
            "convertImage",
            {
                "image": late("$2", "output.image.url"),
                "transforms": [{"type": "resize", "targetWidth": 32}],
                "output": {"format": "webp", "hideMetadata": True},
            },
        ),
    )
    answer, image = await fetched(workflows.http, done["output"]["blob"])
    assert (image.size, image.mode, answer.headers["content-type"]) == ((32, 64), "RGBA", "image/webp")
    assert not texts_of(image)


async def test_a_graph_loads_the_image_of_an_earlier_step(workflows: WorkflowClient) -> None:
    graph = {
        "1": {"classType": "LoadImage", "inputs": {"image": {"$ref": "gen", "path": "output.images[0].url"}}},
        "2": {"classType": "ImageScaleBy", "inputs": {"image": ["1", 0], "upscale_method": "area", "scale_by": 0.5}},
        "3": {"classType": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "half"}},
    }
    done = await run(workflows, step("imageGen", SDXL, name="gen"), step("comfy", {"comfyWorkflow": graph}))
    assert done["input"]["comfyWorkflow"]["1"]["inputs"]["image"].startswith("http")
    _, image = await fetched(workflows.http, done["output"]["blobs"][0])
    assert (image.format, image.size) == ("PNG", (32, 64))


async def test_a_preprocessed_image_guides_another_one(workflows: WorkflowClient) -> None:
    net = {"preprocessor": "canny", "weight": 1, "startStep": 0, "endStep": 1}
    done = await run(
        workflows,
        step("preprocessImage", {"kind": "canny", "image": PICTURE, "resolution": 128}, name="edges"),
        step(
            "textToImage",
            {
                "prompt": "a fox",
                "model": CHECKPOINT,
                "width": 128,
                "height": 128,
                "controlNets": [{**net, "image": {"$ref": "edges", "path": "output.blob.url"}}],
            },
        ),
    )
    _, image = await fetched(workflows.http, done["output"]["images"][0])
    assert image.size == (128, 128)


@pytest.mark.parametrize("source", [PICTURE, PICTURE.partition(",")[2]], ids=["data URL", "base64"])
async def test_an_uploaded_image_is_the_one_that_was_sent(workflows: WorkflowClient, source: str) -> None:
    answer = await workflows.http.post(f"{RECIPES}/imageUpload", json=source)
    assert answer.status_code == 200, answer.text
    blob = answer.json()["blob"]
    stored, _ = await fetched(workflows.http, blob)
    assert stored.content == image_bytes((96, 64))
    assert (blob["type"], blob["width"], blob["height"], blob["id"][-4:]) == ("image", 96, 64, ".png")


@pytest.mark.parametrize("source", [PICTURE, PICTURE.partition(",")[2]], ids=["data URL", "base64"])
async def test_a_variant_starts_from_an_image_in_any_form(workflows: WorkflowClient, source: str) -> None:
    done = await run(workflows, step("imageGen", {**SDXL, "operation": "createVariant", "image": source}))
    _, image = await fetched(workflows.http, done["output"]["images"][0])
    assert image.size == (64, 128)


async def test_what_is_not_an_image_fails_the_step(workflows: WorkflowClient) -> None:
    made = await workflows.submit(step("imageUpscaler", {"image": "not an image at all!"}), query="wait=60")
    assert made["status"] == "failed"
    assert made["steps"][0]["output"]["blob"]["available"] is False


def texts_of(image: Image.Image) -> Any:
    return dict(image_files.texts_of(image))

"""Image steps of v2 on a ComfyUI server: the same graphs as those of v1's jobs, run there and given out as v2 does."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from civitai_mock.comfyui_standin.options import ModelNames
from civitai_mock.drawing.media import image_files
from tests.support.media import image_bytes
from tests.support.provider_openers import draw_simulated
from tests.support.served_app import Opened, serve_all
from tests.support.standin import running_standin
from tests.support.v2_workflows import CHECKPOINT, WorkflowClient

LORA = "urn:air:sdxl:lora:civitai:58390@62833"
FLUX1 = "urn:air:flux1:checkpoint:civitai:618692@691639"
FILES: ModelNames = {
    "checkpoints": ["sdxl/civitai/101055/128078.safetensors", "sd1/civitai/4384/128713.safetensors"],
    "loras": ["lora/sdxl/civitai/58390/62833.safetensors"],
    "diffusion_models": ["flux1/civitai/618692/691639.safetensors"],
    "text_encoders": ["clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors"],
    "vae": ["ae.safetensors", "vae/flux1/civitai/618692/691640.safetensors"],
    "controlnet": ["control_v11p_sd15_canny.pth"],
}
PICTURE = f"data:image/png;base64,{base64.b64encode(image_bytes((96, 64))).decode()}"
SMALL: Any = {"operation": "createImage", "prompt": "a fox", "width": 64, "height": 128, "steps": 2, "seed": 7}
SDXL: Any = {**SMALL, "engine": "sdcpp", "ecosystem": "sdxl", "model": CHECKPOINT, "loras": {LORA: 0.5}}
SD1: Any = {**SMALL, "engine": "comfy", "ecosystem": "sd1", "model": "urn:air:sd1:checkpoint:civitai:4384@128713"}
CANNY: Any = {"preprocessor": "canny", "weight": 1, "startStep": 0, "endStep": 1, "image": PICTURE}
OF_FLUX1: Any = {
    **SMALL,
    "engine": "sdcpp",
    "ecosystem": "flux1",
    "width": 832,
    "height": 832,
    "steps": 4,
    "diffuserModel": FLUX1,
    "vaeModel": "urn:air:flux1:vae:civitai:618692@691640",
    "clipLModel": "urn:air:flux1:textencoder:civitai:618692@691641",
    "t5XXLModel": "urn:air:flux1:textencoder:civitai:618692@691642",
}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with (
        running_standin(models=FILES, draw=draw_simulated) as standin,
        serve_all(comfy_http_url=standin.url, missing_resources="lenient", image_allowed_hosts="private") as running,
    ):
        yield running


@pytest.fixture
def workflows(opened: Opened) -> WorkflowClient:
    return WorkflowClient(opened.client)


async def run(workflows: WorkflowClient, step_type: str, step_input: Any) -> Any:
    made = await workflows.submit({"$type": step_type, "input": step_input}, query="wait=60")
    assert made["status"] == "succeeded", made
    return made["steps"][0]


async def opened_image(workflows: WorkflowClient, blob: Any) -> Image.Image:
    answer = await workflows.http.get(blob["url"], follow_redirects=True)
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        (SDXL, (64, 128)),
        ({**SDXL, "operation": "createVariant", "image": PICTURE}, (64, 128)),
        ({**SD1, "sampler": "dpmpp_2m", "scheduler": "karras"}, (64, 128)),
        ({**SD1, "controlNets": [CANNY]}, (64, 128)),
        (OF_FLUX1, (832, 832)),
    ],
    ids=["sdxl", "variant", "sd1", "guided", "flux1"],
)
async def test_an_image_is_made_by_the_server_and_given_out_as_a_jpeg(
    workflows: WorkflowClient, sent: Any, size: tuple[int, int]
) -> None:
    done = await run(workflows, "imageGen", {**sent, "quantity": 2})
    images = [await opened_image(workflows, blob) for blob in done["output"]["images"]]
    assert [(image.format, image.size) for image in images] == [("JPEG", size)] * 2
    assert images[0].tobytes() != images[1].tobytes()
    parameters = image_files.texts_of(images[1])["parameters"]
    assert parameters.startswith("a fox")
    assert "Seed: 8" in parameters


async def test_an_image_of_the_server_is_the_one_of_the_simulation(workflows: WorkflowClient) -> None:
    sent = {
        "prompt": "a fox",
        "model": CHECKPOINT,
        "width": 64,
        "height": 64,
        "seed": 7,
        "steps": 2,
        "outputFormat": "png",
    }
    by_server = await opened_image(workflows, (await run(workflows, "textToImage", sent))["output"]["images"][0])
    async with serve_all() as simulated:
        client = WorkflowClient(simulated.client)
        by_simulation = await opened_image(client, (await run(client, "textToImage", sent))["output"]["images"][0])
    assert by_server.tobytes() == by_simulation.tobytes()


async def test_a_graph_of_the_caller_runs_there_with_its_files_and_images(workflows: WorkflowClient) -> None:
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "2": {"class_type": "LoadImage", "inputs": {"image": PICTURE}},
        "3": {"class_type": "VAEEncode", "inputs": {"pixels": ["2", 0], "vae": ["1", 2]}},
        "4": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["1", 2]}},
        "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "out"}},
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    done = await run(workflows, "customComfy", {"resources": [CHECKPOINT], "workflow": graph, "trace": "logs"})
    output = done["output"]
    (kept,), (shown,) = output["blobs"], output["tempBlobs"]
    assert kept["id"] == f"customcomfy-{done['jobs'][0]['id']}-asset-out_00001_.png"
    for blob in (kept, shown):
        assert (await opened_image(workflows, blob)).size == (blob["width"], blob["height"]) == (96, 64)
    trace = await workflows.http.get(output["traceUrl"], follow_redirects=True)
    assert "node 5: SaveImage" in trace.text.splitlines()


async def test_a_graph_that_the_server_refuses_fails_the_step(workflows: WorkflowClient) -> None:
    graph = {"1": {"class_type": "NodeOfNoPack", "inputs": {}}}
    made = await workflows.submit({"$type": "comfy", "input": {"comfyWorkflow": graph}}, query="wait=60")
    assert made["status"] == "failed"

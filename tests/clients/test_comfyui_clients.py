"""Public client libraries of ComfyUI, unchanged, against the stand-in as it is started without options."""

import asyncio
import json
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.bootstrap.standin import make_comfyui_standin
from tests.support import npm, pip
from tests.support.served_app import make_settings
from tests.support.standin import running_app
from tests.support.standin_session import text_to_image, with_inputs

pytestmark = [pytest.mark.slow, pytest.mark.long]

SCRIPTS = Path(__file__).parent / "comfyui"
PATIENCE_SECONDS = 300
# Sees the packages of one folder, behind Python's own, and none of the suite's.
RUN = "import runpy, sys; sys.path.append(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"
PYTHON = (sys.executable, "-S", "-P", "-X", "faulthandler", "-c", RUN)
CHECKPOINT, LORA, EMBEDDING = "v1-5-pruned-emaonly.safetensors", "add_detail.safetensors", "easynegative.safetensors"
TOLD = {"checkpoints": [CHECKPOINT], "loras": [LORA], "embeddings": [EMBEDDING]}
STEPS = 8
NAMES = ["ComfyUI_00001_.png", "ComfyUI_00002_.png"]
IMAGES = [{"filename": name, "subfolder": "", "type": "output"} for name in NAMES]
EMPTY_QUEUE: dict[str, list[Any]] = {"queue_running": [], "queue_pending": []}
PNG = b"\x89PNG\r\n\x1a\n".hex()
USER = {"storage": "server", "migrated": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """`said` is what its script must find, among what else it says."""

    packages: Sequence[str]
    script: str
    said: Mapping[str, Any] = field(default_factory=dict)

    async def ask(self, question: Mapping[str, Any], folder: Path) -> Any:
        """What the script answers; skip where the packages cannot be installed."""
        is_python = self.script.endswith(".py")
        try:
            for package in self.packages:
                await asyncio.to_thread((pip if is_python else npm).install, package, folder)
        except npm.UnavailableError as error:
            pytest.skip(f"{self.packages[0]} is not tested: {error}")
        for script in SCRIPTS.glob("*.mjs"):  # node looks for packages beside a script
            shutil.copy(script, folder)
        command: list[str | Path] = (
            [*PYTHON, folder, SCRIPTS / self.script] if is_python else ["node", folder / self.script]
        )
        return await _answer(command, json.dumps(question), folder)


async def _answer(command: Sequence[str | Path], question: str, folder: Path) -> Any:
    """One that never answers is asked where it is, which Python tells, and fails with all that it has printed."""
    pipe = asyncio.subprocess.PIPE
    printed = folder / "printed.txt"
    with printed.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=file, cwd=folder)
    answering = asyncio.create_task(process.communicate(question.encode()))
    try:
        in_time, _ = await asyncio.wait([answering], timeout=PATIENCE_SECONDS)
        if not in_time:
            process.send_signal(signal.SIGABRT)
        answer, _ = await answering
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    told = printed.read_text(encoding="utf-8", errors="replace")[-6000:]
    assert in_time, f"There was no answer within {PATIENCE_SECONDS} s. {told}"
    assert process.returncode == 0, told
    return json.loads(answer.splitlines()[-1])


LIBRARIES = {
    "PyPI comfy-api-client": Library(
        packages=["comfy-api-client==0.1.0"],
        script="comfy_api_client.py",
        said={
            "images": [[name, "png", 64, 64] for name in NAMES],
            "extensions": [],
            "embeddings": ["easynegative"],
            "os": "posix",
            "metadata": None,
            "uploaded": ["in.png", "masked.png"],
            "completed": 1,
            "queue": [0, 0],
        },
    ),
    "PyPI comfy-api-simplified": Library(
        packages=["comfy-api-simplified==1.6.0"],
        script="comfy_api_simplified.py",
        said={
            "images": dict.fromkeys(NAMES, PNG),
            "embeddings": ["easynegative"],
            "queue": EMPTY_QUEUE,
            "node": ["KSampler"],
            "version": "0.3.64",
        },
    ),
    "PyPI comfyui-utils": Library(
        packages=["comfyui-utils==0.0.1"],
        script="comfyui_utils.py",
        said={"images": IMAGES, "heads": [PNG, PNG]},
    ),
    "PyPI comfy-ui-client": Library(
        packages=["comfy-ui-client==0.0.1.10"],
        script="comfy_ui_client.py",
        said={"ended": True, "images": IMAGES, "extensions": [], "embeddings": ["easynegative"], "queue": EMPTY_QUEUE},
    ),
    "npm @saintno/comfyui-sdk": Library(
        packages=["@saintno/comfyui-sdk@0.3.1"],
        script="saintno_comfyui_sdk.mjs",
        said={
            "images": IMAGES,
            "previews": [],
            "extensions": [],
            "user": USER,
            "settings": {"Comfy.x": {"a": 1}, "Comfy.y": 2},
            "setting": {"a": 1},
            "stored": ["a.json"],
            "kept": {"nodes": []},
            "embeddings": ["easynegative"],
            "checkpoints": [CHECKPOINT],
            "samplers": ["sampler", "scheduler"],
            "folders": ["checkpoints", "loras"],
            "files": [LORA],
            "types": 20,
            "templates": {},
            "features": {"supports_preview_metadata": True, "max_upload_size": 104857600},
            "logs": "got prompt\n",
            "freed": True,
        },
    ),
    "npm @stable-canvas/comfyui-client": Library(
        packages=["@stable-canvas/comfyui-client@1.5.9", "ws@8"],
        script="stable_canvas_comfyui_client.mjs",
        said={
            "enqueued": NAMES,
            "invoked": ["canvas_00001_.png", "canvas_00002_.png"],
            "polled": ["ComfyUI_00003_.png", "ComfyUI_00004_.png"],
            "extensions": [],
            "embeddings": ["easynegative"],
            "user": USER,
            "settings": {"Comfy.x": "v", "Comfy.y": 2},
            "setting": "v",
            "absent": None,
            "folders": ["checkpoints", "loras"],
            "files": [LORA],
            "loras": [LORA],
            "queue": {"Running": [], "Pending": []},
        },
    ),
    "npm comfy-ui-client": Library(
        packages=["comfy-ui-client@0.1.2"],
        script="comfy_ui_client.mjs",
        said={
            "images": IMAGES,
            "types": ["image/png", "image/png"],
            "extensions": [],
            "embeddings": ["easynegative"],
            "prompt": {"exec_info": {"queue_remaining": 0}},
            "queue": EMPTY_QUEUE,
            "node": ["KSampler"],
            "devices": 1,
            "uploaded": "in.png",
        },
    ),
}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Of the server that the command starts, which was told of the files that people use."""
    async with running_app(make_comfyui_standin(make_settings())) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=60) as client:
            assert (await client.put("/standin/models", json=TOLD)).status_code == 200
        yield running.url


def _graph() -> dict[str, Any]:
    """As a client's own example: with titles, two images, and the name of a file that everybody has."""
    graph = with_inputs(text_to_image(steps=STEPS, checkpoint=CHECKPOINT), "5", batch_size=2)
    titles = {"3": "Sampler", "9": "Save Image"}
    return {node: {**fields, "_meta": {"title": titles.get(node, node)}} for node, fields in graph.items()}


@pytest.mark.parametrize("name", LIBRARIES)
async def test_a_client_gets_the_images_that_were_saved_and_all_else_it_asks_for(
    name: str, url: str, tmp_path: Path
) -> None:
    library = LIBRARIES[name]
    said = await library.ask({"url": url, "graph": _graph()}, tmp_path)
    assert {key: said.get(key) for key in library.said} == library.said

"""Every recorded POST /prompt is sent to the stand-in, in the recorded order, and the answers are laid side by side."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.comfyui_standin.options import Damage, StandinOptions
from civitai_mock.comfyui_standin.state.files import FilePlace
from tests.support.comfyui_listener import Listener, listen_to
from tests.support.recordings import (
    FIRST_COUNTER,
    FIRST_NUMBER,
    MODELS,
    Recording,
    base_graph,
    comparable,
    read_recordings,
)
from tests.support.standin import RunningStandin, plain_png, running_standin

RECORDED_AT = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
DAMAGE = {"broken.safetensors": Damage.CORRUPT, "not_a_model.safetensors": Damage.UNKNOWN_MODEL}
RECORDINGS = read_recordings()
# These cases are not imitated. The answer is the same; only the later history differs.
DIFFERENT_HISTORY = {
    "SD1 ControlNet on SDXL -> execution_error": "the stand-in does not know what is in a model file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    status: int
    content_type: str
    answer: Any
    history: Any


@pytest.fixture(scope="module")
def replayed() -> Mapping[str, Replayed]:
    return asyncio.run(_replay())


async def _replay() -> Mapping[str, Replayed]:
    options = StandinOptions(damage=DAMAGE)
    clock = VirtualClock(RECORDED_AT)
    async with running_standin(models=MODELS, clock=clock, options=options) as standin, listen_to(standin) as listener:
        _put_files(standin)
        async with httpx.AsyncClient(base_url=standin.url, timeout=60) as client:
            await _warm_up(client, listener)
            return {recording.case: await _send(recording, client, listener) for recording in RECORDINGS}


def _put_files(standin: RunningStandin) -> None:
    """Put the files of the recorded server into the folders."""
    images = {
        FilePlace("input", "", "cap_input.png"): plain_png(),
        FilePlace("input", "", "not_image.png"): b"hello",
        FilePlace("input", "job1/a", "x.png"): plain_png(tone=1),
        FilePlace("temp", "", "t.png"): plain_png(tone=2),
        FilePlace("output", "", "ComfyUI_00001_.png"): plain_png(tone=3),
        FilePlace("output", "", f"ComfyUI_{FIRST_COUNTER - 1:05}_.png"): plain_png(tone=4),
    }
    for place, content in images.items():
        standin.server.state.files.put(place, content, now=RECORDED_AT)


async def _warm_up(client: httpx.AsyncClient, listener: Listener) -> None:
    """Run the same model and texts at another size, as the recorded server had just done."""
    graph = base_graph()
    graph["5"]["inputs"]["width"] = 128
    graph["9"]["inputs"]["filename_prefix"] = "before"
    await client.post("/prompt", json={"prompt": graph, "number": 0})
    await listener.until_idle()


async def _send(recording: Recording, client: httpx.AsyncClient, listener: Listener) -> Replayed:
    headers = {"content-type": recording.content_type}
    response = await client.post("/prompt", content=recording.body, headers=headers)
    content_type = response.headers["content-type"]
    answer: Any = response.json() if "json" in content_type else response.text
    history = await _history(answer["prompt_id"], client, listener) if response.status_code == 200 else None
    return Replayed(status=response.status_code, content_type=content_type, answer=answer, history=history)


async def _history(prompt_id: str, client: httpx.AsyncClient, listener: Listener) -> Any:
    await listener.until_idle()
    return (await client.get(f"/history/{prompt_id}")).json()[prompt_id]


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.case)
def test_the_answer_is_the_recorded_one(recording: Recording, replayed: Mapping[str, Replayed]) -> None:
    answer = replayed[recording.case]
    if isinstance(answer.answer, dict) and "number" in answer.answer:
        answer.answer["number"] += FIRST_NUMBER
    assert (answer.status, comparable(answer.answer)) == (recording.status, comparable(recording.answer))
    assert answer.content_type.startswith("application/json" if isinstance(recording.answer, dict) else "text/plain")


RUN = [recording for recording in RECORDINGS if recording.history]


@pytest.mark.parametrize("recording", RUN, ids=lambda recording: recording.case)
def test_history_is_the_recorded_one(recording: Recording, replayed: Mapping[str, Replayed]) -> None:
    history = replayed[recording.case].history
    found = {"outputs": history["outputs"], "status": history["status"]}
    is_same = comparable(found) == comparable(recording.history)
    if recording.case in DIFFERENT_HISTORY:
        assert not is_same, "it is imitated now: take it out of the table"
    else:
        assert comparable(found) == comparable(recording.history)


def test_a_refused_prompt_leaves_nothing_behind(replayed: Mapping[str, Replayed]) -> None:
    ran = json.dumps([answer.history for answer in replayed.values() if answer.history])
    assert "NoSuchNode" not in ran

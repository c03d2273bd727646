"""One trace from the request to ComfyUI and the receiver of its callbacks."""

import httpx
import pytest

from civitai_mock.comfyui_standin.options import ModelNames
from civitai_mock.network.http import HttpTransport
from tests.scheduler.comfyui_bench import open_standin, running_on, wait_until_ended
from tests.scheduler.conftest import Bench
from tests.support.comfyui import until
from tests.support.jobs import TRACE_ID
from tests.support.receiver import URL

MODELS: ModelNames = {"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}  # of the job that the bench adds


async def test_a_job_takes_its_trace_to_comfyui_and_to_its_receiver(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[httpx.Request] = []

    class Recorder(HttpTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return await super().handle_async_request(request)

    monkeypatch.setattr("civitai_mock.providers.comfyui.transport.http.HttpTransport", Recorder)
    async with open_standin(models=MODELS) as standin, running_on(bench, standin):
        job = await bench.add(1, callback_url=URL)
        await wait_until_ended(bench, job)
        await until(lambda: any(event.endswith("Succeeded") for event in bench.receiver.events))
    _, trace, _, _ = TRACE_ID.split("-")
    assert job.trace_id == TRACE_ID
    (prompt,) = [request for request in sent if request.url.path == "/prompt"]
    headers = [request.headers["traceparent"] for request in (prompt, *bench.receiver.requests)]
    assert {header.split("-")[1] for header in headers} == {trace}
    assert len({TRACE_ID, *headers}) == 1 + len(headers)

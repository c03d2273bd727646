"""The ComfyUI provider runs, reports and cancels prompts on one server that behaves."""

import asyncio
import io
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image

from civitai_mock.comfyui_standin.options import Damage, StandinOptions
from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import JobError, RunFailedError, TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.services.tracing import new_trace_id, work_in_trace
from tests.support.comfyui import (
    ENDLESS,
    HELD,
    IMPATIENT,
    Gate,
    comfyui_on,
    contents_of,
    endless_submission,
    finish,
    is_pending,
    is_running,
    make_submission,
    until,
)
from tests.support.standin import MODELS, plain_png, running_standin
from tests.support.standin_session import text_to_image, with_inputs, with_node


async def test_a_prompt_is_run_once_and_its_image_fetched() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        receipt = await provider.send(submission)
        outputs = await provider.collect(submission.prompt_id)
        (content,) = await contents_of(outputs)
        assert receipt.response == {"prompt_id": submission.prompt_id, "number": 0, "node_errors": {}}
        assert content.startswith(b"\x89PNG")
        assert outputs.facts.keys() == {"worker", "middleware_duration_ComfyUI_ms"}
        assert standin.server.prompt(submission.prompt_id).accepted == 1


async def test_the_server_gets_the_trace_id_and_the_texts_for_the_image() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        await finish(provider, submission)
        async with httpx.AsyncClient(base_url=standin.url, timeout=60) as client:
            entry = (await client.get(f"/history/{submission.prompt_id}")).json()[submission.prompt_id]
        assert entry["prompt"][3]["trace_id"] == submission.trace_id


class _Recorder(httpx.AsyncHTTPTransport):
    """Notes the requests that go to a server."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return await super().handle_async_request(request)


async def test_all_that_is_asked_for_a_job_is_in_its_trace_each_time_as_a_span_of_its_own() -> None:
    trace_id, recorder = new_trace_id(), _Recorder()
    async with running_standin() as standin, comfyui_on(standin, transport=recorder) as provider:
        work_in_trace(trace_id)
        await finish(provider, make_submission())
    spans = {request.url.path: request.headers["traceparent"].split("-") for request in recorder.requests}
    _, trace, span, _ = trace_id.split("-")
    assert {spans[path][1] for path in ("/prompt", "/view")} == {trace}
    assert spans["/system_stats"][1] != trace  # as that is asked for nobody's job
    assert span not in {found[2] for found in spans.values()}
    assert len({request.headers["traceparent"] for request in recorder.requests}) == len(recorder.requests)


async def test_progress_is_reported_while_a_prompt_runs_and_not_afterwards() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        first, second = make_submission(text_to_image(steps=3)), make_submission()
        await provider.send(first)
        await provider.send(second)
        await until(lambda: is_running(standin, first.prompt_id))
        assert provider.progress(first.prompt_id) is None
        told: list[tuple[str, int, int]] = []

        def heard() -> bool:
            progress = provider.progress(first.prompt_id)
            if progress:
                told.append((progress.node_id, progress.step, progress.steps))
            return bool(told)

        watching = asyncio.create_task(until(heard))
        gate.open()
        await watching
        await provider.collect(first.prompt_id)
        assert told[0][0] == "3"
        assert told[0][2] == 3
        assert provider.progress(first.prompt_id) is None


async def test_the_latest_preview_is_part_of_the_progress() -> None:
    options = StandinOptions(previews=True, durations=ENDLESS.durations)
    async with running_standin(options=options) as standin, comfyui_on(standin) as provider:
        submission = endless_submission()
        await provider.send(submission)
        await until(
            lambda: (progress := provider.progress(submission.prompt_id)) is not None and bool(progress.preview)
        )
        progress = provider.progress(submission.prompt_id)
        assert progress is not None
        assert progress.preview is not None
        assert progress.preview.content_type == "image/jpeg"
        await provider.cancel(submission.prompt_id)


async def test_a_failure_is_reported_in_comfyuis_words() -> None:
    options = StandinOptions(damage={"sd15.safetensors": Damage.CORRUPT})
    async with running_standin(options=options) as standin, comfyui_on(standin) as provider:
        submission = make_submission()
        await provider.send(submission)
        with pytest.raises(RunFailedError, match="Error while deserializing header: header too large") as caught:
            await provider.collect(submission.prompt_id)
        evidence = caught.value.evidence
        assert evidence["node_id"] == "4"
        assert evidence["node_type"] == "CheckpointLoaderSimple"
        assert evidence["exception_type"] == "safetensors._safetensors_rust.SafetensorError"
        assert evidence["worker"] == provider.workers[0].id


async def test_a_graph_that_is_refused_ends_the_job_and_leaves_room() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        submission = make_submission(with_inputs(text_to_image(), "3", steps=0))
        with pytest.raises(JobError, match=r"node 3 \(KSampler\): Value 0 smaller than min of 1: steps"):
            await provider.send(submission)
        await until(lambda: provider.workers[0].in_flight == 0)


async def test_a_graph_that_is_taken_in_part_is_refused_and_taken_back() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        blocker = make_submission()
        await provider.send(blocker)
        await until(lambda: is_running(standin, blocker.prompt_id))
        graph = with_node(text_to_image(), "10", "SaveImage", images=["4", 0], filename_prefix="x")
        submission = make_submission(graph)
        with pytest.raises(JobError, match="Return type mismatch"):
            await provider.send(submission)
        await until(lambda: not is_pending(standin, submission.prompt_id))
        assert standin.server.prompt(submission.prompt_id).started == 0
        gate.open()


async def test_what_is_no_graph_never_reaches_a_server() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        with pytest.raises(JobError, match="API format"):
            await provider.send(make_submission({"nodes": [], "links": []}))
        assert "POST /prompt" not in standin.server.state.stats.requests


async def test_a_file_is_sent_under_the_servers_own_name() -> None:
    models = {**MODELS, "checkpoints": ["SDXL\\base_128078.safetensors"]}
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        graph = text_to_image(checkpoint="sdxl/civitai/101055/128078.safetensors")
        assert (await finish(provider, make_submission(graph))).tries == 1


@pytest.mark.parametrize(
    "name",
    [
        "mine.safetensors",
        "sdxl\\civitai\\101055\\128078.safetensors",
        "SDXL\\base_128078.safetensors",
        "SDXL\\base [e6bb9ea85b].safetensors",
    ],
)
async def test_a_resource_is_found_by_its_name_its_path_its_version_or_a_hash(name: str) -> None:
    resource = JobResource(
        air=Air.parse("urn:air:sdxl:checkpoint:civitai:101055@128078"),
        file_name="mine.safetensors",
        hashes=("e6bb9ea85bbf7bf6",),
    )
    models = {**MODELS, "checkpoints": ["other.safetensors", name]}
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        submission = make_submission(text_to_image(checkpoint=resource.file_name), resources=[resource])
        receipt = await provider.send(submission)
        assert provider.workers_with([resource]) == [provider.workers[0].id]
        assert _checkpoint_in(receipt.graph) == name
        assert len((await finish(provider, submission)).contents) == 1


def _checkpoint_in(graph: Any) -> str:
    (name,) = [node["inputs"]["ckpt_name"] for node in graph.values() if "ckpt_name" in node["inputs"]]
    return str(name)


async def test_a_missing_file_ends_the_job_and_names_its_air_and_what_is_near() -> None:
    air = Air.parse("urn:air:sd1:checkpoint:civitai:5@4321")
    resource = JobResource(air=air, file_name="sd15_full.safetensors")
    async with running_standin() as standin, comfyui_on(standin) as provider:
        graph = text_to_image(checkpoint=resource.file_name)
        with pytest.raises(JobError) as caught:
            await provider.send(make_submission(graph, resources=[resource]))
        assert caught.value.message == (
            "No ComfyUI server can run this graph: 'sd15_full.safetensors' (urn:air:sd1:checkpoint:civitai:5@4321)"
            " is not in checkpoints (nearest: sd15.safetensors, sdxl.safetensors)."
        )


async def test_a_node_class_that_the_server_has_not_ends_the_job() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        graph = with_node(text_to_image(), "20", "smZ CLIPTextEncode", text="a fox")
        with pytest.raises(JobError, match="it has no node 'smZ CLIPTextEncode'"):
            await provider.send(make_submission(graph))


async def test_a_file_that_comes_while_the_server_runs_is_found() -> None:
    models = dict(MODELS)
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        models["checkpoints"] = ["new.safetensors"]
        await finish(provider, make_submission(text_to_image(checkpoint="new.safetensors")))


async def test_a_file_that_went_since_the_lists_were_read_is_reported_as_missing() -> None:
    models = dict(MODELS)
    async with running_standin(models=models) as standin, comfyui_on(standin) as provider:
        models["checkpoints"] = ["sdxl.safetensors"]
        with pytest.raises(JobError, match=r"'sd15\.safetensors' is not in checkpoints \(nearest: sdxl\.safetensors\)"):
            await provider.send(make_submission())
        await until(lambda: provider.workers[0].in_flight == 0)


def tone_of(content: bytes) -> object:
    return Image.open(io.BytesIO(content)).getpixel((0, 0))


async def test_images_are_taken_from_the_socket_where_a_graph_sends_them_there() -> None:
    def draw(_: OutputImages, index: int, texts: object) -> bytes:
        return plain_png(tone=1 + index)

    async with running_standin(draw=draw) as standin, comfyui_on(standin) as provider:
        graph = with_node(text_to_image(), "9", "SaveImageWebsocket", images=["8", 0])
        graph = with_inputs(graph, "5", batch_size=3)
        finished = await finish(provider, make_submission(graph))
        assert [tone_of(content) for content in finished.contents] == [1, 2, 3]
        assert finished.tries == 1


async def test_a_prompt_that_was_never_sent_is_lost() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        with pytest.raises(TransientError, match="knows the prompt"):
            await provider.collect("8fbb987c-c100-4ac4-af1d-fd07ea85a59c")


async def test_the_turn_of_a_prompt_comes_when_it_runs() -> None:
    """It waits in our line, on its way, and in the server's queue."""
    gate, options = Gate(), replace(IMPATIENT, max_in_flight=2)
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin, options=options) as provider:
        running, queued, in_line = (make_submission() for _ in range(3))
        await provider.send(running)
        await until(lambda: is_running(standin, running.prompt_id))
        await provider.send(queued)
        sending = asyncio.create_task(provider.send(in_line))
        await until(lambda: provider.waited_until(in_line.prompt_id) is not None)
        first, moments = provider.waited_until(running.prompt_id), []
        for _ in range(2):
            await asyncio.sleep(0)
            moments.append([provider.waited_until(one.prompt_id) for one in (running, queued, in_line)])
        assert moments[0][0] == moments[1][0] == first
        assert moments[0][1:] < moments[1][1:]
        assert provider.waited_until("nobody's") is None
        sending.cancel()
        gate.open()


async def test_a_cancelled_prompt_that_waits_never_runs() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin, comfyui_on(standin) as provider:
        blocker, submission = make_submission(), make_submission()
        await provider.send(blocker)
        await provider.send(submission)
        await until(lambda: is_pending(standin, submission.prompt_id))
        await provider.cancel(submission.prompt_id)
        assert not is_pending(standin, submission.prompt_id)
        assert is_running(standin, blocker.prompt_id)
        gate.open()
        await provider.collect(blocker.prompt_id)
        assert standin.server.prompt(submission.prompt_id).started == 0


async def test_a_cancelled_prompt_that_runs_is_interrupted() -> None:
    async with running_standin(options=ENDLESS) as standin, comfyui_on(standin) as provider:
        submission = endless_submission()
        await provider.send(submission)
        await until(lambda: is_running(standin, submission.prompt_id))
        await provider.cancel(submission.prompt_id)
        assert standin.server.prompt(submission.prompt_id).outcomes == ["interrupted"]
        assert provider.workers[0].in_flight == 0


async def test_cancelling_leaves_the_prompts_of_others_alone() -> None:
    async with (
        running_standin(options=ENDLESS) as standin,
        comfyui_on(standin) as provider,
        httpx.AsyncClient(base_url=standin.url, timeout=60) as client,
    ):
        await client.post("/prompt", json={"prompt": text_to_image(steps=10_000), "prompt_id": "theirs"})
        await client.post("/prompt", json={"prompt": text_to_image(steps=9_999), "prompt_id": "theirs too"})
        await until(lambda: is_running(standin, "theirs"))
        submission = make_submission()
        await provider.send(submission)
        await provider.cancel(submission.prompt_id)
        await provider.cancel("never heard of")
        assert is_running(standin, "theirs")
        assert is_pending(standin, "theirs too")


async def test_a_prompt_that_somebody_else_interrupts_ends_the_job() -> None:
    async with running_standin(options=ENDLESS) as standin, comfyui_on(standin) as provider:
        submission = endless_submission()
        await provider.send(submission)
        await until(lambda: is_running(standin, submission.prompt_id))
        async with httpx.AsyncClient(base_url=standin.url, timeout=60) as client:
            await client.post("/interrupt", json={})
        with pytest.raises(JobError, match="stopped"):
            await provider.collect(submission.prompt_id)


async def test_closing_leaves_prompts_to_whoever_comes_next() -> None:
    gate = Gate()
    async with running_standin(clock=gate, options=HELD) as standin:
        submission = make_submission()
        async with comfyui_on(standin) as provider:
            await provider.send(submission)
            await until(lambda: is_running(standin, submission.prompt_id))
        gate.open()
        async with comfyui_on(standin) as provider:
            assert (await finish(provider, submission)).tries == 1
        assert standin.server.prompt(submission.prompt_id).accepted == 1

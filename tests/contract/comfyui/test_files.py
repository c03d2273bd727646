"""Files that are gone, come late, or are only on a server that is down are reported in one way."""

from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import JobError, NotStartedError
from civitai_mock.domain.job import JobResource
from civitai_mock.providers.comfyui.options import Timeouts
from tests.support.comfyui import IMPATIENT, TICK, comfyui_on, finish, make_submission, until
from tests.support.standin import MODELS, running_standin
from tests.support.standin_session import text_to_image

CALM = replace(IMPATIENT, timeouts=Timeouts())
RESOURCE = JobResource(air=Air.parse("urn:air:sd1:checkpoint:civitai:4384@128713"), file_name="dreams.safetensors")
GRAPH = text_to_image(checkpoint="dreams.safetensors")
ACCOUNT = (
    "No ComfyUI server can run this graph: 'dreams.safetensors' (urn:air:sd1:checkpoint:civitai:4384@128713) is not in"
    " checkpoints (nearest: dreamer.safetensors)."
)


class OldLists(httpx.AsyncHTTPTransport):
    """Answers every reading of a server's lists with the first one."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[httpx.URL, bytes] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/object_info":
            return await super().handle_async_request(request)
        if request.url not in self._told:
            answer = await super().handle_async_request(request)
            self._told[request.url] = await answer.aread()
        return httpx.Response(200, content=self._told[request.url])


@pytest.mark.parametrize("transport", [OldLists(), None], ids=["lists that are old", "lists that are read again"])
async def test_a_file_that_is_gone_from_the_disk_is_reported_like_any_other(
    transport: httpx.AsyncBaseTransport | None,
) -> None:
    models = {**MODELS, "checkpoints": ["dreams.safetensors", "dreamer.safetensors"]}
    async with (
        running_standin(models=models) as standin,
        comfyui_on(standin, options=CALM, transport=transport) as provider,
    ):
        models["checkpoints"] = ["dreamer.safetensors"]
        with pytest.raises(JobError) as failed:
            await finish(provider, make_submission(GRAPH, resources=[RESOURCE]))
    assert failed.value.message == ACCOUNT
    assert failed.value.evidence["missing"] == [
        {
            "file": "dreams.safetensors",
            "folder": "checkpoints",
            "reason": "absent",
            "nearest": ["dreamer.safetensors"],
            "air": str(RESOURCE.air),
        }
    ]


async def test_a_file_that_a_node_does_not_find_is_reported_like_any_other() -> None:
    models = {**MODELS, "checkpoints": ["dreams.safetensors", "dreamer.safetensors"]}
    async with running_standin(models=models) as standin, comfyui_on(standin, options=CALM) as provider:
        standin.server.faults.set(
            failing_class="CheckpointLoaderSimple",
            failing_times=1,
            failing_type="FileNotFoundError",
            failing_message="Model in folder 'checkpoints' with filename 'dreams.safetensors' not found.",
        )
        with pytest.raises(JobError) as failed:
            await finish(provider, make_submission(GRAPH, resources=[RESOURCE]), most_tries=1)
    assert failed.value.message == ACCOUNT


async def test_a_file_that_one_server_refuses_is_used_on_another() -> None:
    models = {**MODELS, "checkpoints": ["dreams.safetensors"]}
    rich = {**MODELS, "checkpoints": ["dreams.safetensors"]}
    async with (
        running_standin(models=models) as one,
        running_standin(models=rich) as two,
        comfyui_on(one, two, options=CALM, transport=OldLists()) as provider,
    ):
        models["checkpoints"] = []
        finished = await finish(provider, make_submission(GRAPH, resources=[RESOURCE]))
        assert (finished.worker, finished.tries) == (provider.workers[1].id, 1)


async def test_a_file_that_was_added_a_moment_ago_is_found() -> None:
    models = {**MODELS, "checkpoints": ["dreamer.safetensors"]}
    async with running_standin(models=models) as standin, comfyui_on(standin, options=CALM) as provider:
        models["checkpoints"] = ["dreamer.safetensors", "dreams.safetensors"]
        assert (await finish(provider, make_submission(GRAPH, resources=[RESOURCE]))).tries == 1


async def test_a_file_that_is_only_on_a_server_that_is_away_is_waited_for_and_the_log_says_so_once() -> None:
    rich = {**MODELS, "checkpoints": ["dreams.safetensors"]}
    submission = make_submission(GRAPH, resources=[RESOURCE])
    with capture_logs() as logs:
        async with (
            running_standin() as one,
            running_standin(models=rich) as two,
            comfyui_on(one, two, options=replace(CALM, server_wait=10 * TICK)) as provider,
        ):
            two.go_down()
            await until(lambda: not provider.workers[1].ready)
            for _ in range(3):
                with pytest.raises(NotStartedError) as waited:
                    await provider.send(submission)
            await two.come_back()
            await until(lambda: provider.workers[1].ready)
            await provider.send(submission)
            await provider.collect(submission.prompt_id)
    assert "only there may 'dreams.safetensors' (urn:air:sd1:checkpoint:civitai:4384@128713) be" in waited.value.message
    missing = waited.value.evidence["missing"]
    assert isinstance(missing, list)
    assert [(one["reason"], one["servers"]) for one in missing] == [("away", [provider.workers[1].id])]
    told = [log["event"] for log in logs if log["event"].startswith("job ")]
    assert told == ["job waits for a server", "job goes on"]

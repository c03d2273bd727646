"""The ComfyUI provider uploads the images that graphs read."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from civitai_mock.comfyui_standin.state.files import FilePlace
from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.ports import InputFile, Submission
from tests.support.comfyui import HELD, Gate, comfyui_on, finish, is_running, make_submission, until
from tests.support.standin import RunningStandin, plain_png, running_standin
from tests.support.standin_session import text_to_image, with_inputs, with_node

IMAGE = plain_png(tone=7)
DIGEST = hashlib.sha256(IMAGE).hexdigest()[:32]
STORED = FilePlace("input", "civitai-mock", f"{DIGEST}.png")
NAME = "job_source"


def image_graph(*, seed: int = 1, name: str = NAME) -> dict[str, Any]:
    """Return a graph that draws over an image."""
    graph = with_node(text_to_image(seed=seed), "20", "LoadImage", image=name)
    graph = with_node(graph, "21", "VAEEncode", pixels=["20", 0], vae=["4", 2])
    graph.pop("5")
    return with_inputs(graph, "3", latent_image=["21", 0], denoise=0.6)


class Reader:
    """Counts how often an image is read."""

    def __init__(self, content: bytes = IMAGE) -> None:
        self.content = content
        self.times = 0

    async def __call__(self) -> AsyncIterator[bytes]:
        self.times += 1
        half = len(self.content) // 2
        for part in (self.content[:half], self.content[half:]):
            yield part


def image_submission(*, seed: int = 1, reader: Reader | None = None) -> Submission:
    file = InputFile(name=NAME, content_type="image/png", digest=DIGEST, read=reader or Reader())
    return replace(make_submission(image_graph(seed=seed)), files=(file,))


def stored_on(standin: RunningStandin) -> list[FilePlace]:
    files = standin.server.state.files
    return [
        FilePlace("input", folder, name)
        for folder in files.subfolders("input")
        for name in files.names("input", folder)
    ]


def empty_inputs(standin: RunningStandin) -> None:
    standin.server.state.files.clear("input")


def refusing(route: str, status: int, *, times: int = 1) -> httpx.AsyncBaseTransport:
    """Use the real network, except for the first answers of one route."""

    class Refusing(httpx.AsyncHTTPTransport):
        left = times

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == route and self.left:
                self.left -= 1
                return httpx.Response(status)
            return await super().handle_async_request(request)

    return Refusing()


async def test_a_graph_runs_on_the_image_that_was_sent_before_it() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        submission = image_submission()
        receipt = await provider.send(submission)
        assert receipt.graph["20"]["inputs"] == {"image": STORED.path}  # type: ignore[index, call-overload]
        assert (await finish(provider, submission)).tries == 1
        file = standin.server.state.files.get(STORED)
        assert file is not None
        assert file.content == IMAGE


async def test_the_same_image_is_kept_once_however_many_jobs_read_it() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        for seed in range(3):
            await finish(provider, image_submission(seed=seed))
        assert stored_on(standin) == [STORED]


async def test_a_graph_has_the_name_that_the_server_chose() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        files = standin.server.state.files
        files.put(STORED, b"something else", now=standin.server.state.clock.now())
        receipt = await provider.send(image_submission())
        chosen = f"civitai-mock/{DIGEST} (1).png"
        assert receipt.graph["20"]["inputs"] == {"image": chosen}  # type: ignore[index, call-overload]


async def test_an_image_that_the_graph_does_not_read_stays_here() -> None:
    reader = Reader()
    async with running_standin() as standin, comfyui_on(standin) as provider:
        await finish(provider, replace(image_submission(reader=reader), graph=text_to_image(seed=5)))
        assert (stored_on(standin), reader.times) == ([], 0)


async def test_a_prompt_that_the_server_knows_needs_no_second_upload() -> None:
    reader = Reader()
    async with running_standin() as standin:
        submission = image_submission(reader=reader)
        async with comfyui_on(standin) as crashed:
            await crashed.send(submission)
        async with comfyui_on(standin) as provider:
            receipt = await provider.send(submission)
            assert (await finish(provider, submission)).tries == 1
        assert reader.times == 1
        assert receipt.graph["20"]["inputs"] == {"image": STORED.path}  # type: ignore[index, call-overload]


async def test_after_a_lost_server_the_image_goes_to_the_next_one() -> None:
    async with (
        running_standin(clock=Gate(), options=HELD) as one,
        running_standin() as two,
        comfyui_on(one, two) as provider,
    ):
        submission = image_submission()
        await provider.send(submission)
        await until(lambda: is_running(one, submission.prompt_id))
        one.go_down()
        finished = await finish(provider, submission)
        assert finished.worker == provider.workers[1].id
        assert (stored_on(one), stored_on(two)) == ([STORED], [STORED])


async def test_a_server_that_cannot_store_an_image_is_passed_by() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        one.server.faults.set(disk_full=True)
        finished = await finish(provider, image_submission())
        assert (finished.worker, finished.tries) == (provider.workers[1].id, 1)


@pytest.mark.parametrize("status", [400, 413])
async def test_an_image_that_a_server_refuses_ends_the_job_and_leaves_room(status: int) -> None:
    async with (
        running_standin() as standin,
        comfyui_on(standin, transport=refusing("/upload/image", status)) as provider,
    ):
        with pytest.raises(JobError, match=f"refused the image '{DIGEST}.png'"):
            await provider.send(image_submission())
        assert provider.workers[0].in_flight == 0


async def test_an_image_that_was_wiped_before_the_prompt_came_is_sent_again() -> None:
    class Wiping(httpx.AsyncHTTPTransport):
        wiped = False

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/prompt" and not self.wiped:
                self.wiped = True
                empty_inputs(standin)
            return await super().handle_async_request(request)

    async with running_standin() as standin, comfyui_on(standin, transport=Wiping()) as provider:
        submission = image_submission()
        with pytest.raises(TransientError, match="has lost an image"):
            await provider.send(submission)
        assert (await finish(provider, submission)).tries == 1
        assert stored_on(standin) == [STORED]


async def test_an_image_that_the_user_says_is_on_the_server_ends_the_job_if_it_is_not() -> None:
    async with running_standin() as standin, comfyui_on(standin) as provider:
        with pytest.raises(JobError, match=r"Invalid image file: mine\.png"):
            await provider.send(make_submission(image_graph(name="mine.png")))


async def test_a_store_that_fails_is_not_the_servers_fault() -> None:
    async def gone() -> AsyncIterator[bytes]:
        yield b"the first bytes"
        raise TransientError("The store is away.")

    async with running_standin() as standin, comfyui_on(standin) as provider:
        submission = image_submission()
        broken = replace(submission, files=(replace(submission.files[0], read=gone),))
        with pytest.raises(TransientError, match="The store is away"):
            await provider.send(broken)
        assert provider.workers[0].in_flight == 0
        assert (await finish(provider, submission)).tries == 1

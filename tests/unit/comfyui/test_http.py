"""Each answer of a server, or its silence, becomes a value or an error."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.providers.comfyui.address import parse_servers
from civitai_mock.providers.comfyui.options import ComfyOptions, Timeouts
from civitai_mock.providers.comfyui.protocol.messages import SavedFile
from civitai_mock.providers.comfyui.transport.http import ComfyHttp, FileGoneError

(SERVER,) = parse_servers("http://gpu:8188/prefix")
FILE = SavedFile("a b.png", "日本", "output")
QUICK = Timeouts(ordinary=timedelta(milliseconds=20), transfer=timedelta(milliseconds=20))
EMPTY_QUEUE: dict[str, Any] = {"queue_running": [], "queue_pending": []}

Handler = Callable[[httpx.Request], httpx.Response]


def make_http(handler: Handler, *, authorization: str | None = None) -> ComfyHttp:
    return ComfyHttp(SERVER, options=ComfyOptions(authorization=authorization), transport=httpx.MockTransport(handler))


def answering(status: int = 200, **answer: Any) -> Handler:
    return lambda _: httpx.Response(status, **answer)


async def test_the_path_prefix_and_the_authorization_go_with_every_request_and_no_origin() -> None:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=EMPTY_QUEUE)

    async with make_http(handle, authorization="Bearer x") as http:
        await http.queue()
        await http.history("a/b?c")
        await http.delete("p")
        await http.post_prompt({})
    assert [str(request.url) for request in requests] == [
        "http://gpu:8188/prefix/queue",
        "http://gpu:8188/prefix/history/a%2Fb%3Fc",
        "http://gpu:8188/prefix/queue",
        "http://gpu:8188/prefix/prompt",
    ]
    assert {request.headers["authorization"] for request in requests} == {"Bearer x"}
    assert not [request for request in requests if "origin" in request.headers]


async def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the user's would get in between a server and us."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    async with make_http(answering(json={"queue_running": [[1, "p"]], "queue_pending": []})) as http:
        assert await http.queue() == {"p": "running"}


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda http: http.delete("p"), {"delete": ["p"]}),
        (lambda http: http.interrupt("p"), {"prompt_id": "p"}),
        (lambda http: http.delete_history("p"), {"delete": ["p"]}),
    ],
)
async def test_commands_name_the_one_prompt_they_are_about(call: Callable[[ComfyHttp], Any], body: Any) -> None:
    sent: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200)

    async with make_http(handle) as http:
        await call(http)
    assert sent == [body]


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 502, 503])
async def test_an_answer_that_is_no_verdict_may_pass(status: int) -> None:
    async with make_http(answering(status, text="500 Internal Server Error")) as http:
        with pytest.raises(TransientError, match=str(status)):
            await http.post_prompt({})
        with pytest.raises(TransientError, match=str(status)):
            await http.queue()
        with pytest.raises(TransientError, match=str(status)):
            await http.interrupt("p")


@pytest.mark.parametrize(("status", "body"), [(200, "<html>"), (400, "bad gateway"), (200, ""), (200, "[" * 100_000)])
async def test_an_answer_that_is_no_json_may_pass(status: int, body: str) -> None:
    async with make_http(answering(status, text=body)) as http:
        with pytest.raises(TransientError, match="JSON"):
            await http.post_prompt({})


async def test_numbers_that_are_no_json_are_read() -> None:
    body = '{"queue_running": [[NaN, "p", {}, {"x": -Infinity}, []]], "queue_pending": []}'
    async with make_http(answering(text=body)) as http:
        assert await http.queue() == {"p": "running"}


async def test_a_number_that_cannot_be_sent_is_the_graphs_fault() -> None:
    async with make_http(answering(json={})) as http:
        with pytest.raises(JobError, match="number"):
            await http.post_prompt({"prompt": {"1": {"inputs": {"cfg": float("nan")}}}})


async def test_seeds_beyond_double_precision_arrive_as_they_are() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=json.loads(request.content))

    async with make_http(handle) as http:
        assert (await http.post_prompt({"prompt_id": "p", "seed": 2**64 - 1}))["seed"] == 2**64 - 1


async def test_a_graph_that_is_too_large_is_refused() -> None:
    async with make_http(answering(413, text="Maximum request body size 104857600 exceeded.")) as http:
        with pytest.raises(JobError, match="too large"):
            await http.post_prompt({})


async def test_a_graph_that_is_taken_in_part_is_refused() -> None:
    errors = {"9": {"class_type": "SaveImage", "errors": [{"type": "t", "message": "m", "details": "d"}]}}
    async with make_http(answering(json={"prompt_id": "p", "number": 1, "node_errors": errors})) as http:
        with pytest.raises(JobError, match=r"node 9 \(SaveImage\): m: d"):
            await http.post_prompt({})


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("refused"), httpx.RemoteProtocolError("cut"), httpx.ReadError("")]
)
async def test_a_broken_connection_may_pass(fault: httpx.HTTPError) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise fault

    async with make_http(handle) as http:
        with pytest.raises(TransientError, match="gpu:8188/prefix/queue: "):
            await http.queue()


async def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    async def handle(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    http = ComfyHttp(SERVER, options=ComfyOptions(timeouts=QUICK), transport=httpx.MockTransport(handle))
    async with http:
        with pytest.raises(TransientError, match="no answer in time"):
            await http.queue()
        with pytest.raises(TransientError, match="no answer in time"):
            await http.post_prompt({})


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ({"name": "x (1).png", "subfolder": "", "type": "input"}, "x (1).png"),
        ({"name": "x.png", "subfolder": "job1/a", "type": "input"}, "job1/a/x.png"),
    ],
)
async def test_an_uploaded_image_has_the_name_that_the_server_gave_it(stored: dict[str, str], name: str) -> None:
    async with make_http(answering(json=stored)) as http:
        assert await http.upload("x.png", b"bytes", content_type="image/png") == name


async def test_an_upload_that_the_server_refuses_is_the_images_fault() -> None:
    async with make_http(answering(400)) as http:
        with pytest.raises(JobError, match=r"x\.png"):
            await http.upload("x.png", b"bytes", content_type="image/png")


async def test_an_image_is_asked_for_by_its_encoded_parts() -> None:
    urls: list[httpx.URL] = []

    def handle(request: httpx.Request) -> httpx.Response:
        urls.append(request.url)
        return httpx.Response(200, content=b"png")

    async with make_http(handle) as http, http.view(FILE) as response:
        assert await response.aread() == b"png"
    assert dict(urls[0].params) == {"filename": "a b.png", "subfolder": "日本", "type": "output"}


@pytest.mark.parametrize("status", [400, 404, 416])
async def test_an_image_that_is_not_there_is_gone(status: int) -> None:
    async with make_http(answering(status)) as http:
        with pytest.raises(FileGoneError):
            async with http.view(FILE):
                raise AssertionError


async def test_a_server_that_cannot_show_an_image_now_may_do_so_later() -> None:
    async with make_http(answering(500)) as http:
        with pytest.raises(TransientError, match="500") as caught:
            async with http.view(FILE):
                raise AssertionError
    assert not isinstance(caught.value, FileGoneError)


@pytest.mark.parametrize("answer", [{}, {"queue_running": []}, {"queue_running": {}, "queue_pending": []}, [], "x"])
async def test_what_is_no_queue_is_not_an_empty_one(answer: Any) -> None:
    async with make_http(answering(json=answer)) as http:
        with pytest.raises(TransientError, match="gpu:8188/prefix/queue did not answer with a queue"):
            await http.queue()


@pytest.mark.parametrize("answer", [{}, {"prompt_id": ""}, {"detail": "ok"}])
async def test_an_answer_without_the_prompts_id_is_none_of_comfyuis(answer: Any) -> None:
    async with make_http(answering(json=answer)) as http:
        with pytest.raises(TransientError) as caught:
            await http.post_prompt({"prompt_id": "ours"})
    assert caught.value.evidence["status"] == 200


@pytest.mark.parametrize(("place", "is_interrupted"), [("queue_running", True), ("queue_pending", False)])
async def test_a_server_that_names_prompts_itself_is_too_old_and_does_not_run_them(
    place: str, is_interrupted: bool
) -> None:
    posted: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            posted.append(request.url.path.removeprefix("/prefix") + request.content.decode())
        return httpx.Response(200, json=EMPTY_QUEUE | {"prompt_id": "its own", place: [[1, "its own"]]})

    async with make_http(handle) as http:
        with pytest.raises(TransientError, match="does not let prompts be named; its ComfyUI is too old: update it"):
            await http.post_prompt({"prompt_id": "ours"})
    assert posted[1] == '/queue{"delete":["its own"]}'
    assert posted[2:] == (['/interrupt{"prompt_id":"its own"}'] if is_interrupted else [])

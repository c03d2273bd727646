"""Recipes over HTTP: a bare input, a bare output, and an answer that is held until the step is done."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from civitai_mock.domain.stages import Outcome
from civitai_mock.drawing.png import plain_png
from tests.support.asgi import http_scope
from tests.support.event_loop import settle
from tests.support.served_app import Opened, Served, serve_all
from tests.support.v2_description import check_output
from tests.support.v2_workflows import CHECKPOINT, RECIPES, WorkflowClient

PNG = base64.b64encode(plain_png(64, 64, bytes((200, 0, 0)))).decode()
IMAGE: dict[str, Any] = {"prompt": "a fox", "model": CHECKPOINT, "width": 64, "height": 64}


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with serve_all() as running:
        yield running


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("echo", {"message": "hi"}),
        ("textToImage", IMAGE),
        ("imageGen", {"engine": "sdcpp", "ecosystem": "sd1", "operation": "createImage", **IMAGE}),
        ("imageUpload", f"data:image/png;base64,{PNG}"),
    ],
)
async def test_the_answer_is_the_bare_output(opened: Opened, name: str, body: Any) -> None:
    answer = await opened.client.post(f"{RECIPES}/{name}", json=body)
    assert answer.status_code == 200, answer.text
    check_output(name, answer.json())
    blobs = [*answer.json().get("images", []), *([answer.json()["blob"]] if "blob" in answer.json() else [])]
    for blob in blobs:
        assert blob["available"] is True
        content = await opened.client.get(blob["url"], follow_redirects=True)
        assert content.status_code == 200


async def test_the_workflow_of_a_recipe_is_listed_unless_it_is_ephemeral(opened: Opened) -> None:
    client = WorkflowClient(opened.client)
    for query, listed in (("ephemeral=true", 0), ("experimental=true&allowMatureContent=true", 1)):
        answer = await opened.client.post(f"{RECIPES}/textToImage?{query}", json=IMAGE)
        assert answer.status_code == 200
        assert len(await client.ids()) == listed
    (workflow,) = (await client.list())["items"]
    assert (workflow["experimental"], workflow["allowMatureContent"]) == (True, True)


async def test_a_what_if_has_blobs_that_are_not_available_and_stores_nothing(opened: Opened) -> None:
    answer = await opened.client.post(f"{RECIPES}/textToImage?whatif=true", json=IMAGE)
    assert answer.status_code == 200
    check_output("textToImage", answer.json())
    assert [blob["available"] for blob in answer.json()["images"]] == [False]
    assert await WorkflowClient(opened.client).ids() == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("echo", {"message": "hi"}),
        ("wdTagging", {"mediaUrl": "https://media.test/1.png"}),
        ("mediaRating", {"mediaUrl": "https://media.test/1.png"}),
        ("promptEnhancement", {"ecosystem": "sdxl", "prompt": "a fox"}),
        ("videoMetadata", {"video": "https://media.test/1.mp4"}),
        ("modelHash", {"model": CHECKPOINT}),
    ],
)
async def test_a_what_if_has_the_form_of_what_only_the_step_can_find_out(served: Served, name: str, body: Any) -> None:
    answers = [await served.client.post(f"{RECIPES}/{name}?whatif=true", json=body) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        check_output(name, answer.json())
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("name", "body", "path"),
    [
        ("echo", {}, "message"),
        ("echo", {"message": 7}, "$.message"),
        ("echo", [], "$"),
        ("textToImage", {**IMAGE, "steps": 100_000}, "steps"),
        ("textToImage", {**IMAGE, "model": "no AIR"}, "model"),
        ("imageGen", {"engine": "nothing", "prompt": "a"}, "engine"),
        ("imageUpload", {"image": "x"}, "$"),
        ("echo", {"message": {"$ref": "$0", "path": "output"}}, "message"),
        ("echo", {"message": {"$ref": "other", "path": "output"}}, "message"),
    ],
)
async def test_a_bad_input_is_refused_by_its_path(served: Served, name: str, body: Any, path: str) -> None:
    answer = await served.client.post(f"{RECIPES}/{name}", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path]), answer.text


@pytest.mark.parametrize("query", ["whatif=perhaps", "ephemeral=2", "experimental=x", "allowMatureContent=no"])
async def test_a_bad_flag_is_refused(served: Served, query: str) -> None:
    answer = await served.client.post(f"{RECIPES}/echo?{query}", json={"message": "hi"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.partition("=")[0]])


async def test_an_unknown_recipe_is_404_whatever_is_sent(served: Served) -> None:
    for content in (b"", b"{", b"{}"):
        assert (await served.client.post(f"{RECIPES}/nothing", content=content)).status_code == 404


async def test_a_step_that_fails_is_a_400_with_the_reason(served: Served) -> None:
    await served.client.post(f"{RECIPES}/echo?whatif=true", json={"message": "load what is loaded late"})
    waiting = asyncio.create_task(served.client.post(f"{RECIPES}/echo", json={"message": "hi"}))
    await settle()
    claimed = await served.claim()
    failed = claimed.ended(Outcome.FAILED, at=served.clock.now(), context={"reason": "The worker is on fire."})
    assert await served.stores.jobs.replace(claimed, failed)
    served.use_cases.workflows.wait.on_changes([failed])
    answer = await waiting
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json; charset=utf-8")
    assert answer.json()["detail"] == "The worker is on fire."


async def test_what_takes_too_long_is_canceled(served: Served) -> None:
    await served.client.post(f"{RECIPES}/echo?whatif=true", json={"message": "load what is loaded late"})
    waiting = asyncio.create_task(served.client.post(f"{RECIPES}/echo", json={"message": "hi"}))
    await settle()
    assert not waiting.done()
    served.clock.advance(95)
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (504, "recipe_timeout")
    await _check_is_canceled(served)


async def test_who_goes_away_has_the_work_canceled(served: Served) -> None:
    body = b'{"message":"hi"}'
    await served.client.post(f"{RECIPES}/echo?whatif=true", content=body)
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    messages.put_nowait({"type": "http.request", "body": body, "more_body": False})
    scope = http_scope("POST", f"{RECIPES}/echo")
    asking = asyncio.create_task(served.app(scope, messages.get, send))
    await settle()
    messages.put_nowait({"type": "http.disconnect"})
    await asking
    assert sent == []
    await _check_is_canceled(served)


async def _check_is_canceled(served: Served) -> None:
    workflows = await WorkflowClient(served.client).list()
    assert [workflow["status"] for workflow in workflows["items"]] == ["canceled"]
    assert await served.queued() == 0

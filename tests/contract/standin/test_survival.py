"""The stand-in runs the next prompt, whatever a prompt is and whatever goes wrong with it."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.comfyui_standin.state.files import FilePlace
from civitai_mock.comfyui_standin.state.queue import History
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.drawing.drawn_images import draw_as
from civitai_mock.generation.graph_reader.output_images import OutputImages
from civitai_mock.generation.media import ImageContent
from tests.support.comfy_graphs import Graph
from tests.support.dates import START
from tests.support.event_loop import until_found
from tests.support.pixel_graphs import FILES
from tests.support.random_graphs import core_graphs
from tests.support.standin import draw_plain
from tests.support.standin_session import (
    StandinSession,
    last_message,
    standin_session,
    text_to_image,
    with_inputs,
    with_node,
)

FAILURES: Sequence[BaseException] = [
    ZeroDivisionError("division by zero"),
    StopIteration(),
    StopAsyncIteration(),
    RecursionError("maximum recursion depth exceeded"),
    MemoryError(),
    asyncio.CancelledError(),
    concurrent.futures.CancelledError(),
    KeyboardInterrupt(),
    SystemExit(3),
    GeneratorExit(),
    ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
    BaseExceptionGroup("several", [KeyboardInterrupt()]),
    TimeoutError(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
async def test_an_exception_of_the_painter_ends_its_prompt_and_no_other(failure: BaseException) -> None:
    def draw(series: OutputImages, index: int, texts: Mapping[str, str]) -> bytes:
        if "bad" in str(texts):
            raise failure
        return draw_plain(series, index, texts)

    with capture_logs() as logs:
        async with standin_session(draw=draw) as session:
            await session.submit(text_to_image(prefix="bad"), prompt_id="bad")
            assert (await session.run(text_to_image()))["status"]["status_str"] == "success"
            kind, fields = last_message(await session.history("bad"))
            assert (kind, fields["node_id"]) == ("execution_error", "9")
            assert fields["exception_type"].endswith(type(failure).__name__)
            assert session.server.prompt("bad").outcomes == ["error"]
    assert [line["event"] for line in logs] == ["prompt failed"]


async def test_an_exception_after_a_prompt_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    add = History.add

    def forgetful(history: History, prompt_id: str, entry: JsonObject) -> None:
        if prompt_id == "bad":
            raise LookupError(prompt_id)
        add(history, prompt_id, entry)

    monkeypatch.setattr(History, "add", forgetful)
    with capture_logs() as logs:
        async with standin_session() as session:
            await session.submit(text_to_image(), prompt_id="bad")
            await session.listener.until_idle()
            assert (await session.run(text_to_image(seed=2)))["status"]["status_str"] == "success"
    assert [line["event"] for line in logs] == ["prompt lost"]


async def test_an_interrupt_ends_a_prompt_whose_image_is_being_drawn() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def draw(series: OutputImages, index: int, texts: Mapping[str, str]) -> bytes:
        if "endless" in str(texts):
            begun.set()
            go_on.wait(30)
        return draw_plain(series, index, texts)

    async with standin_session(draw=draw) as session:
        try:
            await session.submit(text_to_image(prefix="endless"), prompt_id="endless")
            await asyncio.to_thread(begun.wait, 30)
            await session.client.post("/interrupt", json={"prompt_id": "endless"})
            await session.listener.until_idle()
            assert last_message(await session.history("endless"))[0] == "execution_interrupted"
            assert (await session.run(text_to_image()))["status"]["status_str"] == "success"
        finally:
            go_on.set()


@pytest.mark.parametrize("number", [0, -1.5])
async def test_prompts_of_one_number_and_id_all_run(number: float) -> None:
    async with standin_session() as session:
        session.server.faults.set(stuck=True)
        await session.submit(text_to_image(), prompt_id="first", number=number)
        for seed in range(5):
            await session.post(text_to_image(seed=seed), prompt_id="twin", number=number)
        session.server.faults.clear()
        await until_found(lambda: _is_idle(session))
        assert session.server.prompt("twin").outcomes == ["success"] * 5


async def _is_idle(session: StandinSession) -> bool:
    return await session.queue() == {"running": [], "pending": []}


async def test_a_circle_that_validation_does_not_see_is_an_error() -> None:
    """Validation checks the inputs that a node has; the run order follows all links."""
    async with standin_session() as session:
        graph = with_inputs(text_to_image(), "5", stranger=["3", 0])
        kind, fields = last_message(await session.run(graph))
        assert (kind, fields["exception_type"]) == ("execution_error", "graph.DependencyCycleError")
        assert (await session.run(text_to_image()))["status"]["status_str"] == "success"


def _ending(class_type: str, **inputs: Any) -> dict[str, Any]:
    """Return a graph that ends in this node instead of SaveImage."""
    graph = with_node(text_to_image(), "10", class_type, **inputs)
    return {node_id: node for node_id, node in graph.items() if node_id != "9"}


@pytest.mark.parametrize("previews", [True, False])
@pytest.mark.parametrize(
    "graph",
    [
        _ending("SaveLatent", samples=["3", 0], filename_prefix="latents/x"),
        _ending("PreviewAny", source=["8", 0]),
        with_node(_ending("MaskPreview", mask=["11", 0]), "11", "ImageToMask", image=["8", 0], channel="red"),
    ],
    ids=["SaveLatent", "PreviewAny", "MaskPreview"],
)
async def test_a_graph_without_a_saved_image_comes_to_its_end(graph: dict[str, Any], *, previews: bool) -> None:
    async with standin_session(draw=draw_as(ImageContent.DRAWN), options=StandinOptions(previews=previews)) as session:
        for seed in (1, 2):
            entry = await session.run(with_inputs(graph, "3", seed=seed))
            assert entry["status"]["status_str"] == "success"


FEW_PIXELS = StandinOptions(max_pixels=100_000)


async def _run_all(graphs: Sequence[Graph]) -> None:
    async with standin_session(options=FEW_PIXELS) as session:
        for name, content in FILES.items():
            session.server.state.files.put(FilePlace("input", "", name), content, now=START)
        for graph in graphs:
            answer = await session.post(graph, prompt_id="odd")
            assert answer.status_code in {200, 400}, answer.text
            if answer.status_code == 200:
                async with asyncio.timeout(30):
                    await session.listener.until_idle()
                    assert session.server.prompt("odd").outcomes[-1] in {"success", "error"}
                assert set((await session.history("odd"))["status"]["messages"][-1][1]) >= {"prompt_id", "timestamp"}
        assert (await session.run(text_to_image()))["status"]["status_str"] == "success"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(core_graphs(), min_size=1, max_size=4))
def test_no_graph_of_core_nodes_stops_the_worker(graphs: list[Graph]) -> None:
    asyncio.run(_run_all(graphs))


async def test_a_graph_of_a_thousand_nodes_lets_others_have_their_turn_at_each() -> None:
    """All but the first save the same image under the same name, so that they are found in the cache."""
    turns, count = 0, 1000

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    nodes = {
        str(number): {"class_type": "SaveImage", "inputs": {"images": ["a", 0], "filename_prefix": "x"}}
        for number in range(count)
    }
    image = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
    async with standin_session() as session:
        taking = asyncio.create_task(take_turns())
        entry = await session.run({"a": image, **nodes})
        taking.cancel()
    assert (entry["status"]["status_str"], len(entry["outputs"])) == ("success", count)
    assert turns >= count

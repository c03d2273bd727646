"""Graphs of `comfy` jobs in the simulation: every output node's files, and what is read of stored images."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace

import av
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from civitai_mock.clock import VirtualClock
from civitai_mock.drawing import drawn_images
from civitai_mock.generation.media import ImageContent
from civitai_mock.ports import InputFile
from civitai_mock.providers.simulator import graph_check
from civitai_mock.providers.simulator.graph_check import GraphFailedError, GraphRefusedError
from civitai_mock.providers.simulator.simulator import Simulator
from civitai_mock.providers.simulator.timing import INSTANT
from tests.support.comfy_graphs import Graph, node
from tests.support.dates import START
from tests.support.output_graphs import NAMED, OUTPUT_NODES, SOURCE_NODES, WEBP, input_file
from tests.support.pixel_graphs import FILES, gradient
from tests.support.provider_openers import content, submission
from tests.support.random_graphs import core_graphs


async def made(graph: Graph, *, images: ImageContent = ImageContent.BLANK) -> list[tuple[str, str, bytes]]:
    """Node, type and bytes of each file."""
    files = tuple(input_file(name, data) for name, data in FILES.items())
    async with Simulator(name="local", clock=VirtualClock(START), profile=INSTANT, image_content=images) as simulator:
        await simulator.send(replace(submission("p", graph), files=files))
        items = (await simulator.collect("p")).items
        return [(item.node_id, item.content_type, await content(item, graph)) for item in items]


@pytest.mark.parametrize("name", OUTPUT_NODES)
async def test_an_output_node_makes_its_files(name: str) -> None:
    graph, types = OUTPUT_NODES[name]
    results = await made({**SOURCE_NODES, "x": graph})
    assert [kind for _, kind, _ in results] == types
    for _, kind, data in results:
        assert data
        if kind.startswith("image/"):
            with Image.open(io.BytesIO(data)) as image:
                assert image.mode == "RGB"
        if kind.startswith(("video/", "audio/")):
            with av.open(io.BytesIO(data), "r") as container:
                assert list(container.decode(container.streams[0]))


async def test_an_image_to_image_has_the_size_of_the_stored_image() -> None:
    ((_, _, data),) = await made({**SOURCE_NODES, "x": node("SaveImage", images=["decoded", 0], **NAMED)})
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (192, 320)


async def test_a_stored_image_that_is_saved_again_keeps_its_pixels() -> None:
    ((_, _, data),) = await made({**SOURCE_NODES, "x": node("SaveImage", images=["tall", 0], **NAMED)})
    with Image.open(io.BytesIO(data)) as image:
        assert image.tobytes() == gradient().tobytes()
        assert "LoadImage" in image.info["prompt"]


async def test_previews_count_only_where_nothing_else_was_made() -> None:
    preview, text = node("PreviewImage", images=["decoded", 0]), node("PreviewAny", source=["decoded", 0])
    video = OUTPUT_NODES["SaveWEBM"][0]
    assert [node_id for node_id, _, _ in await made({**SOURCE_NODES, "p": preview, "t": text})] == ["p"]
    assert [node_id for node_id, _, _ in await made({**SOURCE_NODES, "p": preview, "t": text, "v": video})] == ["v"]


def test_images_that_would_not_fit_into_memory_are_refused() -> None:
    large = node("ImageScale", image=["tall", 0], upscale_method="area", width=16384, height=16384, crop="disabled")
    graph = {**SOURCE_NODES, "large": large, "x": node("ImageInvert", image=["large", 0])}
    graph["s"] = node("SaveImage", images=["x", 0], **NAMED)
    with pytest.raises(GraphRefusedError, match="Allocation on device"):
        graph_check.check_graph(graph)


async def test_a_file_that_cannot_be_made_ends_the_job_with_the_reason() -> None:
    odd = node("EmptyImage", width=63, height=33, batch_size=2, color=0)
    movie = node("CreateVideo", images=["odd", 0], fps=10.0)
    graph = {"odd": odd, "movie": movie, "x": node("SaveVideo", video=["movie", 0], filename_prefix="x")}
    with pytest.raises(GraphFailedError, match=r"failed at node x: .*libx264"):
        await made(graph)


@pytest.mark.parametrize("failure", [StopIteration(), KeyboardInterrupt(), RecursionError(), ZeroDivisionError("a")])
async def test_whatever_a_painter_raises_ends_its_job(failure: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise failure

    monkeypatch.setattr(drawn_images, "draw", broken)
    animation = node("SaveAnimatedWEBP", images=["decoded", 0], **WEBP, **NAMED)
    with pytest.raises(GraphFailedError, match=type(failure).__name__):
        await made({**SOURCE_NODES, "x": animation})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(core_graphs())
async def test_any_graph_of_core_nodes_comes_to_its_end(graph: Graph) -> None:
    """A graph that is refused, or fails as it would in ComfyUI, ends only its own job."""
    try:
        results = await made(graph)
    except (GraphRefusedError, GraphFailedError):
        return
    assert all(data for _, _, data in results)


async def test_a_stored_image_is_read_only_where_its_pixels_count() -> None:
    reads: list[str] = []

    def counted(name: str, data: bytes) -> InputFile:
        file = input_file(name, data)

        def read() -> AsyncIterator[bytes]:
            reads.append(name)
            return file.read()

        return replace(file, read=read)

    graph = {**SOURCE_NODES, "d": node("SaveImage", images=["decoded", 0]), "t": node("SaveImage", images=["tall", 0])}
    files = (counted("tall.png", FILES["tall.png"]),)
    async with Simulator(
        name="local", clock=VirtualClock(START), profile=INSTANT, image_content=ImageContent.BLANK
    ) as simulator:
        await simulator.send(replace(submission("p", graph), files=files))
        sizes = [len(await content(item, graph)) for item in (await simulator.collect("p")).items]
    assert all(sizes)
    assert reads == ["tall.png"] * 2  # to know its size, and to save it again

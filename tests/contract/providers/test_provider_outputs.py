"""The same graph has the same results in the simulation and on a ComfyUI: nodes, types, sizes."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image

from civitai_mock.generation.graph_reader.nodes import Nodes
from civitai_mock.ports import Output, Provider, UndrawnOutput
from tests.support.comfy_graphs import Graph
from tests.support.comfyui import comfyui_on, make_submission
from tests.support.output_graphs import OUTPUT_NODES, SOURCE_NODES, input_file
from tests.support.pixel_graphs import FILES
from tests.support.provider_openers import content, draw_simulated, open_simulator
from tests.support.standin import running_standin


async def described(item: Output | UndrawnOutput, graph: Graph) -> tuple[str, str, object]:
    """An animation by its frames; of other files there is no more to compare."""
    data = await content(item, graph)
    if not item.content_type.startswith("image/"):
        return item.node_id, item.content_type, len(data) > 0
    with Image.open(io.BytesIO(data)) as image:
        return item.node_id, item.content_type, (image.mode, image.size, getattr(image, "n_frames", 1))


async def results(provider: Provider, graph: Graph) -> Sequence[object]:
    loaded = {str(entry["inputs"]["image"]) for entry in graph.values() if entry["class_type"] == "LoadImage"}
    files = tuple(input_file(name, FILES[name]) for name in sorted(loaded))
    submission = replace(make_submission(graph), files=files)
    await provider.send(submission)
    return [await described(item, graph) for item in (await provider.collect(submission.prompt_id)).items]


def needed(graph: Graph) -> Graph:
    """Return what the node `x` needs."""
    return {node_id: graph[node_id] for node_id in Nodes(graph).upstream("x")}


@pytest.mark.parametrize(
    "name", sorted(OUTPUT_NODES.keys() - {"SaveGLB"})
)  # the simulation does not check types of links
async def test_the_simulator_and_comfyui_return_the_same_files(name: str) -> None:
    graph = needed({**SOURCE_NODES, "x": OUTPUT_NODES[name][0]})
    async with open_simulator(slow=False) as simulator:
        simulated = await results(simulator, graph)
    async with running_standin(draw=draw_simulated) as standin, comfyui_on(standin) as comfyui:
        assert await results(comfyui, graph) == simulated
    assert [one[1] for one in simulated if isinstance(one, tuple)] == OUTPUT_NODES[name][1]


PREVIEW: Graph = {"class_type": "PreviewImage", "inputs": {"images": ["image", 0]}}


@pytest.mark.parametrize("is_saved", [True, False])
async def test_previews_come_beside_what_is_saved_or_in_its_place(is_saved: bool) -> None:
    source = {"image": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 2, "color": 0}}}
    save: Graph = {"1": {"class_type": "SaveImage", "inputs": {"images": ["image", 0], "filename_prefix": "x"}}}
    submission = make_submission({**source, "2": PREVIEW, **(save if is_saved else {})})
    async with (
        open_simulator(slow=False) as simulator,
        running_standin(draw=draw_simulated) as standin,
        comfyui_on(standin) as comfyui,
    ):
        for provider in (simulator, comfyui):
            await provider.send(submission)
            made = await provider.collect(submission.prompt_id)
            assert [item.node_id for item in made.items] == (["1", "1"] if is_saved else ["2", "2"])
            assert [item.node_id for item in made.previews] == (["2", "2"] if is_saved else [])

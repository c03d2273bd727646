"""Nodes that run on the stand-in: how many steps a sampler does."""

from typing import Any

from civitai_mock.comfyui_standin.execution.nodes import step_count
from civitai_mock.generation.graph_reader.nodes import Nodes
from tests.support.standin_session import text_to_image, with_inputs, with_node
from tests.support.table import table

SIGMAS = with_node(text_to_image(), "10", "BasicScheduler", scheduler="simple", steps=4, denoise=1.0, model=["4", 0])
CUSTOM = with_node(with_node(SIGMAS, "11", "SplitSigmas", sigmas=["10", 0], step=2), "3", "SamplerCustomAdvanced")


@table(
    ("graph", "steps"),
    [
        (text_to_image(steps=7), 7),
        (with_inputs(text_to_image(), "3", denoise=0.0), 0),
        (with_inputs(text_to_image(), "3", denoise=0.5, steps=10), 10),
        (with_inputs(text_to_image(), "3", steps=25, start_at_step=20, end_at_step=10000), 5),
        (with_inputs(text_to_image(), "3", steps=25, start_at_step=0, end_at_step=20), 20),
        (with_inputs(text_to_image(), "3", steps=25, start_at_step=30, end_at_step=40), 0),
        (with_inputs(CUSTOM, "3", sigmas=["10", 0]), 4),
        (with_inputs(CUSTOM, "3", sigmas=["11", 0]), 4),
        (with_inputs(CUSTOM, "3", sigmas=["5", 0]), 20),
    ],
)
def test_steps_are_read_from_the_graph(graph: Any, steps: int) -> None:
    assert step_count(Nodes(graph), "3") == steps

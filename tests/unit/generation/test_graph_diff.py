"""Differences of graphs, by their places."""

from typing import Any

from civitai_mock.generation.graph_diff import GraphChange, graph_changes
from tests.support.table import table

SAMPLER = {"class_type": "KSampler", "inputs": {"seed": 7, "model": ["1", 0]}, "_meta": {}}
LOADER = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}}


@table(
    ("before", "after", "changes"),
    [
        ({}, {}, []),
        ({"1": LOADER, "2": SAMPLER}, {"2": SAMPLER, "1": LOADER}, []),
        ({"2": SAMPLER}, {"2": SAMPLER | {"_meta": {"title": "other"}}}, []),
        ({"1": LOADER}, {}, [("1", LOADER, None)]),
        ({}, {"1": LOADER}, [("1", None, LOADER)]),
        (
            {"2": SAMPLER},
            {"2": SAMPLER | {"inputs": {"seed": 8, "model": ["1", 1], "steps": 3}}},
            [("2.inputs.seed", 7, 8), ("2.inputs.model", ["1", 0], ["1", 1]), ("2.inputs.steps", None, 3)],
        ),
        ({"2": {"class_type": "A", "inputs": {}}}, {"2": {"class_type": "B"}}, [("2.class_type", "A", "B")]),
        ({"2": {"inputs": {"x": None}}}, {"2": {"inputs": {}}}, [("2.inputs.x", None, None)]),
    ],
)
def test_what_differs_is_told_by_its_place(before: Any, after: Any, changes: list[tuple[str, Any, Any]]) -> None:
    expected = [GraphChange(path=path, before=old, after=new) for path, old, new in changes]
    assert list(graph_changes(before, after)) == expected

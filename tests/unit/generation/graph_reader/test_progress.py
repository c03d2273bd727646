"""The fraction of a whole graph that is done, from the steps of one node."""

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.graph_reader.progress import fraction_done
from tests.support.table import table


def sampler(steps: Json, latent: str | None = None, **inputs: Json) -> JsonObject:
    link: JsonObject = {} if latent is None else {"latent_image": [latent, 0]}
    return {"class_type": "KSampler", "inputs": {"steps": steps, **link, **inputs}}


def custom_sampler(latent: str, sigmas: str) -> JsonObject:
    return {"class_type": "SamplerCustomAdvanced", "inputs": {"latent_image": [latent, 0], "sigmas": [sigmas, 0]}}


def schedule(steps: int) -> JsonObject:
    return {"class_type": "BasicScheduler", "inputs": {"steps": steps, "model": ["12", 0]}}


def decode(samples: str) -> JsonObject:
    return {"class_type": "VAEDecode", "inputs": {"samples": [samples, 0]}}


CHAIN: JsonObject = {"3": sampler(20), "4": decode("3"), "5": sampler(10, "4"), "6": decode("5")}
SIDES: JsonObject = {"3": sampler(20), "5": sampler(10)}
PARTS: JsonObject = {"3": sampler(20, end_at_step=16), "5": sampler(20, "3", start_at_step=16, end_at_step=10_000)}
LINKED: JsonObject = {
    "2": {"class_type": "PrimitiveInt", "inputs": {"value": 20}},
    "3": sampler(["2", 0]),
    "5": sampler(10, "3"),
}
LOOP: JsonObject = {"3": sampler(20, "5"), "5": sampler(20, "3")}

CUSTOM: JsonObject = {
    "1": schedule(20),
    "3": custom_sampler("2", "1"),
    "4": schedule(10),
    "5": custom_sampler("3", "4"),
}


@table(
    ("graph", "node_id", "step", "steps", "expected"),
    [
        ({"3": sampler(20)}, "3", 5, 20, 0.25),
        (CHAIN, "3", 10, 20, 0.3333),
        (CHAIN, "5", 5, 10, 0.8333),
        (CHAIN, "5", 10, 10, 1.0),
        (PARTS, "3", 16, 16, 0.8),
        (PARTS, "5", 2, 4, 0.9),
        (CUSTOM, "3", 10, 20, 0.3333),
        (CUSTOM, "5", 5, 10, 0.8333),
        (LINKED, "5", 5, 10, 0.8333),
        (SIDES, "5", 5, 10, 0.5),
        (LOOP, "5", 5, 10, 0.5),
        (CHAIN, "6", 1, 4, 0.25),
        (CHAIN, "99:1", 1, 4, 0.25),
        ({"3": sampler(["8", 0])}, "3", 5, 20, 0.25),
        ({"3": sampler(20)}, "3", 30, 20, 1.0),
        ({"3": sampler(20)}, "3", 1, 0, 0.0),
        ({"3": "no node"}, "3", 1, 2, 0.5),
    ],
)
def test_the_fraction_is_of_all_samplers_if_they_are_a_chain_else_of_the_node(
    graph: JsonObject, node_id: str, step: int, steps: int, expected: float
) -> None:
    assert fraction_done(graph, node_id, step=step, steps=steps) == expected

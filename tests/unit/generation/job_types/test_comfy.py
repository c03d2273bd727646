"""`comfy`: what users' own graphs ask for, cost and load."""

from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE, parse_template
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.user_graph import MAX_IMAGES, graph_cost, seed_above
from civitai_mock.generation.work import GraphWork, InputImage
from tests.support.comfy_graphs import RECORDED, load_graph, node, recorded_graph, text_to_image
from tests.support.generation import graph_of, make_found, plan, planned_job, references_of, work_of
from tests.support.golden import Golden
from tests.support.paths import DATA
from tests.support.table import table

CHECKPOINT = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:82098@87153"
URL = "https://images.example/fox.png"
KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
VAE = "URN:AIR:sd1:VAE:civitai:1@2"


def comfy(workflow: Json) -> JsonObject:
    return {"$type": "comfy", "params": {"workflow": workflow}}


def with_airs() -> dict[str, Any]:
    graph = text_to_image(model=CHECKPOINT)
    graph["10"] = node("LoraLoader", lora_name=LORA, strength_model=1, model=["4", 0], clip=["4", 1])
    graph["11"] = node("VAELoader", vae_name=VAE)
    return graph


@table("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_graph_is_sent_as_it_is(path: Any) -> None:
    graph = load_graph(path)
    assert graph_of(comfy(graph)) == graph


def test_airs_are_references_by_their_path() -> None:
    assert references_of(comfy(with_airs())) == {
        "params.workflow.4.inputs.ckpt_name": CHECKPOINT,
        "params.workflow.10.inputs.lora_name": LORA,
        "params.workflow.11.inputs.vae_name": VAE,
    }


def test_airs_are_replaced_by_the_names_of_their_files(golden: Golden) -> None:
    """Of the resource where it has one, by the path rule otherwise."""
    graph = graph_of(comfy(with_airs()), {LORA: make_found(LORA, fileName="detail.safetensors")})
    golden.check_json(DATA / "golden" / "comfy" / "airs.json", graph)


@pytest.mark.parametrize(
    "text", [f"{CHECKPOINT} in snow", CHECKPOINT, "urn:air:sd1:lora:civitai:1@999999999", "URN:AIR:!?", "urn:air:../.."]
)
def test_a_prompt_is_text_even_if_it_is_an_air(text: str) -> None:
    graph = text_to_image(prompt_text=text)
    assert references_of(comfy(graph)) == {}
    assert graph_of(comfy(graph)) == graph


def test_a_resource_that_is_named_twice_is_one_resource_of_the_job() -> None:
    graph = with_airs()
    graph["12"] = node("CheckpointLoaderSimple", ckpt_name=CHECKPOINT.upper())
    assert len(plan(comfy(graph)).resources) == 3


def test_the_detailed_job_shows_the_graph_as_it_was_sent() -> None:
    job = planned_job(comfy(with_airs()))
    assert JOB_TYPES_BY_TYPE["Comfy"].describe(job) == {"params": {"workflow": with_airs()}}


def loading(*sources: Json, class_type: str = "LoadImage") -> dict[str, Any]:
    """A graph that has a node for each source."""
    loaders = {f"1{number}": node(class_type, image=source) for number, source in enumerate(sources)}
    return {**text_to_image(), **loaders}


def work(graph: dict[str, Any]) -> GraphWork:
    todo = work_of(comfy(graph))
    assert isinstance(todo, GraphWork)
    return todo


def test_urls_and_blobs_are_loaded_under_names_of_the_job() -> None:
    graph = loading(URL, KEY, "input.png", URL, KEY.lower(), "HTTPS://images.example/boat.png")
    todo, name = work(graph), f"{planned_job(comfy(graph)).id}_image_"
    assert todo.images == (
        InputImage(name=f"{name}0", url=URL),
        InputImage(name=f"{name}1", blob_key=KEY),
        InputImage(name=f"{name}2", url="HTTPS://images.example/boat.png"),
    )
    loaded: Any = [todo.graph[f"1{number}"]["inputs"] for number in range(6)]
    assert [inputs["image"] for inputs in loaded] == [
        f"{name}0", f"{name}1", "input.png", f"{name}0", f"{name}1", f"{name}2"
    ]  # fmt: skip


@pytest.mark.parametrize("class_type", ["LoadImage", "LoadImageMask", "LoadImageOutput", "LoadImage //Inspire"])
def test_every_node_that_loads_images_may_load_a_url(class_type: str) -> None:
    assert work(loading(URL, class_type=class_type)).images[0].url == URL


@table(
    "other",
    [
        node("LoadImageFromUrl", image=URL),
        node("ImageLoader", image=URL),
        node("LoadAudio", audio=URL),
        node("LoadImage", image="fox.png", caption=URL),
        node("LoadImage", image=KEY[1:]),
        node("LoadImage", image="ftp://images.example/fox.png"),
        node("LoadImage", image=["9", 0]),
        node("LoadImage", image={"url": URL}),
        node("LoadImage"),
        node("CLIPTextEncode", text=URL, image=KEY),
    ],
    ids=str,
)
def test_what_loads_no_image_by_its_name_stays_as_it_is(other: Any) -> None:
    graph = {**text_to_image(), "20": other}
    todo = work(graph)
    assert (todo.graph, todo.images) == (graph, ())


def test_an_image_and_an_air_in_one_graph_are_both_found() -> None:
    graph = {**with_airs(), "20": {**node("LoadImageMask", image=URL, channel="red"), "_meta": {"title": "mask"}}}
    done: Any = work(graph).graph
    assert done["4"]["inputs"]["ckpt_name"] == "sd1/civitai/4384/128713.safetensors"
    name = f"{planned_job(comfy(graph)).id}_image_0"
    assert done["20"] == {**node("LoadImageMask", image=name, channel="red"), "_meta": {"title": "mask"}}


def test_the_detailed_job_shows_images_as_they_were_sent() -> None:
    job = planned_job(comfy(loading(URL, KEY)))
    assert JOB_TYPES_BY_TYPE["Comfy"].describe(job) == {"params": {"workflow": loading(URL, KEY)}}


def test_a_graph_loads_only_so_many_images() -> None:
    urls = [f"https://images.example/{number}.png" for number in range(MAX_IMAGES)]
    assert len(work(loading(*urls, urls[0])).images) == MAX_IMAGES
    with pytest.raises(InvalidRequestError) as caught:
        parse_template(comfy(loading(*urls, URL)))
    assert list(caught.value.errors) == ["params.workflow"]


@pytest.mark.parametrize("bad", ["http://", "https:///fox.png", "http://[::1/fox.png", "https://x/a\nb", "http://x:0/"])
def test_a_url_that_cannot_be_fetched_is_a_fault_at_its_path(bad: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_template(comfy(loading(bad, URL, bad)))
    assert list(caught.value.errors) == [f"params.workflow.{node_id}.inputs.image" for node_id in ("10", "12")]


@table(
    ("workflow", "path"),
    [
        (None, "params.workflow"),
        ({}, "params.workflow"),
        ("graph.json", "params.workflow"),
        ([], "params.workflow"),
        ({"3": 5}, "params.workflow.3"),
        ({"3": {"inputs": {}}}, "params.workflow.3.class_type"),
        ({"3": {"class_type": "", "inputs": {}}}, "params.workflow.3.class_type"),
        ({"3": {"class_type": "KSampler"}}, "params.workflow.3.inputs"),
        ({"3": {"class_type": "KSampler", "inputs": []}}, "params.workflow.3.inputs"),
        ({"4": node("X", ckpt_name="urn:air:sd1:checkpoint:civitai:1@?")}, "params.workflow.4.inputs.ckpt_name"),
        ({"4": node("X", ckpt_name="urn:air:sd1:checkpoint:civitai:../x@1")}, "params.workflow.4.inputs.ckpt_name"),
    ],
)
def test_a_fault_is_reported_at_its_path(workflow: Json, path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_template(comfy(workflow))
    assert list(caught.value.errors) == [path]


def test_a_workflow_of_the_editor_is_refused_with_advice() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_template(comfy({"last_node_id": 9, "nodes": [{"id": 3, "type": "KSampler"}], "links": []}))
    (message,) = caught.value.errors["params.workflow"]
    assert "Export (API)" in message


@pytest.mark.parametrize(
    ("graph", "cost"),
    [
        (text_to_image(width=768, height=512, steps=20), 0.9600000000000002),
        (text_to_image(width=832, height=1216, steps=35, batch=2), 2 * 4.3225),
        (recorded_graph("upscale_with_model"), 0),
        ({"3": node("KSampler", steps=50)}, 1.6),
        ({"3": node("KSampler", steps="many", latent_image=["5", 0]), "5": node("X", width="512", height=True)}, 0),
    ],
)
def test_the_cost_follows_from_what_can_be_read_of_the_graph(graph: Any, cost: float) -> None:
    assert graph_cost(graph) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("graph", "cost"), [(text_to_image(), 1), (text_to_image(width=832, height=1216, steps=35), 4.3225)]
)
def test_a_graph_costs_at_least_one_buzz(graph: Any, cost: float) -> None:
    assert plan(comfy(graph)).cost == pytest.approx(cost)


def test_the_cost_of_a_graph_without_reason_is_within_reason() -> None:
    assert graph_cost(text_to_image(width=10**30, height=10**30, steps=10**30, batch=10**30)) < 1e13


@pytest.mark.parametrize(
    ("name", "output", "seed"),
    [("sd1_txt2img", "9", 42), ("upscale_with_model", "9", None), ("sd1_txt2img", "no such node", None)],
)
def test_the_seed_of_an_output_is_that_of_the_nearest_sampler(name: str, output: str, seed: int | None) -> None:
    assert seed_above(recorded_graph(name), output) == seed


@pytest.mark.parametrize("seed", [2**63, -1, True, "7", 7.0, None])
def test_a_value_that_is_not_a_seed_is_left_out(seed: Any) -> None:
    assert seed_above({"9": node("SaveImage", seed=seed)}, "9") is None

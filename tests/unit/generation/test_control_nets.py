"""`controlNets` of `textToImage`: what is read, stored and shown, and what the work of such a job is."""

from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import JOB_TYPES_BY_TYPE
from civitai_mock.api.v1.job_types.control_nets import MAX_CONTROL_NETS
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.control_nets.preprocessors import RECIPES
from civitai_mock.generation.control_nets.resources import BEST_KNOWN
from civitai_mock.generation.work import GraphWork, InputImage
from tests.support.generation import MODELS, graph_of, make_found, plan, planned_job, references_of, spec_of, work_of
from tests.support.graph_check import EVERY_NODE, NODES, faults
from tests.support.table import table

URL = "https://images.example/fox.png"
KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
MODEL = "urn:air:sd1:controlnet:civitai:38784@44716"
LORA = "urn:air:sd1:lora:civitai:82098@87153"


def net(**members: Json) -> JsonObject:
    """One that works; a member that is None is left out."""
    given: JsonObject = {"preprocessor": "Canny", "imageUrl": URL, **members}
    return {name: value for name, value in given.items() if value is not None}


def template(*control_nets: Json, ecosystem: str = "sd1") -> JsonObject:
    return {"model": MODELS[ecosystem], "params": {"prompt": "a fox"}, "controlNets": list(control_nets)}


def errors_of(template: JsonObject, found: dict[str, Resource] | None = None) -> dict[str, list[str]]:
    with pytest.raises(InvalidRequestError) as caught:
        plan(template, found)
    return caught.value.errors


def stored(*control_nets: Json, **found: Resource) -> Any:
    return spec_of(template(*control_nets), found)["controlNets"]


def work(*control_nets: Json, ecosystem: str = "sd1") -> GraphWork:
    todo = work_of(template(*control_nets, ecosystem=ecosystem))
    assert isinstance(todo, GraphWork)
    return todo


def control_net_roles(todo: GraphWork) -> list[str]:
    """The parts that a model plays are not of interest here."""
    known = {name for of_ecosystem in BEST_KNOWN.values() for name in of_ecosystem.values()}
    return [role.name for role in todo.roles if role.name in known]


def classes(graph: Any) -> list[str]:
    return [node["class_type"] for node in graph.values()]


def test_what_is_left_out_is_stored_complete() -> None:
    assert stored(net()) == [{"preprocessor": "Canny", "weight": 1, "startStep": 0, "endStep": 1, "imageUrl": URL}]


def test_what_is_given_is_stored_as_it_is() -> None:
    given = net(weight=0, startStep=0.25, endStep=0.75, imageUrl=None, blobKey=KEY, model=MODEL)
    assert stored(given) == [given]


@pytest.mark.parametrize("name", ["depthzoe", "DEPTHZOE", "depthZoe", "DepthZoe"])
def test_a_preprocessor_is_known_in_any_case_and_stored_in_the_official_one(name: str) -> None:
    assert stored(net(preprocessor=name))[0]["preprocessor"] == "DepthZoe"


@pytest.mark.parametrize("member", ["weight", "startStep", "endStep", "blobKey", "model"])
def test_null_is_as_good_as_absent(member: str) -> None:
    assert spec_of(template({**net(), member: None})) == spec_of(template(net()))


BAD: dict[str, tuple[Json, str]] = {
    "no object": (5, "controlNets[0]"),
    "no preprocessor": (net(preprocessor=None), "controlNets[0].preprocessor"),
    "an unknown preprocessor": (net(preprocessor="OpenPose"), "controlNets[0].preprocessor"),
    "a preprocessor as number": (net(preprocessor=5), "controlNets[0].preprocessor"),
    "a negative weight": (net(weight=-0.1), "controlNets[0].weight"),
    "a weight beyond ComfyUI's": (net(weight=10.1), "controlNets[0].weight"),
    "a weight as text": (net(weight="1"), "controlNets[0].weight"),
    "a number of steps": (net(startStep=5), "controlNets[0].startStep"),
    "an end after the end": (net(endStep=20), "controlNets[0].endStep"),
    "a start before the start": (net(startStep=-0.1), "controlNets[0].startStep"),
    "a start as text": (net(startStep="0"), "controlNets[0].startStep"),
    "a start at the end": (net(startStep=0.5, endStep=0.5), "controlNets[0]"),
    "a start at the end of all": (net(startStep=1), "controlNets[0]"),
    "an end at the start of all": (net(endStep=0), "controlNets[0]"),
    "no image": (net(imageUrl=None), "controlNets[0]"),
    "two images": (net(blobKey=KEY), "controlNets[0]"),
    "a key that climbs": (net(imageUrl=None, blobKey="../x"), "controlNets[0].blobKey"),
    "an image that is no URL": (net(imageUrl="fox.png"), "controlNets[0].imageUrl"),
    "an image in a local file": (net(imageUrl="file:///etc/passwd"), "controlNets[0].imageUrl"),
    "an image in the URL itself": (net(imageUrl="data:image/png;base64,AAAA"), "controlNets[0].imageUrl"),
    "a URL without host": (net(imageUrl="https:///fox.png"), "controlNets[0].imageUrl"),
    "a URL with a broken host": (net(imageUrl="https://[::1/fox.png"), "controlNets[0].imageUrl"),
    "a URL with a broken port": (net(imageUrl="https://x:99999/fox.png"), "controlNets[0].imageUrl"),
    "a URL with a line break": (net(imageUrl="https://x/fox\n.png"), "controlNets[0].imageUrl"),
    "a URL without end": (net(imageUrl="https://x/" + "x" * 2048), "controlNets[0].imageUrl"),
    "a model that is no AIR": (net(model="canny"), "controlNets[0].model"),
    "a model that is none": (net(model=LORA), "controlNets[0].model"),
    "a model of another ecosystem": (net(model=MODEL.replace("sd1", "pony")), "controlNets[0].model"),
}


@table(("bad", "path"), BAD.values(), ids=BAD.keys())
def test_a_fault_is_reported_at_its_path(bad: Json, path: str) -> None:
    assert list(errors_of(template(bad))) == [path]
    assert list(errors_of(template(net(), bad))) == [path.replace("[0]", "[1]")]


@pytest.mark.parametrize("bad", [net(startStep=5), net(endStep=1.5), net(startStep=0.5, endStep=0.25)])
def test_a_number_of_steps_is_refused_with_an_example_of_a_fraction(bad: JsonObject) -> None:
    ((message,),) = errors_of(template(bad)).values()
    assert "fraction" in message


def test_an_unknown_preprocessor_is_refused_with_the_known_ones() -> None:
    ((message,),) = errors_of(template(net(preprocessor="OpenPose"))).values()
    assert all(name in message for name in RECIPES)


def test_there_can_be_only_so_many() -> None:
    assert len(stored(*[net()] * MAX_CONTROL_NETS)) == MAX_CONTROL_NETS
    assert list(errors_of(template(*[net()] * (MAX_CONTROL_NETS + 1)))) == ["controlNets"]


def test_a_model_is_a_reference_and_a_resource_of_the_job() -> None:
    request = template(net(), net(model=MODEL), net(model=MODEL))
    assert references_of(request) == {
        "model": MODELS["sd1"],
        "controlNets[1].model": MODEL,
        "controlNets[2].model": MODEL,
    }
    assert [str(resource.air) for resource in plan(request).resources] == [MODELS["sd1"], MODEL]


def test_a_model_in_another_spelling_is_the_same_resource() -> None:
    nets = stored(net(model=MODEL), net(model=MODEL.upper()))
    assert [one["model"] for one in nets] == [MODEL, MODEL]


def test_a_resource_that_does_not_say_what_it_is_may_be_a_control_net() -> None:
    found = {"civitai:5@6": make_found("civitai:5@6")}
    assert stored(net(model="civitai:5@6"), **found)[0]["model"] == "urn:air:civitai:5@6"


def test_control_nets_cost_nothing() -> None:
    assert plan(template(net(), net())).cost == plan(template()).cost


def test_a_detailed_job_shows_them_complete_with_compressed_airs() -> None:
    job = planned_job(template(net(blobKey=KEY, imageUrl=None), net(model=MODEL, weight=0.5)))
    assert JOB_TYPES_BY_TYPE[job.type].describe(job)["controlNets"] == [
        {"preprocessor": "Canny", "weight": 1, "startStep": 0, "endStep": 1, "blobKey": KEY},
        {
            "preprocessor": "Canny",
            "weight": 0.5,
            "startStep": 0,
            "endStep": 1,
            "imageUrl": URL,
            "model": "@civitai/44716",
        },
    ]


def test_a_job_that_was_stored_without_them_has_none() -> None:
    job = planned_job(template())
    older = {name: value for name, value in job.spec.items() if name != "controlNets"}
    assert JOB_TYPES_BY_TYPE[job.type].describe(replace(job, spec=older))["controlNets"] == []


def test_each_image_is_loaded_once_under_a_name_of_the_job() -> None:
    other = "https://images.example/boat.png"
    todo = work(net(), net(imageUrl=None, blobKey=KEY), net(), net(imageUrl=other))
    name = planned_job(template()).id + "_control_"
    assert todo.images == (
        InputImage(name=f"{name}0", url=URL),
        InputImage(name=f"{name}1", blob_key=KEY),
        InputImage(name=f"{name}2", url=other),
    )
    assert [node["inputs"]["image"] for node in load_nodes(todo)] == [f"{name}{number}" for number in range(3)]


def load_nodes(todo: GraphWork) -> list[Any]:
    return [node for node in todo.graph.values() if node["class_type"] == "LoadImage"]


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [
        ("sd1", "control_v11p_sd15_canny.pth"),
        ("sdxl", "diffusers_xl_canny_full.safetensors"),
        ("flux1", "flux-canny-controlnet-v3.safetensors"),
    ],
)
def test_without_a_model_any_file_of_the_server_will_do_that_plays_the_role(ecosystem: str, name: str) -> None:
    todo = work(net(), net(weight=0.5), ecosystem=ecosystem)
    loaders: Any = [node for node in todo.graph.values() if node["class_type"] == "ControlNetLoader"]
    assert control_net_roles(todo) == [node["inputs"]["control_net_name"] for node in loaders] == [name]


def test_a_model_is_a_file_and_no_role() -> None:
    todo = work_of(template(net(model=MODEL)), {MODEL: make_found(MODEL, fileName="mine.pth")})
    assert isinstance(todo, GraphWork)
    assert (control_net_roles(todo), "mine.pth" in str(todo.graph)) == ([], True)


def test_without_control_nets_there_is_one_graph_without_images() -> None:
    todo = work()
    assert (todo.alternatives, todo.images, control_net_roles(todo)) == ((), (), [])


@pytest.mark.parametrize("preprocessor", ["Canny", "DepthZoe", "SoftedgePidinet"])
def test_what_one_node_pack_can_do_makes_one_graph(preprocessor: str) -> None:
    assert work(net(preprocessor=preprocessor)).alternatives == ()


def test_what_two_node_packs_can_do_makes_a_graph_for_each() -> None:
    todo = work(net(preprocessor="Rembg"), net(), net(preprocessor="Rembg"))
    graphs = (todo.graph, *todo.alternatives)
    custom = [[name for name in classes(graph) if name not in NODES] for graph in graphs]
    assert custom == [["Image Rembg (Remove Background)"], ["Image Remove Background (rembg)"]]
    assert [faults(graph, EVERY_NODE) for graph in graphs] == [[], []]


def test_a_cut_out_reaches_the_control_net_without_its_alpha_channel() -> None:
    (graph,) = work(net(preprocessor="Rembg")).alternatives
    apply: Any = graph["ControlNetApplyAdvanced"]["inputs"]
    assert apply["image"] == ["SplitImageWithAlpha", 0]


@pytest.mark.parametrize(("shorter", "resolution"), [(64, 64), (65, 128), (512, 512), (1000, 1024)])
def test_a_preprocessor_works_as_fine_as_the_image_that_is_drawn(shorter: int, resolution: int) -> None:
    params: JsonObject = {"width": 2048, "height": shorter}
    graph: Any = graph_of({**template(net(preprocessor="DepthZoe")), "params": params})
    assert graph["Zoe-DepthMapPreprocessor"]["inputs"]["resolution"] == resolution

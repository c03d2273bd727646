"""comfy and customComfy: graphs of callers, in both spellings."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.media import ImageFile, ImageFormat
from civitai_mock.generation.work import GraphWork
from tests.support.generation import SKELETONS, graph_of_job, job_of
from tests.support.graph_check import faults
from tests.support.paths import DATA
from tests.support.v2_description import check_output
from tests.support.v2_steps import SEEN, TYPES, plans_of

CHECKPOINT = "urn:air:sdxl:checkpoint:civitai:101055@128078"
FILE = "sdxl/civitai/101055/128078.safetensors"
GRAPH: Any = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}, "_meta": {"title": "a model"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a boat", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "nsfw", "clip": ["4", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 1,
            "steps": 50,
            "cfg": 5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "out", "images": ["8", 0]}},
}
PREVIEWED: Any = {**GRAPH, "10": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}}
OTHER_SPELLING: Any = {
    node_id: {
        "classType": node["class_type"],
        "inputs": node["inputs"],
        **({"meta": node["_meta"]} if "_meta" in node else {}),
    }
    for node_id, node in GRAPH.items()
}
CUSTOM: Any = {"resources": [CHECKPOINT], "workflow": GRAPH, "trace": "none"}
LATE = {"$ref": "gen", "path": "output.images[0].url"}
SOURCES = {"comfy": "comfyWorkflow", "customComfy": "workflow"}


def sent_to(step_type: str, graph: Any, **members: Any) -> Any:
    return {**({} if step_type == "comfy" else CUSTOM), SOURCES[step_type]: graph, **members}


def with_node(node_id: str, node: Any) -> Any:
    return {**GRAPH, node_id: node}


def faults_of(step_type: str, sent: Any) -> set[str]:
    with pytest.raises(InvalidRequestError) as caught:
        TYPES.job_maker(step_type, echo_input(step_type, sent))(1)
    return set(caught.value.errors)


@pytest.mark.parametrize("spelling", [GRAPH, OTHER_SPELLING], ids=["ComfyUI", "description"])
@pytest.mark.parametrize("step_type", SOURCES)
def test_a_graph_is_run_in_either_spelling_with_the_files_of_its_airs(step_type: str, spelling: Any) -> None:
    (made,) = plans_of(step_type, sent_to(step_type, spelling))
    graph: Any = graph_of_job(job_of(made))
    assert faults(graph) == []
    assert graph == {**GRAPH, "4": {**GRAPH["4"], "inputs": {"ckpt_name": FILE}}}
    assert [str(resource.air) for resource in made.resources] == [CHECKPOINT]


def test_a_graph_is_run_so_many_times_with_the_seeds_that_follow() -> None:
    plans = plans_of("comfy", sent_to("comfy", GRAPH, quantity=3))
    graphs: list[Any] = [graph_of_job(job_of(made)) for made in plans]
    assert [graph["3"]["inputs"]["seed"] for graph in graphs] == [1, 2, 3]


@pytest.mark.parametrize("step_type", SOURCES)
def test_an_image_that_a_graph_loads_is_fetched(step_type: str) -> None:
    url = "https://example.com/fox.png"
    sent = sent_to(step_type, with_node("11", {"class_type": "LoadImage", "inputs": {"image": url}}))
    made = TYPES.job_maker(step_type, echo_input(step_type, sent))(1)
    (draft,) = made.drafts
    assert draft.image_urls() == {"graph.11.inputs.image": url}
    assert made.paths["graph."] == f"{SOURCES[step_type]}."
    (plan,) = plans_of(step_type, sent)
    work = job_work(job_of(plan), SKELETONS)
    assert isinstance(work, GraphWork)
    assert [image.url for image in work.images] == [url]


@pytest.mark.parametrize("step_type", SOURCES)
def test_a_reference_may_stand_in_a_graph_until_it_is_resolved(step_type: str) -> None:
    sent = sent_to(step_type, with_node("11", {"class_type": "LoadImage", "inputs": {"image": LATE}}))
    echo: Any = echo_input(step_type, sent)
    assert echo[SOURCES[step_type]]["11"]["inputs"]["image"] == LATE
    assert TYPES.cost(step_type, echo).base > 0


@pytest.mark.parametrize(
    ("graph", "path"),
    [
        ({}, ""),
        ({"nodes": [], "links": []}, ""),
        (with_node("5", "a text"), ".5"),
        (with_node("5", {"inputs": {}}), ".5.class_type"),
        (with_node("5", {"class_type": "A", "inputs": []}), ".5.inputs"),
        (with_node("5", {"class_type": "A", "inputs": {"ckpt_name": "urn:air:a:b"}}), ".5.inputs.ckpt_name"),
        (with_node("5", {"class_type": "LoadImage", "inputs": {"image": "http://"}}), ".5.inputs.image"),
    ],
)
def test_what_is_not_a_graph_is_a_fault_by_its_path(graph: Any, path: str) -> None:
    assert faults_of("customComfy", {**CUSTOM, "workflow": graph}) == {f"workflow{path}"}


def test_a_custom_graph_lists_every_air_that_it_names() -> None:
    lora = {"class_type": "LoraLoader", "inputs": {"lora_name": "urn:air:sdxl:lora:civitai:58390@62833"}}
    assert faults_of("customComfy", {**CUSTOM, "workflow": with_node("12", lora)}) == {"workflow.12.inputs.lora_name"}


def test_another_spelling_of_an_air_is_listed_too() -> None:
    resources = ["URN:AIR:SDXL:Checkpoint:civitai:101055@128078", "urn:air:sdxl:lora:civitai:58390@62833"]
    (made,) = plans_of("customComfy", {**CUSTOM, "resources": resources})
    assert len(made.resources) == 2


@pytest.mark.parametrize("step_type", SOURCES)
def test_only_what_is_drawn_says_how_mature_it_is(step_type: str) -> None:
    assert TYPES.prompt_texts(step_type, echo_input(step_type, sent_to(step_type, GRAPH))) == ("a boat",)


def ended(job: Job) -> Job:
    slots = (
        Slot(blob_key="1-0.png", name="9_0.png", available=True),
        Slot(blob_key="1-1.png", name="10_0.png", available=True),
        Slot(blob_key="1-trace.log", name="trace", available=True),
    )
    event = replace(job.last_event, claim_duration=timedelta(seconds=2.5))
    return replace(job, slots=slots, last_event=event)


def test_what_preview_nodes_make_is_temporary() -> None:
    sent = {**CUSTOM, "workflow": PREVIEWED}
    (made,) = plans_of("customComfy", sent)
    output: Any = TYPES.output("customComfy", sent, [ended(job_of(made))], view=SEEN)
    check_output("customComfy", output)
    assert [blob["id"] for blob in output["blobs"]] == ["1-0.png"]
    assert [blob["id"] for blob in output["tempBlobs"]] == ["1-1.png"]
    assert output["traceUrl"].startswith("http://here/v2/consumer/blobs/1-trace.log?sig=")


@pytest.mark.parametrize(("least", "cost"), [(None, 2.5), (30, 30)])
def test_a_run_is_charged_by_the_second(least: int | None, cost: float) -> None:
    sent = {**CUSTOM, "minimumDurationSeconds": least}
    (made,) = plans_of("customComfy", sent)
    job = ended(job_of(made))
    usage: Any = TYPES.output("customComfy", sent, [job], view=SEEN)
    assert usage["usage"]["runtimeSeconds"] == 2.5
    assert usage["usage"]["estimatedCost"] == cost
    assert usage["usage"]["startedAt"] < usage["usage"]["computedAt"]


def test_before_a_graph_has_run_its_files_are_unknown() -> None:
    (made,) = plans_of("customComfy", CUSTOM)
    job = replace(job_of(made), slots=())
    output: Any = TYPES.output("customComfy", CUSTOM, [job], view=SEEN)
    check_output("customComfy", output)
    assert (output["blobs"], output["tempBlobs"]) == ([], [])
    assert TYPES.output("comfy", sent_to("comfy", GRAPH), [job], view=SEEN) is None


def test_a_text_of_the_caller_goes_into_the_files_of_a_graph() -> None:
    (made,) = plans_of("comfy", sent_to("comfy", GRAPH, imageMetadata="mine"))
    work = job_work(job_of(made), SKELETONS)
    assert isinstance(work, GraphWork)
    assert work.image_file == ImageFile(format=ImageFormat.PNG, note="mine")


@pytest.mark.parametrize(("trace", "is_traced"), [("none", False), ("logs", True), ("binary", True)])
def test_a_trace_is_made_on_request(trace: str, is_traced: bool) -> None:
    (made,) = plans_of("customComfy", {**CUSTOM, "trace": trace})
    job = job_of(made)
    work = job_work(job, SKELETONS)
    assert isinstance(work, GraphWork)
    assert (work.has_trace, work.asset_prefix) == (is_traced, f"customcomfy-{job.id}-asset-")


@pytest.mark.parametrize(
    ("step_type", "sent", "base"),
    [
        ("comfy", sent_to("comfy", GRAPH, quantity=4), 7),  # 1.6 for 50 steps of 512 by 512 pixels
        ("comfy", sent_to("comfy", {"1": {"class_type": "A", "inputs": {}}}), 1),
        ("customComfy", CUSTOM, 30),
        ("customComfy", {**CUSTOM, "minimumDurationSeconds": 90}, 90),
    ],
)
def test_prices(step_type: str, sent: Any, base: int) -> None:
    assert TYPES.cost(step_type, echo_input(step_type, sent)).base == base


def test_the_captured_request_is_run() -> None:
    bodies = json.loads((DATA / "captures/v2-requests.json").read_text("utf-8"))
    (step,) = next(body["body"]["steps"] for body in bodies if body["body"]["steps"][0]["$type"] == "customComfy")
    (made,) = plans_of("customComfy", step["input"])
    assert faults(graph_of_job(job_of(made))) == []

"""The same template is sent again and again: each time it becomes a workflow of its own."""

import re
from typing import Any

from tests.support.served_app import serve_all
from tests.support.v2_workflows import WorkflowClient, image, reference, step

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAAN"
    "HQEDasKb6QAAAABJRU5ErkJggg=="
)
SEED = re.compile(rb"Seed: ([0-9]+)")  # in the EXIF of an image, whose text has two bytes for each character
STEPS = (
    step(
        "imageGen",
        {
            "engine": "sdcpp",
            "ecosystem": "sdxl",
            "operation": "createImage",
            "model": "urn:air:sdxl:checkpoint:civitai:101055@128078",
            "prompt": reference("$arguments", "prompt"),
            "quantity": 2,
        },
        name="hero",
    ),
    image(seed=7, quantity=2),
    step("imageUpscaler", {"image": reference("hero", "output.images[0].url"), "numberOfRepeats": 1}),
    step("convertImage", {"image": PIXEL, "output": {"format": "png"}}),
    step(
        "repeat",
        {
            "for": {**reference("$arguments", "words"), "as": "word"},
            "template": {"$type": "echo", "input": {"message": reference("word", "")}},
        },
    ),
)
MEMBERS = {"arguments": {"prompt": "a fox", "words": ["a", "b"]}, "metadata": {"rating": 1}, "tags": ["demo"]}


def lasting(workflow: Any) -> Any:
    """Return what is the same each time."""
    steps = [
        (each["$type"], each["name"], each["status"], each["metadata"], len(each["jobs"]), input_of(each))
        for each in workflow["steps"]
    ]
    return steps, workflow["cost"], workflow["metadata"], workflow["tags"], workflow["arguments"]


def input_of(shown: Any) -> Any:
    """Return the input without what is a URL of another file each time."""
    return {name: value for name, value in shown["input"].items() if name != "image"}


async def test_each_workflow_of_a_repeated_template_is_as_if_it_had_been_sent_once() -> None:
    async with serve_all() as opened:
        workflows = WorkflowClient(opened.client)
        first = await workflows.submit(*STEPS, query="wait=20", expected=[200], **MEMBERS)
        rated = [
            {"op": "add", "path": "/metadata/rating", "value": 5},
            {"op": "add", "path": "/tags/-", "value": "best"},
        ]
        noted = [{"op": "add", "path": "/metadata/note", "value": "mine"}]
        await workflows.change("PATCH", first["id"], json=rated)
        await workflows.change("PATCH", f"{first['id']}/steps/hero", json=noted)
        patched = await workflows.get(first["id"])
        others = [await workflows.submit(*STEPS, query="wait=20", expected=[200], **MEMBERS) for _ in range(2)]
        assert [lasting(other) for other in others] == [lasting(first)] * 2
        assert patched["steps"][0]["metadata"] == {"note": "mine"}
        assert len({each["id"] for each in (first, *others)}) == 3
        jobs = [job["id"] for each in (first, *others) for shown in each["steps"] for job in shown["jobs"]]
        assert len(set(jobs)) == len(jobs)
        converted = {each["steps"][3]["input"]["image"] for each in (first, *others)}
        assert len(converted) == 3


async def test_images_without_a_seed_have_another_one_each_time_and_those_with_one_do_not() -> None:
    async with serve_all() as opened:
        workflows = WorkflowClient(opened.client)
        seeds: list[int] = []
        for _ in range(2):
            made = await workflows.submit(*STEPS[:2], query="wait=20", expected=[200], **MEMBERS)
            for shown in (each for each_step in made["steps"] for each in each_step["output"]["images"]):
                answer = await opened.client.get(shown["url"], follow_redirects=True)
                found = SEED.search(answer.content.replace(b"\0", b""))
                assert found is not None
                seeds.append(int(found[1]))
        first, second = seeds[:4], seeds[4:]
        assert first[1] == first[0] + 1
        assert second[1] == second[0] + 1
        assert first[0] != second[0]
        assert first[2:] == second[2:] == [7, 8]


async def test_a_what_if_leaves_a_repeated_template_as_it_is() -> None:
    async with serve_all() as opened:
        workflows = WorkflowClient(opened.client)
        planned = await workflows.submit(image(), query="whatif=true", expected=[200])
        made = await workflows.submit(image(), query="wait=20", expected=[200])
        assert made["steps"][0]["input"] == planned["steps"][0]["input"]
        assert made["cost"] == planned["cost"]


async def test_a_template_is_refused_as_often_as_it_is_sent() -> None:
    async with serve_all() as opened:
        workflows = WorkflowClient(opened.client)
        bad = step("imageUpscaler", {"numberOfRepeats": 9})
        answers = [await opened.client.post("/v2/consumer/workflows", json={"steps": [bad]}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [400] * 3
        assert len({tuple(answer.json()["errors"]) for answer in answers}) == 1
        assert await workflows.ids() == []

"""The same body is sent again and again to v1: each time it becomes jobs of its own."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.served_app import JOBS, Opened, Served, serve, serve_all, template

NETWORK = "urn:air:sdxl:lora:civitai:82098@87153"
SEEDED = template(additionalNetworks={NETWORK: {"strength": 0.5}}, properties={"of": "me"})
PARAMS = SEEDED["params"]
LARGE = template(params={**PARAMS, "negativePrompt": "x" * 9000})  # more than is remembered
DRAWS = {**SEEDED, "params": {name: value for name, value in PARAMS.items() if name != "seed"}}
TIMES = 4


async def sent(opened: Opened, body: Mapping[str, Any], *, query: str = "", times: int = TIMES) -> Sequence[Any]:
    answers = [await opened.client.post(f"{JOBS}?{query}", json=body) for _ in range(times)]
    assert {answer.status_code for answer in answers} <= {200, 202}
    return [answer.json() for answer in answers]


def seeds_of(answers: Sequence[Any]) -> list[int]:
    return [result["seed"] for answer in answers for job in answer["jobs"] for result in job["result"]]


def lasting(answer: Any) -> Any:
    """Return of a detailed answer what is the same each time."""
    (status,) = answer["jobs"]
    job = status["job"]
    own = {"id", "createdAt", "expireAt", "slots", "properties"}
    return {name: value for name, value in job.items() if name not in own}, job["properties"], status["cost"]


@pytest.mark.parametrize("body", [SEEDED, LARGE])
async def test_each_job_of_a_repeated_body_is_as_if_it_had_been_sent_once(body: Mapping[str, Any]) -> None:
    async with serve() as served:
        answers = await sent(served, body, query="detailed=true")
        first, *others = map(lasting, answers)
        assert others == [first] * (TIMES - 1)
        assert len({answer["jobs"][0]["jobId"] for answer in answers}) == TIMES
        assert len({answer["token"] for answer in answers}) == TIMES
        assert seeds_of(answers) == [7] * TIMES
        slots = [slot["imageHash"] for answer in answers for slot in answer["jobs"][0]["job"]["slots"]]
        assert len(set(slots)) == len(slots)


async def test_a_body_without_a_seed_has_another_one_each_time() -> None:
    async with serve_all() as opened:
        answers = await sent(opened, DRAWS, query="wait=true")
        assert len(set(seeds_of(answers))) == TIMES
        assert all(job["lastEvent"]["type"] == "Succeeded" for answer in answers for job in answer["jobs"])
        graphs = [job["lastEvent"]["context"]["comfy_prompt_request"] for answer in answers for job in answer["jobs"]]
        assert all(f'"seed":{seed}' in graph for seed, graph in zip(seeds_of(answers), graphs, strict=True))


async def test_what_if_leaves_a_repeated_body_as_it_is() -> None:
    async with serve() as served:
        (planned, *_) = await sent(served, SEEDED, query="whatif=true&detailed=true")
        (made, *_) = await sent(served, SEEDED, query="detailed=true")
        assert lasting(made) == lasting(planned)


async def test_a_body_is_refused_as_often_as_it_is_sent() -> None:
    async with serve(max_jobs_per_request=2) as served:
        for body in (template(params={"steps": 0}), {"jobs": [template(params={"steps": 0})] * 3}):
            answers = [await served.client.post(JOBS, json=body) for _ in range(TIMES)]
            assert [answer.status_code for answer in answers] == [400] * TIMES
            assert len({json.dumps(answer.json()["errors"]) for answer in answers}) == 1


async def test_a_repeated_body_is_resolved_again_when_its_resources_have_changed(served: Served) -> None:
    await sent(served, SEEDED)
    named = {"air": NETWORK, "fileName": "mine.safetensors", "trainedWords": ["quaint"]}
    assert (await served.client.put(f"/v2/resources/{NETWORK}", json=named)).is_success
    (answer,) = await sent(served, SEEDED, times=1)
    job = await served.use_cases.query.by_id(answer["jobs"][0]["jobId"])
    assert [resource.file_name for resource in job.resources][1:] == ["mine.safetensors"]


async def test_a_style_that_was_changed_is_used_at_once_by_a_repeated_body(served: Served) -> None:
    body = template(params={**PARAMS, "style": "mine"})
    for clip_skip in (2, 3):
        style = {"promptTemplate": "{prompt}!", "params": {"clipSkip": clip_skip}}
        assert (await served.client.put("/_mock/styles/mine", json=style)).is_success
        answers = await sent(served, body, query="detailed=true")
        assert [answer["jobs"][0]["job"]["params"]["clipSkip"] for answer in answers] == [clip_skip] * TIMES


async def test_a_seeded_namespace_draws_the_same_whether_a_body_was_remembered_or_not() -> None:
    drawn: list[list[str]] = []
    for spaces in (range(TIMES), [0] * TIMES):
        async with serve() as served:
            assert (await served.client.put("/_mock/namespaces/default", json={"seed": 7})).is_success
            bodies = [" " * number + json.dumps(DRAWS) for number in spaces]
            headers = {"content-type": "application/json"}
            answers = [await served.client.post(JOBS, content=body, headers=headers) for body in bodies]
            drawn.append([answer.json()["jobs"][0]["jobId"] for answer in answers])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == TIMES

"""Submissions that cannot be used: each is a 400 that names the place, and leaves no trace."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.served_app import CHECKPOINT, JOBS, LORA, Served, template

PARAMS = template()["params"]


def _with(**params: Any) -> dict[str, Any]:
    return template(params=PARAMS | params)


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in template().items() if key != name}


def _cases() -> Iterator[tuple[str, Any, list[str]]]:
    """Its name, the body, and the paths that the answer has to name."""
    yield "no model", _without("model"), ["model"]
    yield "model null", template(model=None), ["model"]
    yield "model a number", template(model=7), ["model"]
    yield "model no AIR", template(model="nonsense"), ["model"]
    yield "model climbing", template(model="urn:air:sdxl:checkpoint:civitai:..@1"), ["model"]
    yield "no params", _without("params"), ["params"]
    yield "params a list", template(params=[]), ["params"]
    yield "unknown type", template(**{"$type": "teapot"}), ["$type"]
    yield "type a number", template(**{"$type": 7}), ["$type"]
    yield "seed a string", _with(seed="7"), ["params.seed"]
    yield "seed a fraction", _with(seed=7.5), ["params.seed"]
    yield "seed too small", _with(seed=-2), ["params.seed"]
    yield "seed too large", _with(seed=2**32), ["params.seed"]
    yield "steps 0", _with(steps=0), ["params.steps"]
    yield "steps 151", _with(steps=151), ["params.steps"]
    yield "steps true", _with(steps=True), ["params.steps"]
    yield "cfgScale 31", _with(cfgScale=31), ["params.cfgScale"]
    yield "width 63", _with(width=63), ["params.width"]
    yield "height 2049", _with(height=2049), ["params.height"]
    yield "unknown scheduler", _with(scheduler="Teapot"), ["params.scheduler"]
    yield "prompt a number", _with(prompt=7), ["params.prompt"]
    yield "prompt with NUL", _with(prompt="a\x00b"), ["params.prompt"]
    yield "prompt of 100 kB", _with(prompt="🦊" * 25_000), ["params.prompt"]
    yield "two faults", _with(steps=0, width=1), ["params.steps", "params.width"]
    yield "quantity 0", template(quantity=0), ["quantity"]
    yield "quantity 101", template(quantity=101), ["quantity"]
    yield "networks a list", template(additionalNetworks=[LORA]), ["additionalNetworks"]
    yield "properties a list", template(properties=[]), ["properties"]
    yield "timeout nonsense", template(timeout="soon"), ["timeout"]
    yield "retries negative", template(retries=-1), ["retries"]
    yield "expireAt nonsense", template(expireAt="tomorrow"), ["expireAt"]
    yield "priority nonsense", template(priority="Urgent"), ["priority"]
    yield "jobs empty", {"jobs": []}, ["jobs"]
    yield "jobs an object", {"jobs": {}}, ["jobs"]
    yield "jobs null", {"jobs": None}, ["jobs"]
    yield "job a number", {"jobs": [template(), 7]}, ["jobs[1]"]
    yield "fault in a list", {"jobs": [template(), _with(steps=0)]}, ["jobs[1].params.steps"]
    yield (
        "faults in a list",
        {"jobs": [template(model=7), template(), _with(seed="x")]},
        [
            "jobs[0].model",
            "jobs[2].params.seed",
        ],
    )


CASES = list(_cases())


@pytest.mark.parametrize(("body", "paths"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_bad_template_is_a_400_that_names_the_place(served: Served, body: Any, paths: list[str]) -> None:
    answer = await served.client.post(JOBS, json=body)
    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert problem["title"] == "One or more validation errors occurred."
    assert sorted(problem["errors"]) == paths
    assert all(message for messages in problem["errors"].values() for message in messages)
    assert await served.queued() == 0


async def test_a_template_of_an_unknown_type_is_refused_with_the_known_ones(served: Served) -> None:
    answer = await served.client.post(JOBS, json=template(**{"$type": "teapot"}))
    assert "textToImage" in answer.json()["errors"]["$type"][0]


async def test_an_unknown_ecosystem_is_refused_with_the_known_ones(served: Served) -> None:
    air = "urn:air:teapot:checkpoint:civitai:1@2"
    await served.client.post("/v2/resources", json={"air": air})
    answer = await served.client.post(JOBS, json={"jobs": [template(model=air)]})
    assert answer.status_code == 400
    assert all(name in answer.text for name in ("sd1", "sdxl", "flux1"))
    assert list(answer.json()["errors"]) == ["jobs[0].model"]


@pytest.mark.parametrize("prompt", ["", "🦊" * 10_000, "\\", "\u202e", "\ufeff\x7f"])
async def test_odd_prompts_are_kept_as_they_are(served: Served, prompt: str) -> None:
    job_id = await served.submit_one(params=PARAMS | {"prompt": prompt})
    status = (await served.client.get(f"{JOBS}/{job_id}?detailed=true")).json()
    assert status["job"]["params"]["prompt"] == prompt


async def test_odd_properties_are_kept_as_they_are(served: Served) -> None:
    properties = {"$set": 1, "a.b": [None, {"": True}], "é": 2**63 - 1, "ratio": 0.1}
    job_id = await served.submit_one(properties=properties)
    assert (await served.client.get(f"{JOBS}/{job_id}")).json()["properties"] == properties


async def test_unknown_members_are_ignored(served: Served) -> None:
    assert (await served.submit(creatorTip=0.25, batchSize=4, baseModel="SDXL", model=CHECKPOINT))["jobs"]

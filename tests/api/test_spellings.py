"""What a stock ASP.NET server reads as well: names and ids in any case, and slashes too many."""

from typing import Any

import pytest

from civitai_mock.domain.tokens import encode_token
from tests.support.served_app import JOBS, Served, serve, template

PLANNED = f"{JOBS}?whatif=true&detailed=true"
COVERAGE = "/v1/consumer/coverage"


def shouted(value: Any) -> Any:
    """The same JSON with its names in upper case, but for those that callers choose and for `$type`."""
    if not isinstance(value, dict):
        return [shouted(item) for item in value] if isinstance(value, list) else value
    return {name if name.startswith(("$", "urn:")) else name.upper(): shouted(item) for name, item in value.items()}


FULL = template(
    additionalNetworks={"urn:air:sdxl:lora:civitai:122359@135867": {"strength": 0.5, "triggerWord": "detailed"}},
    controlNets=[{"preprocessor": "Canny", "blobKey": "A" * 64, "startStep": 0.1}],
    baseModel="SDXL",
    quantity=2,
    timeout="00:05:00",
    retries=2,
)
FULL["params"] |= {"negativePrompt": "fog", "hires": {"scale": 2, "denoiseStrength": 0.4}, "clipSkip": 2}


@pytest.mark.parametrize("several", [False, True])
async def test_members_are_read_in_any_case(served: Served, several: bool) -> None:
    async def planned(body: Any) -> Any:
        answer = (await served.client.post(PLANNED, json=body)).json()
        own = ("id", "createdAt", "expireAt", "slots")
        return [{name: value for name, value in job["job"].items() if name not in own} for job in answer["jobs"]]

    body = {"jobs": [FULL, FULL]} if several else FULL
    assert await planned(shouted(body)) == await planned(body)


IMAGE = "https://media.test/1.png"


@pytest.mark.parametrize(
    ("request_", "member", "official"),
    [
        ({"$type": "imageTransform", "imageUrl": IMAGE, "transformer": "depthzoe"}, "transformer", "DepthZoe"),
        ({"$type": "IMAGETRANSFORM", "imageUrl": IMAGE, "transformer": "Canny"}, "transformer", "Canny"),
        ({"$type": "prepareModel", "model": template()["model"], "action": "PIN"}, "action", "Pin"),
    ],
)
async def test_words_of_a_list_are_read_in_any_case(served: Served, request_: Any, member: str, official: str) -> None:
    answer = (await served.client.post(PLANNED, json=request_)).json()
    assert answer["jobs"][0]["job"][member] == official


async def test_of_two_spellings_the_official_one_counts(served: Served) -> None:
    params = {**template()["params"], "Prompt": "a cat", "PROMPT": "a dog"}
    for order in (params, dict(reversed(params.items()))):
        job = (await served.client.post(PLANNED, json=template(params=order))).json()["jobs"][0]["job"]
        assert job["params"]["prompt"] == "a fox"


async def test_names_that_callers_choose_stay_as_they_are(served: Served) -> None:
    properties = {"UserId": 4, "userid": 5, "Jobs": {"Prompt": 1}}
    job_id = await served.submit_one(Properties=properties)
    assert (await served.client.get(f"{JOBS}/{job_id}")).json()["properties"] == properties


@pytest.mark.parametrize(
    ("method", "query", "body", "status"),
    [
        ("POST", "WhatIf=True&DETAILED=true", template(), 200),
        ("GET", "Token={token}&Detailed=true", None, 202),
        ("PUT", "TOKEN={token}", {"Reason": "blurred", "Context": {"A": 1}}, 200),
        ("DELETE", "Token={token}&Force=true", None, 200),
    ],
)
async def test_query_parameters_are_read_in_any_case(
    served: Served, method: str, query: str, body: Any, status: int
) -> None:
    job_id = await served.submit_one()
    url = f"{JOBS}?{query.format(token=encode_token([job_id]))}"
    answer = await served.client.request(method, url, json=body)
    assert answer.status_code == status, answer.text
    assert "etailed" not in query.lower() or "job" in answer.json()["jobs"][0]
    assert await served.queued() == (method != "DELETE")


@pytest.mark.parametrize("path", [f"{JOBS}/{{id}}", "/v1/producer/jobs/{id}/events", f"{JOBS}?token={{token}}"])
async def test_ids_of_jobs_are_read_in_any_case(served: Served, path: str) -> None:
    job_id = await served.submit_one()
    asked = path.format(id=job_id.upper(), token=encode_token([job_id.upper()]))
    assert job_id in (await served.client.get(asked)).text


@pytest.mark.parametrize(
    "path",
    [
        f"{JOBS}/?whatif=true",
        f"/{JOBS}?whatif=true",
        f"//{JOBS}/?whatif=true",
        f"/compat/official/{JOBS}?whatif=true",
        f"/compat/official{JOBS}/?whatif=true",
        f"//compat//official/{JOBS}?whatif=true",
    ],
)
async def test_slashes_too_many_do_no_harm(served: Served, path: str) -> None:
    assert (await served.client.post(f"http://mock.test{path}", json=template())).status_code == 200


@pytest.mark.parametrize(
    "path", ["//v1/consumer/requests", "/v1/consumer/requests/", "/compat/official//v1/consumer/requests"]
)
async def test_slashes_too_many_open_no_door(path: str) -> None:
    async with serve(auth="tokens", auth_tokens="one") as served:
        assert (await served.client.get(f"http://mock.test{path}")).status_code == 401

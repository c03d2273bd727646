"""POST /v1/consumer/jobs: what is taken, and how the answer looks."""

from typing import Any

import httpx
import pytest

from civitai_mock.domain.tokens import decode_token
from tests.support.served_app import CHECKPOINT, JOBS, LORA, Served, serve, template

SD1 = "urn:air:sd1:checkpoint:civitai:4384@128713"
UNKNOWN = "urn:air:sdxl:checkpoint:civitai:1@2"


async def test_a_submission_answers_202_with_token_jobs_and_the_one_job_id(client: httpx.AsyncClient) -> None:
    answer = await client.post(JOBS, json=template())
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert list(body) == ["token", "jobs", "jobId"]
    assert decode_token(body["token"]).job_ids == [body["jobId"]] == [job["jobId"] for job in body["jobs"]]


async def test_several_templates_make_several_jobs_in_order_under_one_token(client: httpx.AsyncClient) -> None:
    templates = [template(properties={"number": number}) for number in range(3)]
    body = (await client.post(JOBS, json={"jobs": templates})).json()
    assert [job["properties"]["number"] for job in body["jobs"]] == [0, 1, 2]
    assert decode_token(body["token"]).job_ids == [job["jobId"] for job in body["jobs"]]
    assert "jobId" not in body


async def test_a_list_of_one_template_gives_the_job_id_too(client: httpx.AsyncClient) -> None:
    body = (await client.post(JOBS, json={"jobs": [template()]})).json()
    assert body["jobId"] == body["jobs"][0]["jobId"]


async def test_a_new_job_is_initialized_and_held_by_nobody(served: Served) -> None:
    submitted = await served.submit()
    assert submitted["jobs"] == [
        {
            "jobId": submitted["jobId"],
            "cost": pytest.approx(0.96),
            "properties": {},
            "result": [{"blobKey": submitted["jobs"][0]["result"][0]["blobKey"], "available": False, "seed": 7}],
            "lastEvent": {
                "jobId": submitted["jobId"],
                "type": "Initialized",
                "dateTime": "2025-09-06T18:18:16.1679430Z",
                "context": {},
                "jobDuration": "00:00:00",
                "retryAttempt": 0,
                "jobType": "TextToImageV2",
                "claimHasCompleted": False,
                "jobHasCompleted": False,
            },
            "serviceProviders": {
                "local": {
                    "support": "Available",
                    "queuePosition": {
                        "precedingJobs": 0,
                        "precedingCost": 0.0,
                        "throughputRate": 0.0,
                        "estimatedStartDuration": "00:00:00",
                        "estimatedStartDate": "2025-09-06T18:18:16.1679430Z",
                    },
                }
            },
            "scheduled": True,
        }
    ]


@pytest.mark.parametrize(("asked", "shown"), [("", False), ("?detailed=false", False), ("?detailed=TRUE", True)])
async def test_the_job_itself_is_shown_only_when_asked_for(client: httpx.AsyncClient, asked: str, shown: bool) -> None:
    body = (await client.post(JOBS + asked, json=template())).json()
    assert ("job" in body["jobs"][0]) is shown


async def test_quantity_gives_as_many_results_with_blobs_of_their_own(served: Served) -> None:
    submitted = await served.submit(quantity=4)
    results = submitted["jobs"][0]["result"]
    assert len({result["blobKey"] for result in results}) == len(results) == 4


async def test_a_random_seed_is_drawn_and_shown(client: httpx.AsyncClient) -> None:
    params = template()["params"] | {"seed": -1}
    status = (await client.post(f"{JOBS}?detailed=true", json=template(params=params))).json()["jobs"][0]
    assert status["job"]["params"]["seed"] == status["result"][0]["seed"] >= 0


async def test_a_template_without_type_is_text_to_image(client: httpx.AsyncClient) -> None:
    without = {name: value for name, value in template().items() if name != "$type"}
    answer = await client.post(JOBS, json=without)
    assert answer.json()["jobs"][0]["lastEvent"]["jobType"] == "TextToImageV2"


@pytest.mark.parametrize(
    "networks",
    [{LORA: {"strength": 0.8}}, {"any name": {"id": LORA, "strength": 0.8, "type": "Lora"}}],
    ids=["keyed by AIR", "keyed by name"],
)
async def test_networks_are_accepted_in_both_forms(client: httpx.AsyncClient, networks: dict[str, Any]) -> None:
    body = template(model=SD1, additionalNetworks=networks)
    status = (await client.post(f"{JOBS}?detailed=true", json=body)).json()["jobs"][0]
    assert status["job"]["resources"] == ["@civitai/128713", "@civitai/87153"]


@pytest.mark.parametrize("model", [CHECKPOINT, "@civitai/128078", "civitai:101055@128078", CHECKPOINT.upper()])
async def test_a_model_is_found_in_any_of_its_spellings(client: httpx.AsyncClient, model: str) -> None:
    status = (await client.post(f"{JOBS}?detailed=true", json=template(model=model))).json()["jobs"][0]
    assert status["job"]["model"] == "@civitai/128078"


@pytest.mark.parametrize("query", ["wait=false", "whatif=false", "unheard=of"])
async def test_what_changes_nothing_here_is_accepted(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.post(f"{JOBS}?{query}", json=template())).status_code == 202


async def test_an_unknown_model_is_refused_by_name_and_nothing_is_queued(served: Served) -> None:
    answer = await served.client.post(JOBS, json={"jobs": [template(), template(model=UNKNOWN)]})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"jobs[1].model": [f"The resource '{UNKNOWN}' does not exist."]}
    assert await served.queued() == 0


async def test_a_lenient_server_makes_up_an_unknown_model() -> None:
    async with serve(missing_resources="lenient") as served:
        assert (await served.client.post(JOBS, json=template(model=UNKNOWN))).status_code == 202
        assert (await served.client.get(f"/v2/resources/{UNKNOWN}")).status_code == 200

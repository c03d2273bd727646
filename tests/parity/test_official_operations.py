"""The smaller operations meet the official description, too.

Validated against the official v1 description of 2024-03. Of /requests and /events it knows nothing; the contract does.
"""

from typing import Any

import pytest

from tests.parity.official import faults, has_null
from tests.parity.replay import read_official
from tests.support.served_app import CHECKPOINT, LORA, serve, template

OFFICIAL = read_official()
OFFICIAL_PROVIDER = "ValdiAI"  # the description has a closed list of names
CONSUMER = "/v1/consumer"
MINE = {"userId": 7}


async def ask(method: str, path: str, **request: Any) -> Any:
    """Of a server with two finished jobs and a queued one; `{job}` and `{token}` are those of a finished one."""
    async with serve(provider_name=OFFICIAL_PROVIDER) as served:
        for _ in range(2):
            submitted = await served.submit(properties=MINE)
            await served.finish()
        await served.submit(properties=MINE)
        path = path.format(job=submitted["jobId"], token=submitted["token"])
        answer = await served.client.request(method, CONSUMER + path, **request)
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


@pytest.mark.parametrize(
    ("schema", "method", "path", "request_"),
    [
        ("QueryJobsResult", "POST", "/jobs/query", {"json": {"properties": MINE}}),
        ("QueryJobsResult", "POST", "/jobs/query?detailed=true", {"json": {}}),
        ("QueryJobsResult", "POST", "/jobs/query", {"json": {"properties": {"userId": "7"}}}),
        ("JobStatusCollection", "POST", "/jobs?whatif=true&detailed=true", {"json": template()}),
        ("TaintJobsResult", "PUT", "/jobs?token={token}", {"json": {"reason": "blurred", "context": {"by": "eye"}}}),
        ("TaintJobsResult", "PUT", "/jobs", {"json": {"reason": "blurred", "properties": MINE}}),
        ("ConsumptionDetails", "GET", "/consumption", {}),
        ("ConsumptionDetails", "GET", "/consumption?startDate=2025-09-01&endDate=2025-10-01T00:00:00Z", {}),
    ],
)
async def test_the_answer_meets_the_official_schema(schema: str, method: str, path: str, request_: Any) -> None:
    answer = await ask(method, path, **request_)
    assert faults(OFFICIAL, schema, answer) == []
    assert not has_null(answer)


@pytest.mark.parametrize(
    ("method", "path", "body"), [("PUT", "/jobs/{job}", {"reason": "blurred"}), ("DELETE", "/jobs/{job}", None)]
)
async def test_the_answer_is_empty(method: str, path: str, body: Any) -> None:
    assert await ask(method, path, json=body) is None


async def test_coverage_is_a_map_by_the_air_as_sent() -> None:
    covered = await ask("GET", "/coverage", params={"model": [CHECKPOINT.upper(), LORA, "civitai:1@2"]})
    assert list(covered) == [CHECKPOINT.upper(), LORA, "civitai:1@2"]
    assert [faults(OFFICIAL, "ProviderAssetAvailability", told) for told in covered.values()] == [[], [], []]


async def test_a_query_finds_all_jobs_of_its_properties_and_no_others() -> None:
    assert len((await ask("POST", "/jobs/query", json={"properties": MINE}))["jobs"]) == 3
    assert await ask("POST", "/jobs/query", json={"properties": {"userId": "7"}}) == {"jobs": []}


async def test_consumption_has_the_images_and_their_cost() -> None:
    told = await ask("GET", "/consumption", params={"startDate": "2025-01-01", "endDate": "2026-01-01"})
    assert (told["images"], set(told)) == (2, {"images", "totalCost", "startDate", "endDate"})


async def test_requests_have_their_jobs_with_the_last_event() -> None:
    told = await ask("GET", "/requests", params={"take": 2})
    assert set(told["cursor"]) == {"nextDateTime", "nextId"}
    assert [set(request) for request in told["requests"]] == [{"dateTime", "jobs"}] * 2
    for job in (job for request in told["requests"] for job in request["jobs"]):
        assert set(job) == {"job", "lastEvent"}
        assert faults(OFFICIAL, "JobStatus", job) == []


async def test_events_are_those_of_the_job() -> None:
    async with serve(provider_name=OFFICIAL_PROVIDER) as served:
        job_id = await served.submit_one()
        await served.finish()
        events = (await served.client.get(f"/v1/producer/jobs/{job_id}/events")).json()
    assert [faults(OFFICIAL, "JobEvent", event) for event in events] == [[]] * len(events)
    assert {event["jobId"] for event in events} == {job_id}
    assert {"Initialized", "Succeeded"} <= {event["type"] for event in events}

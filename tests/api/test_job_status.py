"""GET of one job, and of the jobs of a token."""

import httpx
import pytest

from civitai_mock.api.vocabulary import ClientCompat
from civitai_mock.domain.blob import blob_key
from civitai_mock.domain.events import LONG_TEXT
from civitai_mock.domain.job import JobSummary
from civitai_mock.domain.stages import Outcome
from civitai_mock.domain.tokens import encode_token
from tests.support.served_app import JOBS, Served

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_a_job_by_id_is_a_bare_status(served: Served) -> None:
    submitted = await served.submit()
    answer = await served.client.get(f"{JOBS}/{submitted['jobId']}")
    assert answer.status_code == 200
    assert answer.json() == submitted["jobs"][0]


async def test_a_detailed_job_by_id_starts_with_the_job(served: Served) -> None:
    job_id = await served.submit_one()
    status = (await served.client.get(f"{JOBS}/{job_id}?detailed=1")).json()
    assert next(iter(status)) == "job"
    assert status["job"]["id"] == job_id


async def test_a_claimed_job_shows_who_holds_it(served: Served) -> None:
    job_id = await served.submit_one()
    served.clock.advance(1.5)
    await served.enter(await served.claim(), {})
    status = (await served.client.get(f"{JOBS}/{job_id}")).json()
    event = status["lastEvent"]
    assert (event["type"], event["provider"], event["workerId"]) == ("Claimed", "local", "local-1")
    assert (event["claimDuration"], event["jobDuration"]) == ("00:00:00", "00:00:01.5000000")
    assert status["scheduled"] is True


async def test_a_finished_job_has_blob_urls_and_no_service_providers(served: Served) -> None:
    job_id = await served.submit_one(quantity=2)
    await served.finish()
    status = (await served.client.get(f"{JOBS}/{job_id}")).json()
    assert status["lastEvent"]["type"] == "Succeeded"
    assert status["scheduled"] is False
    assert "serviceProviders" not in status
    assert [result["available"] for result in status["result"]] == [True, True]
    assert [result["blobKey"] for result in status["result"]] == [blob_key(job_id, 0), blob_key(job_id, 1)]


async def test_a_blob_url_works_for_an_hour_from_each_time_that_it_is_asked_for(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    served.clock.advance(60)
    (result,) = (await served.client.get(f"{JOBS}/{job_id}")).json()["result"]
    assert result["blobUrlExpirationDate"] == "2025-09-06T19:19:16.0000000Z"


@pytest.mark.parametrize("compat", list(ClientCompat))
@pytest.mark.parametrize("is_tainted", [False, True])
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.EXPIRED, Outcome.DELETED])
async def test_a_job_that_has_ended_is_alone_what_it_is_in_its_token(
    served: Served, outcome: Outcome, is_tainted: bool, compat: str
) -> None:
    """The first answer is made of what the store keeps for it, the other of the whole job."""
    submitted = await served.submit(quantity=2, properties={"n": 1.5, "text": "ключ\n", "nested": {"": [None, 2**53]}})
    job_id, jobs = submitted["jobId"], served.stores.jobs
    job = await jobs.get(job_id)
    assert job is not None
    text = '"\n\\\u2028' * LONG_TEXT
    ended = job.ended(outcome, at=served.clock.now(), context={"error": text, "number": 2**64 - 1, "ratio": 1e-7})
    assert await jobs.replace(job, ended)
    if is_tainted:
        await jobs.set_taint([job_id], {"reason": "blurred"})
    assert type(await jobs.get_summary(job_id)) is JobSummary
    alone, together = [
        await served.client.get(path, headers={"X-Mock-Compat": compat})
        for path in (f"{JOBS}/{job_id}", f"{JOBS}?token={submitted['token']}")
    ]
    assert [alone.json()] == together.json()["jobs"]
    assert alone.content in together.content


@pytest.mark.parametrize("finished", [True, False])
async def test_a_token_answers_202_until_all_its_jobs_have_ended(served: Served, finished: bool) -> None:
    submitted = await served.submit()
    if finished:
        await served.finish()
    answer = await served.client.get(JOBS, params={"token": submitted["token"]})
    assert answer.status_code == (200 if finished else 202)
    assert list(answer.json()) == ["token", "jobs"]
    assert answer.json()["token"] == submitted["token"]


async def test_a_token_is_accepted_with_raw_padding(served: Served) -> None:
    job_id = await served.submit_one()
    token = encode_token([job_id, ""])
    assert token.endswith("=")
    answer = await served.client.get(f"{JOBS}?token={token}")
    assert [job["jobId"] for job in answer.json()["jobs"]] == [job_id]


async def test_jobs_of_a_token_that_are_gone_are_left_out(served: Served) -> None:
    job_id = await served.submit_one()
    token = encode_token([UNKNOWN, job_id])
    body = (await served.client.get(JOBS, params={"token": token})).json()
    assert [job["jobId"] for job in body["jobs"]] == [job_id]


@pytest.mark.parametrize("token", ["nonsense", "!!!!", "bm9uc2Vuc2U=", "eyJKb2JzIjo3fQ==", "eyJKb2JzIjpbN119", "é"])
async def test_a_token_that_we_did_not_give_out_is_a_400(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get(JOBS, params={"token": token})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["token"]


@pytest.mark.parametrize("query", ["", "?token="])
async def test_a_missing_token_is_a_400_that_says_so(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(JOBS + query)
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"token": ["The token field is required."]}


@pytest.mark.parametrize("job_id", [UNKNOWN, "nonsense", "%00", "'; DROP TABLE jobs; --"])
async def test_an_unknown_job_is_a_404(client: httpx.AsyncClient, job_id: str) -> None:
    answer = await client.get(f"{JOBS}/{job_id}")
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not Found"


@pytest.mark.parametrize("value", ["yes", "2", "", "truee", "null"])
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", f"{JOBS}/{UNKNOWN}", "detailed"),
        ("GET", f"{JOBS}?token={encode_token([UNKNOWN])}", "detailed"),
        ("GET", f"{JOBS}?token={encode_token([UNKNOWN])}", "wait"),
        ("POST", JOBS, "wait"),
        ("POST", JOBS, "charge"),
        ("POST", JOBS, "whatif"),
        ("DELETE", f"{JOBS}/{UNKNOWN}", "force"),
        ("DELETE", f"{JOBS}?token={encode_token([UNKNOWN])}", "force"),
    ],
)
async def test_a_flag_that_is_no_boolean_is_a_400(
    client: httpx.AsyncClient, method: str, path: str, name: str, value: str
) -> None:
    separator = "&" if "?" in path else "?"
    answer = await client.request(method, f"{path}{separator}{name}={value}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [name]

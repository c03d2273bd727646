"""DELETE of one job, and of the jobs of a token."""

import httpx
import pytest

from civitai_mock.domain.tokens import encode_token
from tests.support.served_app import JOBS, Served

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def _last_event(served: Served, job_id: str) -> str:
    return str((await served.client.get(f"{JOBS}/{job_id}")).json()["lastEvent"]["type"])


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("query", ["", "?force=true", "?force=false"])
async def test_cancelling_a_job_answers_200_with_an_empty_body(served: Served, query: str, running: bool) -> None:
    job_id = await served.submit_one()
    if running:
        await served.enter(await served.claim(), {})
    answer = await served.client.delete(f"{JOBS}/{job_id}{query}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert await _last_event(served, job_id) == "Deleted"


async def test_a_cancelled_job_is_over(served: Served) -> None:
    job_id = await served.submit_one()
    await served.client.delete(f"{JOBS}/{job_id}")
    status = (await served.client.get(f"{JOBS}/{job_id}")).json()
    assert status["lastEvent"]["jobHasCompleted"] is True
    assert status["scheduled"] is False
    assert await served.queued() == 0


async def test_cancelling_by_token_cancels_every_job_of_it(served: Served) -> None:
    ids = [await served.submit_one() for _ in range(3)]
    answer = await served.client.delete(JOBS, params={"token": encode_token(ids)})
    assert (answer.status_code, answer.content) == (200, b"")
    assert [await _last_event(served, job_id) for job_id in ids] == ["Deleted"] * 3


async def test_cancelling_a_finished_job_leaves_it_as_it_is(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    assert (await served.client.delete(f"{JOBS}/{job_id}")).status_code == 200
    assert await _last_event(served, job_id) == "Succeeded"


@pytest.mark.parametrize("path", [f"{JOBS}/{UNKNOWN}", f"{JOBS}?token={encode_token([UNKNOWN])}"])
async def test_cancelling_what_does_not_exist_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.delete(path)).status_code == 404


@pytest.mark.parametrize("query", ["", "?token=nonsense"])
async def test_cancelling_without_a_token_that_we_gave_out_is_a_400(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.delete(JOBS + query)).status_code == 400

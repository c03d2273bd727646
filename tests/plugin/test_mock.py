"""What a test can do with its mock, on a server that runs in a thread."""

import asyncio
import io
import threading
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from civitai_mock.pytest_plugin import CivitaiMock, CivitaiMockError, CivitaiMockServer, MockOptions
from tests.support.media import opened

JOBS = "/v1/consumer/jobs"
JOB = {
    "$type": "textToImage",
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a fox", "width": 64, "height": 64},
}
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def submit(mock: CivitaiMock, **query: str) -> dict[str, Any]:
    answer = mock.client.post(JOBS, json=JOB, params=query)
    assert answer.is_success, answer.text
    submitted: dict[str, Any] = answer.json()
    return submitted


def status(mock: CivitaiMock, job_id: str) -> str:
    return str(mock.client.get(f"{JOBS}/{job_id}").json()["lastEvent"]["type"])


def test_the_client_gets_an_image_from_its_own_world(mock: CivitaiMock) -> None:
    (job,) = submit(mock, wait="true")["jobs"]
    (result,) = job["result"]
    assert result["blobUrl"].startswith(f"{mock.url}/")
    assert opened(mock.client.get(result["blobUrl"]).content).size == (64, 64)


def test_the_client_for_coroutines_leaves_no_connection_open(mock: CivitaiMock) -> None:
    async def submit_twice() -> list[int]:
        return [(await mock.async_client.post(JOBS, json=JOB)).status_code for _ in range(2)]

    assert asyncio.run(submit_twice()) == [202, 202]
    assert asyncio.run(submit_twice()) == [202, 202], "in another event loop"
    assert len(mock.jobs) == 4


def test_the_token_leads_into_the_same_world_without_its_path(mock: CivitaiMock) -> None:
    token = {"Authorization": f"Bearer {mock.token}"}
    answer = httpx.post(f"{mock.server.url}{JOBS}", json=JOB, headers=token, timeout=20)
    assert [job["jobId"] for job in mock.jobs] == [answer.json()["jobId"]]


def test_two_tests_see_nothing_of_each_other(mock: CivitaiMock) -> None:
    other = CivitaiMock(mock.server, "somebody else")
    other.reset()
    mock.clock.freeze(NOON)
    submit(mock)
    assert other.jobs == []
    assert other.clock.now != NOON
    other.delete()


def test_the_same_test_gets_the_same_ids_each_time(mock: CivitaiMock) -> None:
    def run() -> list[str]:
        mock.clock.freeze(NOON)
        return [submit(mock)["jobId"] for _ in range(2)]

    first = run()
    mock.reset()
    assert run() == first


def test_the_name_of_the_namespace_has_any_test_id_in_it(server: CivitaiMockServer) -> None:
    for test_id in ("tests/test_a.py::test_é[a/b ::c]", "x" * 300, "", "a\nb"):
        made = CivitaiMock(server, test_id)
        made.reset()
        assert made.jobs == []
        made.delete()


def test_options_hold_after_each_reset(server: CivitaiMockServer) -> None:
    with (
        closing(CivitaiMock(server, "manual", MockOptions(progress="manual", seed=7))) as manual,
        closing(CivitaiMock(server, "poor", MockOptions(balance=0))) as poor,
    ):
        for _ in range(2):
            manual.reset()
            poor.reset()
            assert status(manual, submit(manual)["jobId"]) == "Initialized"
            assert poor.client.post(JOBS, json=JOB).status_code == 403
        assert manual.seed == 7


def test_polls_show_every_state(mock: CivitaiMock) -> None:
    mock.progress("polls", each=1)
    job_id = submit(mock)["jobId"]
    assert [status(mock, job_id) for _ in range(5)] == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
    assert mock.job(job_id)["events"][-1]["type"] == "Succeeded"


@pytest.mark.parametrize("by", [600, 600.0, timedelta(minutes=10), "10m", "PT10M"], ids=repr)
def test_the_clock_ticks_by_any_duration(mock: CivitaiMock, by: float | timedelta | str) -> None:
    mock.progress("time", stages={"SENT_TO_COMFY": "9m"})
    mock.clock.freeze(NOON)
    job_id = submit(mock)["jobId"]
    mock.clock.tick(by)
    assert mock.clock.now == NOON + timedelta(minutes=10)
    assert status(mock, job_id) == "Succeeded"


@pytest.mark.parametrize(
    "at", ["2026-01-31T12:00:00.25Z", NOON.replace(tzinfo=None) + timedelta(seconds=0.25)], ids=repr
)
def test_the_clock_moves_to_a_date_but_never_back(mock: CivitaiMock, at: datetime | str) -> None:
    mock.clock.freeze("2026-01-31T11:00:00Z")
    mock.clock.move_to(at)
    assert mock.clock.now == NOON + timedelta(seconds=0.25)
    with pytest.raises(CivitaiMockError, match="400"):
        mock.clock.move_to(NOON)


def test_a_clock_stops_where_it_is(mock: CivitaiMock) -> None:
    before = datetime.now(UTC)
    mock.clock.freeze()
    assert before - timedelta(seconds=1) < mock.clock.now < datetime.now(UTC) + timedelta(seconds=1)
    assert mock.clock.now == mock.clock.now


def test_a_snapshot_has_the_jobs_in_it(mock: CivitaiMock) -> None:
    job_id = submit(mock, wait="true")["jobs"][0]["jobId"]
    with zipfile.ZipFile(io.BytesIO(mock.snapshot())) as archive:
        assert any(job_id.encode() in archive.read(name) for name in archive.namelist())


def test_what_the_server_refuses_names_the_member_and_what_was_meant(mock: CivitaiMock) -> None:
    with pytest.raises(CivitaiMockError) as refused:
        mock.progress("pols")
    assert refused.value.status == 400
    assert "Did you mean 'polls'?" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nothing_shows_a_token(server: CivitaiMockServer) -> None:
    secret = CivitaiMockServer(server.url, token="very-secret")
    shown = [repr(part) for part in (secret, secret.control, CivitaiMock(secret, "a test"))]
    assert [text for text in shown if "very-secret" in text] == []


def test_the_next_requests_fail_and_no_more(mock: CivitaiMock) -> None:
    rule = mock.fail_next(2, "throttle", retryAfter=7)
    answers = [mock.client.post(JOBS, json=JOB) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 202]
    assert (answers[0].headers["Retry-After"], answers[0].headers["X-Mock-Fault"]) == ("7", rule["id"])
    assert [(found["id"], found["hits"]) for found in mock.faults] == [(rule["id"], 2)]


def test_a_fault_hits_only_what_it_matches(mock: CivitaiMock) -> None:
    mock.fault("html-error", match={"method": "DELETE"}, status=502)
    mock.fault({"action": {"status": 418}, "match": {"method": "GET"}}, times=1)
    job_id = submit(mock)["jobId"]
    assert [mock.client.get(f"{JOBS}/{job_id}").status_code for _ in range(2)] == [418, 200]
    assert mock.client.delete(f"{JOBS}/{job_id}").status_code == 502


@pytest.mark.parametrize(
    ("preset", "params", "words"),
    [
        ("throtle", {}, "preset: .* Did you mean 'throttle'"),
        ("throttle", {"retry_after": 1}, "params.retry_after: .* Did you mean 'retryAfter'"),
        ({"action": {"delay": "soon"}}, {}, "action.delay: "),
    ],
)
def test_a_fault_that_is_wrong_names_what_was_meant(
    mock: CivitaiMock, preset: str | dict[str, Any], params: dict[str, Any], words: str
) -> None:
    with pytest.raises(CivitaiMockError, match=words):
        mock.fault(preset, **params)
    assert mock.faults == []


def test_calls_are_there_once_they_are_answered(mock: CivitaiMock) -> None:
    for number in range(1, 30):
        mock.client.get(f"{JOBS}/{number}")
        assert [call["path"].rpartition("/")[2] for call in mock.calls] == [str(n) for n in range(1, number + 1)]
    assert {call["status"] for call in mock.calls} == {404}
    mock.reset()
    assert mock.calls == []


def test_what_was_asked_is_verified(mock: CivitaiMock) -> None:
    submit(mock)
    mock.client.get(f"{JOBS}/1")
    mock.verify(method="POST")
    mock.verify(count=1, route=JOBS, match={"$type": "textToImage"})
    mock.verify(count={"min": 1, "max": 2}, method="GET")
    mock.verify(count=0, method="DELETE")
    mock.verify(order=[{"method": "POST"}, {"method": "GET"}])


def test_a_failed_verification_shows_what_came_nearest(mock: CivitaiMock) -> None:
    mock.client.get(f"{JOBS}/1%1b")
    with pytest.raises(AssertionError) as failed:
        mock.verify(count=2, method="DELETE")
    first, *others = str(failed.value).splitlines()
    assert first.startswith("Expected 2 requests to match; found 0.")
    assert others[:2] == ["expected: 2", "actual: 0"]
    assert others[2].startswith("nearest: GET /ns/")
    assert others[2].endswith("match.method: expected 'DELETE', found 'GET'")
    assert str(failed.value).replace("\n", "").isprintable()
    with pytest.raises(AssertionError, match="in this order"):
        mock.verify(order=[{"method": "GET"}, {"method": "POST"}])


def test_a_misspelt_verification_is_no_failed_one(mock: CivitaiMock) -> None:
    with pytest.raises(CivitaiMockError, match="Did you mean 'method'"):
        mock.verify(methd="POST")
    with pytest.raises(CivitaiMockError, match="within: "):
        mock.verify(within="soon", method="POST")


@pytest.mark.parametrize("within", [20, timedelta(seconds=20), "20s"], ids=repr)
def test_a_verification_waits_for_what_is_still_to_come(mock: CivitaiMock, within: float | timedelta | str) -> None:
    answered: list[int] = []
    later = threading.Timer(0.05, lambda: answered.append(mock.client.get(f"{JOBS}/1").status_code))
    later.start()
    mock.verify(count=1, method="GET", within=within)
    later.join()
    assert answered == [404]


def test_jobs_and_their_files_go_wrong_as_well(mock: CivitaiMock) -> None:
    crash = mock.fail_next(1, "node-crash", message="no patcher")
    late = mock.fail_next(1, "blob-late", seconds=5)
    first, second = (submit(mock, wait="true")["jobs"][0] for _ in range(2))
    assert [job["lastEvent"]["type"] for job in (first, second)] == ["Failed", "Succeeded"]
    assert [fault["rule"] for fault in mock.job(first["jobId"])["faults"]] == [crash["id"]]
    mock.clock.freeze()
    url = second["result"][0]["blobUrl"]
    answers = [mock.client.get(url)]
    mock.clock.tick(6)
    answers.append(mock.client.get(url))
    assert [answer.status_code for answer in answers] == [404, 200]
    assert answers[0].headers["X-Mock-Fault"] == late["id"]

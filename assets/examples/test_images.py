import pytest

JOBS = "/v1/consumer/jobs"
JOB = {
    "$type": "textToImage",
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a fox", "seed": 7},
}


def test_a_job_ends_with_a_png(civitai_mock):
    job = civitai_mock.client.post(f"{JOBS}?wait=true", json=JOB).json()["jobs"][0]
    assert job["lastEvent"]["type"] == "Succeeded"
    assert civitai_mock.client.get(job["result"][0]["blobUrl"]).content.startswith(b"\x89PNG")


@pytest.mark.civitai_mock(progress="polls")
def test_each_poll_shows_the_next_state(civitai_mock):
    job_id = civitai_mock.client.post(JOBS, json=JOB).json()["jobId"]
    seen = [civitai_mock.client.get(f"{JOBS}/{job_id}").json()["lastEvent"]["type"] for _ in range(5)]
    assert seen == ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]


def test_a_url_runs_out(civitai_mock):
    job = civitai_mock.client.post(f"{JOBS}?wait=true", json=JOB).json()["jobs"][0]
    civitai_mock.clock.tick("2h")
    assert civitai_mock.client.get(job["result"][0]["blobUrl"]).status_code == 403


@pytest.mark.civitai_mock(balance=0)
def test_there_is_no_buzz_left(civitai_mock):
    assert civitai_mock.client.post(JOBS, json=JOB).json() == {"error": "Insufficient Buzz"}


@pytest.mark.civitai_mock(faults=[{"preset": "throttle", "match": {"method": "POST"}, "times": 1}], strict=True)
def test_the_app_is_told_when_to_come_again(civitai_mock):
    answer = civitai_mock.client.post(JOBS, json=JOB)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")

"""PyPI's `civitai-py` 0.1.10, unchanged, pointed here by its `base_path`."""

from typing import Any

import pytest

from tests.clients.inputs import PNG, download, from_text, providers_of
from tests.support.clients import Addressed, Client, ClientError
from tests.support.process import Server

pytestmark = pytest.mark.slow


def test_create_answers_at_once(endless_server: Server, civitai_py: Client) -> None:
    (job,) = civitai_py.call(endless_server, "image.create", from_text())["jobs"]
    assert job["scheduled"]
    assert [result["available"] for result in job["result"]] == [False]


def test_create_with_wait_returns_the_image(either: Addressed, civitai_py: Client) -> None:
    (job,) = civitai_py.call(either, "image.create", from_text(), True)["jobs"]
    assert not job["scheduled"]
    assert download(job["result"]["blobUrl"]).startswith(PNG)


def test_jobs_run_on_a_fleet_or_wait_for_a_pod_of_it(fleet_server: Server, civitai_py: Client) -> None:
    (done,) = civitai_py.call(fleet_server, "image.create", from_text(), True)["jobs"]
    assert download(done["result"]["blobUrl"]).startswith(PNG)
    waits = civitai_py.call(fleet_server, "image.create", from_text(quantity=21))
    (job,) = civitai_py.call(fleet_server, "jobs.get", waits["token"])["jobs"]
    assert (job["scheduled"], job["result"]["available"]) == (True, False)
    assert providers_of(fleet_server.url, job["jobId"]) == {"RunPods": "Unavailable", "SaladML": "Available"}


def test_a_token_leads_to_its_jobs(either: Addressed, civitai_py: Client) -> None:
    created = civitai_py.call(either, "image.create", from_text(), True)
    assert civitai_py.call(either, "jobs.get", created["token"])["jobs"][0]["jobId"] == created["jobs"][0]["jobId"]


def test_jobs_are_found_by_their_properties(server: Server, civitai_py: Client) -> None:
    created = civitai_py.call(server, "image.create", from_text(properties={"reader": "py"}))
    found = civitai_py.call(server, "jobs.query", {"properties": {"reader": "py"}})
    assert _ids(found) == _ids(created)
    assert civitai_py.call(server, "jobs.query", {"properties": {"reader": "nobody"}})["jobs"] == []


def test_a_query_in_detail_is_understood(server: Server, civitai_py: Client) -> None:
    civitai_py.call(server, "image.create", from_text(properties={"detail": 1}), True)
    (job,) = civitai_py.call(server, "jobs.query", {"properties": {"detail": 1}}, True)["jobs"]
    assert job["job"]["params"]["prompt"] == "a fox"


def test_a_running_job_is_cancelled(endless_server: Server, civitai_py: Client) -> None:
    (job,) = civitai_py.call(endless_server, "image.create", from_text())["jobs"]
    assert civitai_py.call(endless_server, "jobs.cancel", job["jobId"]) is None


def test_a_job_that_is_not_there_cannot_be_cancelled(server: Server, civitai_py: Client) -> None:
    with pytest.raises(ClientError, match="404"):
        civitai_py.call(server, "jobs.cancel", "00000000-0000-4000-8000-000000000000")


def _ids(collection: Any) -> list[str]:
    return [job["jobId"] for job in collection["jobs"]]

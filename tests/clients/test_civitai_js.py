"""npm's `civitai` 0.1.15, unchanged, driven by node and pointed here by its `OpenAPI.BASE`."""

from typing import Any

import pytest

from tests.clients.inputs import CHECKPOINT, PNG, UNKNOWN, download, from_comfy, from_text, providers_of
from tests.support.clients import Addressed, Client, ClientError
from tests.support.process import Server

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_from_text_answers_at_once(endless_server: Server, civitai_js: Client) -> None:
    (job,) = civitai_js.call(endless_server, "image.fromText", from_text())["jobs"]
    assert job["scheduled"]
    assert [result["available"] for result in job["result"]] == [False]


@pytest.mark.parametrize(
    ("method", "given"), [("image.fromText", from_text()), ("image.fromComfy", from_comfy())], ids=["text", "comfy"]
)
def test_waiting_returns_the_image(either: Addressed, civitai_js: Client, method: str, given: Any) -> None:
    """Within the patience of a test: if the server did not wait, the client would ask again after 30 s."""
    (job,) = civitai_js.call(either, method, given, True)["jobs"]
    (polled,) = job["result"]["jobs"]
    assert not polled["scheduled"]
    assert download(polled["result"]["blobUrl"]).startswith(PNG)


def test_jobs_run_on_a_fleet_or_wait_for_a_pod_of_it(fleet_server: Server, civitai_js: Client) -> None:
    (done,) = civitai_js.call(fleet_server, "image.fromText", from_text(), True)["jobs"]
    (polled,) = done["result"]["jobs"]
    assert download(polled["result"]["blobUrl"]).startswith(PNG)
    waits = civitai_js.call(fleet_server, "image.fromText", from_text(quantity=21))
    (job,) = civitai_js.call(fleet_server, "jobs.getByToken", waits["token"])["jobs"]
    assert job["scheduled"]
    assert providers_of(fleet_server.url, job["jobId"]) == {"RunPods": "Unavailable", "SaladML": "Available"}


def test_from_comfy_answers_at_once(endless_server: Server, civitai_js: Client) -> None:
    (job,) = civitai_js.call(endless_server, "image.fromComfy", from_comfy())["jobs"]
    assert job["scheduled"]


def test_an_id_leads_to_its_job(either: Addressed, civitai_js: Client) -> None:
    created = civitai_js.call(either, "image.fromText", from_text(), True)
    job = civitai_js.call(either, "jobs.getById", created["jobs"][0]["jobId"])
    assert (job["jobId"], job["cost"]) == (created["jobs"][0]["jobId"], created["jobs"][0]["cost"])
    assert job["result"]["available"]


def test_a_token_leads_to_its_jobs(server: Server, civitai_js: Client) -> None:
    created = civitai_js.call(server, "image.fromText", from_text(quantity=2))
    found = civitai_js.call(server, "jobs.getByToken", created["token"])
    assert (found["token"], _ids(found)) == (created["token"], _ids(created))


def test_jobs_are_found_by_their_properties(server: Server, civitai_js: Client) -> None:
    created = civitai_js.call(server, "image.fromText", from_text(properties={"reader": "js"}))
    found = civitai_js.call(server, "jobs.getByQuery", {"properties": {"reader": "js"}}, True)
    assert _ids(found) == _ids(created)
    assert found["jobs"][0]["job"]["params"]["prompt"] == "a fox"
    assert civitai_js.call(server, "jobs.getByQuery", {"properties": {"reader": "nobody"}})["jobs"] == []


def test_a_running_job_is_cancelled(endless_server: Server, civitai_js: Client) -> None:
    (job,) = civitai_js.call(endless_server, "image.fromText", from_text())["jobs"]
    assert civitai_js.call(endless_server, "jobs.cancel", job["jobId"])["status"] == 200
    assert not civitai_js.call(endless_server, "jobs.getById", job["jobId"])["scheduled"]


def test_a_job_that_is_not_there_is_an_error(server: Server, civitai_js: Client) -> None:
    with pytest.raises(ClientError, match="Not Found"):
        civitai_js.call(server, "jobs.getById", "00000000-0000-4000-8000-000000000000")


def test_coverage_is_shown_by_the_air_as_sent(server: Server, civitai_js: Client) -> None:
    coverage = civitai_js.call(server, "models.get", [CHECKPOINT, UNKNOWN])
    assert set(coverage) == {CHECKPOINT, UNKNOWN}
    assert coverage[CHECKPOINT]["availability"] == "Available"
    assert coverage[CHECKPOINT]["workers"] >= 1
    assert coverage[UNKNOWN]["availability"] != "Available"


def _ids(collection: Any) -> list[str]:
    return [job["jobId"] for job in collection["jobs"]]

"""With CLIENT_COMPAT=official no answer has a word that the official description does not list.

Validated against the official v1 description of 2024-03, whose lists generated clients take literally.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from civitai_mock.api.v1.render import ASSET_TYPES, BASE_MODELS, SCHEDULERS, render_event
from civitai_mock.api.vocabulary import OFFICIAL_PROVIDERS, ClientCompat, Vocabularies
from civitai_mock.domain.sampling import SAMPLINGS
from civitai_mock.domain.stages import JobEventType, Outcome
from civitai_mock.generation.networks.kinds import KIND_NAMES
from tests.parity.official import words_of
from tests.parity.replay import read_official
from tests.support.jobs import LEASE
from tests.support.served_app import JOBS, Served, serve, serve_all
from tests.support.templates import TEMPLATES, template

OFFICIAL = read_official()
LISTS = {name: schema["enum"] for name, schema in OFFICIAL["components"]["schemas"].items() if "enum" in schema}
SDXL = "urn:air:sdxl:checkpoint:civitai:101055@128078"
NETWORKS: Any = {f"urn:air:sdxl:{kind}:civitai:1@{number}": {} for number, kind in enumerate(KIND_NAMES, start=1)}

State = Callable[[Served], Awaitable[None]]


def strange(schema: str, value: Any) -> list[str]:
    """Words that are in no list; keys of providers are a list, too, though the description does not say so."""
    found = [(path, word) for path, name, word in words_of(OFFICIAL, schema, value) if word not in LISTS[name]]
    statuses = value.get("jobs", [value]) if isinstance(value, dict) else []
    keys = [key for status in statuses for key in status.get("serviceProviders", {}) if key not in LISTS["Provider"]]
    return [f"{path}: {word}" for path, word in found] + keys


def test_the_lists_are_those_of_the_description() -> None:
    assert set(LISTS["Provider"]) == OFFICIAL_PROVIDERS
    assert set(LISTS["Scheduler"]) == SCHEDULERS
    assert set(LISTS["AssetType"]) == ASSET_TYPES
    assert set(LISTS["BaseModel"]) == BASE_MODELS
    assert set(LISTS["JobEventType"]) == set(JobEventType)


async def _nothing(_: Served) -> None:
    """The job stays in the queue."""


async def _claimed(served: Served) -> None:
    await served.enter(await served.claim(), {})


async def _updated(served: Served) -> None:
    claimed = await served.claim()
    assert await served.stores.jobs.replace(claimed, claimed.progressed(at=served.clock.now(), context={}))


async def _given_back(served: Served) -> None:
    claimed = await served.claim()
    assert await served.stores.jobs.replace(claimed, claimed.released(at=served.clock.now(), reason="x"))


async def _expired_claim(served: Served) -> None:
    claimed = await served.claim()
    assert await served.stores.jobs.replace(claimed, claimed.claim_expired(at=served.clock.now(), reason="x"))


async def _succeeded(served: Served) -> None:
    await served.finish()


def _ended(outcome: Outcome) -> State:
    async def ended(served: Served) -> None:
        claimed = await served.claim()
        after = claimed.ended(outcome, at=served.clock.now(), context={"error": "x"})
        assert await served.stores.jobs.replace(claimed, after)

    return ended


STATES: dict[str, State] = {
    "Initialized": _nothing,
    "Claimed": _claimed,
    "Updated": _updated,
    "LateRejected": _given_back,
    "ClaimExpired": _expired_claim,
    "Succeeded": _succeeded,
    "Failed": _ended(Outcome.FAILED),
    "Expired": _ended(Outcome.EXPIRED),
    "Deleted": _ended(Outcome.DELETED),
}


@pytest.mark.parametrize(("event", "state"), STATES.items(), ids=STATES)
@pytest.mark.parametrize("compat", ["official", "sdk-2024"])
async def test_no_status_has_a_word_of_our_own(event: str, state: State, compat: str) -> None:
    async with serve(client_compat=compat) as served:
        submitted = await served.submit(additionalNetworks={"urn:air:sd1:lora:civitai:82098@87153": {}})
        await state(served)
        job, token = f"{JOBS}/{submitted['jobId']}?detailed=true", {"token": submitted["token"], "detailed": "true"}
        status = (await served.client.get(job)).json()
        collection = (await served.client.get(JOBS, params=token)).json()
        query = (await served.client.post(f"{JOBS}/query?detailed=true", json={})).json()
        past = (await served.client.get("/v1/consumer/requests")).json()["requests"][0]["jobs"][0]
        events = (await served.client.get(f"/v1/producer/jobs/{submitted['jobId']}/events")).json()
    assert status["lastEvent"]["type"] == event
    assert strange("JobStatusCollection", submitted) == []
    assert strange("JobStatus", status) == []
    assert strange("JobStatusCollection", collection) == []
    assert strange("QueryJobsResult", query) == []
    assert strange("JobStatus", past) == []
    assert [strange("JobEvent", told) for told in events] == [[]] * len(events)
    assert {told["provider"] for told in events if "provider" in told} <= {"Civitai"}


async def test_words_that_are_not_official_are_found() -> None:
    """What it says with default settings, where a few words are."""
    members = {"baseModel": "Flux1", "additionalNetworks": NETWORKS}
    async with serve(missing_resources="lenient") as served:
        submitted = await served.submit(**members, params={"prompt": "a fox", "scheduler": "DPM3MSDE"})
        await _claimed(served)
        status = (await served.client.get(f"{JOBS}/{submitted['jobId']}?detailed=true")).json()
    assert strange("JobStatus", status) == [
        "$.job.params.scheduler: DPM3MSDE",
        f"$.job.additionalNetworks[@civitai/{1 + KIND_NAMES.index('DoRA')}].type: DoRA",
        "$.job.baseModel: Flux1",
        "$.lastEvent.provider: local",
        "local",
    ]


@pytest.mark.parametrize("scheduler", SAMPLINGS)
async def test_a_scheduler_that_no_official_client_knows_is_left_out(scheduler: str) -> None:
    async with serve(client_compat="official") as served:
        params: Any = {"prompt": "a fox", "scheduler": scheduler, "width": 64, "height": 64}
        answer = (await served.client.post(f"{JOBS}?detailed=true", json=template("textToImage", params=params))).json()
    assert strange("JobStatusCollection", answer) == []
    assert ("scheduler" in answer["jobs"][0]["job"]["params"]) == (scheduler in LISTS["Scheduler"])


async def test_kinds_of_networks_and_base_models_that_no_official_client_knows_are_left_out() -> None:
    async with serve(client_compat="official", missing_resources="lenient") as served:
        members: Any = {"baseModel": "Flux1", "additionalNetworks": NETWORKS}
        for name in ("textToImage", "prepareModel"):
            sent = template(name, **members)
            answer = (await served.client.post(f"{JOBS}?detailed=true", json=sent)).json()
            assert strange("JobStatusCollection", answer) == []
            assert "baseModel" not in answer["jobs"][0]["job"]


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {"copyAsset", "clearAssets"}))
async def test_no_job_of_any_type_has_a_word_of_our_own(name: str) -> None:
    async with serve_all(client_compat="official") as served:
        answer = (await served.client.post(f"{JOBS}?detailed=true", json=template(name))).json()
        await served.wait_until_ended(answer["jobId"])
        status = (await served.client.get(f"{JOBS}/{answer['jobId']}?detailed=true")).json()
        events = (await served.client.get(f"/v1/producer/jobs/{answer['jobId']}/events")).json()
    assert status["lastEvent"]["type"] == "Succeeded"
    assert strange("JobStatusCollection", answer) == strange("JobStatus", status) == []
    assert [strange("JobEvent", told) for told in events] == [[]] * len(events)


async def test_coverage_has_no_word_of_our_own() -> None:
    airs = [SDXL, "urn:air:sdxl:lora:civitai:1@1", "urn:air:sd9:lora:civitai:1@1", "civitai:1@1"]
    async with serve(client_compat="official") as served:
        told = (await served.client.get("/v1/consumer/coverage", params={"model": airs})).json()
    assert [strange("ProviderAssetAvailability", one) for one in told.values()] == [[]] * len(airs)
    assert {one["availability"] for one in told.values()} == set(LISTS["WorkerAssetAvailability"])


async def test_a_callback_has_no_word_of_our_own() -> None:
    async with serve() as served:
        job_id = await served.submit_one()
        claimed = await served.claim()
        entered = claimed.progressed(at=served.clock.now() + LEASE, context={})
        assert await served.stores.jobs.replace(claimed, entered)
        events = await served.stores.jobs.events(job_id)
    words = Vocabularies(compat=ClientCompat.OFFICIAL).of()
    bodies = [json.loads(json.dumps(render_event(event, words))) for event in events]
    assert [strange("JobEvent", body) for body in bodies] == [[]] * len(bodies)
    assert bodies[-1]["provider"] == "Civitai"

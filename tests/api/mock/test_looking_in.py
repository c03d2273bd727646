"""What whoever looks in sees: jobs, graphs, the queue, workers and settings; looking changes nothing."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from civitai_mock.api.mock import is_control_path
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.stages import JobEventType
from civitai_mock.services.job_listing import COST_OF_LOOKUP, MOST_LOOKED_AT
from civitai_mock.settings import Settings
from tests.support.graph_check import faults
from tests.support.served_app import CHECKPOINT, JOBS, LORA, Served, serve, serve_all, template

JOBS_OF_MOCK = "/_mock/jobs"
HOOK = "http://127.0.0.1:9/hook"
NOTHING_WENT_WRONG: JsonObject = {"rule": "fault-1"}
DROPPED: JsonObject = {"rule": "fault-1", "does": {"preset": "callback-drop"}}
V2_WORKFLOWS = "/v2/consumer/workflows"
V2 = {"steps": [{"$type": "textToImage", "input": {"prompt": "a quiet harbour", "model": CHECKPOINT}}]}


async def _get(client: httpx.AsyncClient, path: str, expected: int = 200, /, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def _ids(client: httpx.AsyncClient, **params: Any) -> list[str]:
    return [item["jobId"] for item in (await _get(client, JOBS_OF_MOCK, **params))["items"]]


async def test_a_list_has_what_is_known_of_each_job(served: Served) -> None:
    job_id = await served.submit_one()
    served.clock.advance(3)
    claimed = await served.claim()
    await served.enter(claimed, {})
    (item,) = (await _get(served.client, JOBS_OF_MOCK))["items"]
    assert item == {
        "jobId": job_id,
        "status": "Claimed",
        "stage": "CLAIMED",
        "type": "TextToImageV2",
        "consumer": "civitai-1",
        "createdAt": item["createdAt"],
        "changedAt": item["changedAt"],
        "expireAt": item["expireAt"],
        "cost": item["cost"],
        "priority": 0,
        "retryAttempt": 0,
        "traceId": item["traceId"],
        "prompt": "a fox",
        "model": CHECKPOINT,
        "provider": "local",
        "workerId": claimed.claim and claimed.claim.worker_id,
    }
    assert item["createdAt"] < item["changedAt"] < item["expireAt"]


async def test_jobs_come_youngest_first_page_by_page(served: Served) -> None:
    ids = []
    for _ in range(5):
        ids.append(await served.submit_one())
        served.clock.advance(1)
    seen: list[str] = []
    page: dict[str, Any] = {"next": None}
    while "next" in page:
        page = await _get(served.client, JOBS_OF_MOCK, take=2, **({"cursor": page["next"]} if page["next"] else {}))
        seen += [item["jobId"] for item in page["items"]]
        assert len(page["items"]) <= 2
    assert seen == ids[::-1]


async def test_jobs_of_every_consumer_are_seen() -> None:
    async with serve(auth="any") as served:
        for name in ("alice", "bob"):
            headers = {"authorization": f"Bearer {name}"}
            await served.client.post(JOBS, json=template(), headers=headers)
        items = (await _get(served.client, JOBS_OF_MOCK))["items"]
        assert len({item["consumer"] for item in items}) == 2


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {"fox", "lora", "tags"}),
        ({"status": "Initialized"}, {"fox", "lora", "tags"}),
        ({"status": "initialized", "type": "texttoimagev2"}, {"fox", "lora"}),
        ({"status": "Succeeded"}, set()),
        ({"type": "WDTagging"}, {"tags"}),
        ({"type": "textToImage"}, {"fox", "lora"}),
        ({"q": "FOX"}, {"fox"}),
        ({"q": "harbour"}, {"lora"}),
        ({"q": "82098"}, {"lora"}),
        ({"q": "nothing like that"}, set()),
        ({"q": "fox", "type": "WDTagging"}, set()),
        ({"ecosystem": "SDXL"}, {"fox", "lora"}),
        ({"ecosystem": "flux1"}, set()),
        ({"provider": "local"}, set()),
        ({"since": "1m"}, {"fox", "lora", "tags"}),
        ({"since": "2100-01-01T00:00:00Z"}, set()),
    ],
)
async def test_jobs_are_found_and_counted_by_what_is_known_of_them(
    served: Served, filters: dict[str, str], found: set[str]
) -> None:
    networks = {LORA: {"strength": 1, "type": "Lora"}}
    submissions = {
        "fox": template(),
        "lora": template(params={"prompt": "a harbour", "width": 512, "height": 512}, additionalNetworks=networks),
        "tags": {"$type": "wdTagging", "model": "wd", "mediaUrl": "https://images.example/1.png"},
    }
    names = {}
    for name, submission in submissions.items():
        answer = await served.client.post(JOBS, json=submission)
        assert answer.status_code == 202, answer.text
        names[answer.json()["jobId"]] = name
    assert {names[job_id] for job_id in await _ids(served.client, **filters)} == found
    assert await _get(served.client, f"{JOBS_OF_MOCK}/count", **filters) == {"count": len(found), "exact": True}


async def test_jobs_are_found_by_age_and_by_who_has_them(served: Served) -> None:
    old = await served.submit_one()
    await served.claim()
    served.clock.advance(90)
    young = await served.submit_one()
    await served.enter(await served.claim(), {})
    assert await _ids(served.client, since="1m") == [young]
    assert await _ids(served.client, since="2m") == [young, old]
    assert await _ids(served.client, provider="LOCAL") == [young]
    assert await _ids(served.client, provider="spot") == []


async def test_jobs_are_found_by_what_hit_their_callbacks(served: Served) -> None:
    told, silent, _ = [await served.submit_one(callbackUrl=url) for url in (HOOK, HOOK, None)]
    for job_id, kept in (
        (told, DROPPED),
        (silent, NOTHING_WENT_WRONG),
    ):
        await served.stores.webhooks.keep_fault(job_id, seq=0, fault=kept)
    assert await _ids(served.client, fault="fault-1") == [told]
    assert await _ids(served.client, fault="fault-1", since="1m", status="Failed") == []
    answer = await served.client.post(V2_WORKFLOWS, json={**V2, "callbacks": [{"url": HOOK, "type": ["workflow:*"]}]})
    found = answer.json()
    assert answer.status_code == 202, found
    (of_workflow,) = [job["id"] for step in found["steps"] for job in step["jobs"]]
    await served.stores.announcements.keep_fault(found["id"], seq=0, fault={**DROPPED, "rule": "fault-2"})
    assert await _ids(served.client, fault="fault-2") == [of_workflow]


async def test_a_search_for_what_hit_callbacks_looks_them_up_for_a_tenth_of_the_jobs(served: Served) -> None:
    first = await served.submit_one(callbackUrl=HOOK)
    await served.stores.webhooks.keep_fault(first, seq=0, fault=DROPPED)
    served.clock.advance(1)
    jobs = [template(callbackUrl=HOOK) for _ in range(MOST_LOOKED_AT // COST_OF_LOOKUP)]
    assert (await served.client.post(JOBS, json={"jobs": jobs})).status_code == 202
    page = await _get(served.client, JOBS_OF_MOCK, fault="fault-1")
    assert page["items"] == []
    second = await _get(served.client, JOBS_OF_MOCK, fault="fault-1", cursor=page["next"])
    assert [item["jobId"] for item in second["items"]] == [first]


async def test_a_count_ends_at_a_thousand(served: Served) -> None:
    await served.client.post(JOBS, json={"jobs": [template() for _ in range(1000)]})
    assert await _get(served.client, f"{JOBS_OF_MOCK}/count") == {"count": 1000, "exact": True}
    await served.submit_one()
    assert await _get(served.client, f"{JOBS_OF_MOCK}/count") == {"count": 1000, "exact": False}


async def test_a_job_is_found_by_a_part_of_its_id(served: Served) -> None:
    wanted, _ = await served.submit_one(), await served.submit_one()
    assert await _ids(served.client, q=wanted[:13].upper()) == [wanted]


async def test_a_search_ends_after_so_many_jobs_and_goes_on_with_the_next_page(served: Served) -> None:
    wanted = await served.submit_one(params={"prompt": "the needle", "width": 512, "height": 512})
    served.clock.advance(1)
    for _ in range(MOST_LOOKED_AT // 1000):
        answer = await served.client.post(JOBS, json={"jobs": [template() for _ in range(1000)]})
        assert answer.status_code == 202
    first = await _get(served.client, JOBS_OF_MOCK, q="needle")
    assert first["items"] == []
    second = await _get(served.client, JOBS_OF_MOCK, q="needle", cursor=first["next"])
    assert [item["jobId"] for item in second["items"]] == [wanted]
    assert "next" not in second


@pytest.mark.parametrize(
    ("params", "member", "message"),
    [
        ({"status": "Claimd"}, "status", "Did you mean 'Claimed'?"),
        ({"type": "TextToImag"}, "type", "Did you mean 'TextToImageV2'?"),
        ({"take": "0"}, "take", "expected a number from 1 to 1000."),
        ({"cursor": "x"}, "cursor", "The cursor is not one that this list gave out."),
        ({"cursor": "WzEsMl0"}, "cursor", "The cursor is not one that this list gave out."),
        ({"cursor": "é"}, "cursor", "The cursor is not one that this list gave out."),
        ({"since": "yesterday"}, "since", "expected a date like 2026-01-31T12:00:00Z."),
        ({"state": "Claimed"}, "state", "Did you mean 'status'?"),
    ],
)
async def test_what_is_asked_wrongly_is_a_400(
    client: httpx.AsyncClient, params: dict[str, str], member: str, message: str
) -> None:
    ((found, (text,)),) = (await _get(client, JOBS_OF_MOCK, 400, **params))["errors"].items()
    assert (found, text.endswith(message)) == (member, True), text


async def test_a_job_has_its_events_and_what_was_asked_for(served: Served) -> None:
    job_id = await served.submit_one(properties={"user": 7})
    await served.finish()
    details = await _get(served.client, f"{JOBS_OF_MOCK}/{job_id.upper()}")
    assert [event["type"] for event in details["events"]] == ["Initialized", "Succeeded"]
    events = (await served.client.get(f"/v1/producer/jobs/{job_id}/events")).json()
    assert details["events"] == events
    assert (details["status"], details["outcome"]) == (JobEventType.SUCCEEDED, "SUCCEEDED")
    assert details["properties"] == {"user": 7}
    assert details["spec"]["params"]["prompt"] == "a fox"
    assert details["runsGraph"] is True
    assert details["faults"] == []


async def test_jobs_of_workflows_are_there_too() -> None:
    async with serve_all() as opened:
        answer = await opened.client.post("/v2/consumer/workflows?wait=60", json=V2)
        assert answer.json()["status"] == "succeeded", answer.text
        (item,) = (await _get(opened.client, JOBS_OF_MOCK, q="harbour"))["items"]
        assert (item["workflowId"], item["step"], item["outcome"]) == (answer.json()["id"], 0, "SUCCEEDED")
        details = await _get(opened.client, f"{JOBS_OF_MOCK}/{item['jobId']}")
        assert [event["type"] for event in details["events"]][-1] == "Succeeded"
        graph = await _get(opened.client, f"{JOBS_OF_MOCK}/{item['jobId']}/graph")
        assert faults(graph) == []


@pytest.mark.parametrize("path", ["", "/graph"])
async def test_an_unknown_job_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    await _get(client, f"{JOBS_OF_MOCK}/nothing{path}", 404)


async def test_the_graph_of_a_job_is_the_one_that_runs(served: Served) -> None:
    """Before it is sent and after, it is the same, bare and complete."""
    built = (await served.client.post("/_mock/graph", json=template())).json()
    job_id = await served.submit_one()
    waiting = await _get(served.client, f"{JOBS_OF_MOCK}/{job_id}/graph")
    assert _without_prefix(waiting) == _without_prefix(built)
    assert faults(waiting) == []
    async with serve_all() as opened:
        done = await opened.run(template())
        sent = await _get(opened.client, f"{JOBS_OF_MOCK}/{done['jobId']}/graph")
        assert sent == json.loads(done["lastEvent"]["context"]["comfy_prompt_request"])
        assert _without_prefix(sent) == _without_prefix(built)


def _without_prefix(graph: Any) -> Any:
    """Files are called by the id of their job."""
    prefix = graph["SaveImage"]["inputs"]["filename_prefix"]
    return json.loads(json.dumps(graph).replace(prefix, "job"))


async def test_a_job_without_a_graph_says_so(served: Served) -> None:
    submission = {"$type": "wdTagging", "model": "wd", "mediaUrl": "https://images.example/1.png"}
    job_id = (await served.client.post(JOBS, json=submission)).json()["jobId"]
    told = await _get(served.client, f"{JOBS_OF_MOCK}/{job_id}/graph", 404)
    assert "runs no graph" in told["detail"]
    assert (await _get(served.client, f"{JOBS_OF_MOCK}/{job_id}"))["runsGraph"] is False
    answer = await served.client.post("/_mock/graph", json=submission)
    assert (answer.status_code, answer.json()["detail"]) == (409, "A WDTagging runs no graph.")


async def test_building_a_graph_stores_nothing(served: Served) -> None:
    answer = await served.client.post("/_mock/graph", json=template())
    assert answer.status_code == 200
    assert await _ids(served.client) == []


async def test_building_a_graph_changes_nothing_that_is_drawn_later() -> None:
    drawn = []
    for graphs in (0, 2):
        async with serve() as served:
            await served.client.put("/_mock/namespaces/default", json={"seed": 7})
            for _ in range(graphs):
                assert (await served.client.post("/_mock/graph", json=template())).status_code == 200
            drawn.append(await served.submit_one())
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    "submission",
    [
        template(params={"prompt": "x", "width": 1}),
        template(model="urn:air:sdxl:checkpoint:civitai:1@2"),
        template(model=None),
        {"$type": "nothing"},
        [],
        5,
    ],
)
async def test_a_template_is_refused_as_a_submission_is(client: httpx.AsyncClient, submission: Any) -> None:
    built, submitted = await client.post("/_mock/graph", json=submission), await client.post(JOBS, json=submission)
    assert built.status_code == submitted.status_code == 400
    assert built.json()["errors"] == submitted.json()["errors"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/zip", 415),
        ("", 415),
        (None, 415),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"admin_token": "t"}], ids=["open", "token"])
async def test_a_change_says_its_media_type(content_type: str | None, status: int, settings: dict[str, str]) -> None:
    """A POST that changes nothing obeys the same rule."""
    headers = {"authorization": "Bearer t"} | ({} if content_type is None else {"content-type": content_type})
    async with serve(None, **settings) as served:
        answer = await served.client.post("/_mock/graph", content=json.dumps(template()), headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (
            {"params": template()["params"] | {"seed": 8, "prompt": "a cat"}},
            [
                {"path": "CLIPTextEncode.inputs.text", "a": "a fox", "b": "a cat"},
                {"path": "KSampler.inputs.seed", "a": 7, "b": 8},
            ],
        ),
    ],
)
async def test_two_graphs_are_compared(served: Served, changes: Any, expected: Any) -> None:
    """The ids of their jobs, by which files are called, are no difference."""
    first, second = await served.submit_one(), await served.submit_one(**changes)
    told = await _get(served.client, "/_mock/graph/diff", a=first, b=second)
    assert told["equal"] == (not expected)
    assert sorted(told["changes"], key=lambda change: str(change["path"])) == expected


@pytest.mark.parametrize(("params", "status"), [({"a": "x"}, 400), ({"a": "x", "b": "y"}, 404)])
async def test_a_comparison_needs_two_jobs(client: httpx.AsyncClient, params: dict[str, str], status: int) -> None:
    await _get(client, "/_mock/graph/diff", status, **params)


async def test_the_queue_is_in_the_order_of_claims(served: Served) -> None:
    low = await served.submit_one(priority="low")
    served.clock.advance(1)
    normal = await served.submit_one()
    high = await served.submit_one(priority="high")
    first = await _get(served.client, "/_mock/queue", take=2)
    assert [item["jobId"] for item in first["items"]] == [high, normal]
    second = await _get(served.client, "/_mock/queue", take=2, cursor=first["next"])
    assert [(item["jobId"], item["precedingJobs"]) for item in second["items"]] == [(low, 2)]
    claimed = await served.claim()
    assert claimed.id == high
    left = await _get(served.client, "/_mock/queue")
    assert [item["jobId"] for item in left["items"]] == [normal, low]


async def test_the_workers_are_those_of_health(client: httpx.AsyncClient) -> None:
    told, health = await _get(client, "/_mock/workers"), await _get(client, "/health")
    assert told == {"items": health["workers"]}
    assert told["items"]


async def test_settings_say_what_they_are_and_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = {"AUTH_TOKENS": "alice", "ADMIN_TOKEN": "bob", "MONGODB_URI": "mongodb://user:carol@db/x"}
    in_file = {"AUTH": "tokens", "PORT": "4000", "HOST": "127.0.0.1"}
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in in_file.items()), "utf-8")
    for name, value in {**secrets, "PORT": "5000", "SEED_RESOURCES": "true"}.items():
        monkeypatch.setenv(name, value)
    shown = {setting.name: (setting.value, setting.origin) for setting in Settings.load().shown()}
    assert set(shown) == {name.upper() for name in Settings.model_fields}
    assert shown["PORT"] == (5000, "env")
    assert shown["SEED_RESOURCES"] == (True, "env")
    assert shown["AUTH"] == ("tokens", "file")
    assert shown["AUTH_TOKENS"] == shown["ADMIN_TOKEN"] == ("***", "env")
    assert shown["MONGODB_URI"] == ("mongodb://***@db/x", "env")
    assert shown["BLOB_SIGNING_KEY"] == (None, "default")
    assert shown["WAIT_LIMIT_S"] == (60, "default")


async def test_settings_are_listed(served: Served) -> None:
    first = await _get(served.client, "/_mock/settings", take=5)
    assert len(first["items"]) == 5
    everything = (await _get(served.client, "/_mock/settings"))["items"]
    assert {"name": "MONGODB_URI", "value": "memory://", "origin": "env"} in everything
    rest = (await _get(served.client, "/_mock/settings", cursor=first["next"]))["items"]
    assert first["items"] + rest == everything
    assert first["schemaVersion"] == served.namespace.stores.health.schema_version


async def test_what_was_set_for_a_namespace_stands_in_the_place_of_a_setting() -> None:
    async with serve(buzz_balance="5") as served:
        served.namespace.controls.update({"balance": {"yellow": 7}}, {})
        items = {item["name"]: item for item in (await _get(served.client, "/_mock/settings"))["items"]}
        assert items["BUZZ_BALANCE"] == {"name": "BUZZ_BALANCE", "value": {"yellow": 7}, "origin": "api"}
        other = await served.client.get("/_mock/settings", headers={"x-mock-namespace": "other"})
        assert {"name": "BUZZ_BALANCE", "value": "5", "origin": "env"} in other.json()["items"]


async def test_looking_loads_nothing_before_the_first_look(clock: VirtualClock) -> None:
    async with serve(clock) as served:
        namespace = served.namespace
        assert "looking_in" not in namespace.__dict__
        assert is_control_path(JOBS_OF_MOCK)
        await _ids(served.client)
        assert "looking_in" in namespace.__dict__


@pytest.mark.parametrize("path", ["", "/graph"])
async def test_what_is_seen_is_of_the_namespace_that_is_asked_for(served: Served, path: str) -> None:
    here, there = {"x-mock-namespace": "here"}, {"x-test-id": "there"}
    answer = await served.client.post(JOBS, json=template(), headers=here)
    job_id = answer.json()["jobId"]
    seen = [
        (await served.client.get(f"{JOBS_OF_MOCK}/{job_id}{path}", headers=headers)).status_code
        for headers in (here, there, {})
    ]
    assert seen == [200, 404, 404]
    lists = [
        (await served.client.get(f"/_mock/{name}", headers=headers)).json()["items"]
        for name in ("jobs", "queue")
        for headers in (here, there, {})
    ]
    assert [[item["jobId"] for item in items] for items in lists] == [[job_id], [], [], [job_id], [], []]


async def test_control_headers_obey_the_rules_of_the_control_plane() -> None:
    named = {"x-mock-namespace": "here"}
    async with serve(admin_token="secret") as served:
        answers = [
            await served.client.post(JOBS, json=template(), headers=headers)
            for headers in (named, named | {"x-mock-token": "other"}, named | {"x-mock-token": "secret"}, {})
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 202, 202]
    async with serve() as served:
        foreign = [{"host": "evil.example"}, {"host": "localhost", "origin": "http://localhost:5173"}]
        for headers in foreign:
            assert (await served.client.post(JOBS, json=template(), headers=named | headers)).status_code == 403
            assert (await served.client.post(JOBS, json=template(), headers=headers)).status_code == 202
    async with serve(admin="off") as served:
        assert (await served.client.post(JOBS, json=template(), headers=named | foreign[0])).status_code == 202
        assert await served.queued() == 1  # in the default namespace, as the header is unknown


async def test_workflows_are_seen_without_a_look_at_their_jobs() -> None:
    async with serve(missing_resources="lenient") as served:
        headers = {"x-mock-progress": "polls"}
        made = [(await served.client.post(V2_WORKFLOWS, json=V2, headers=headers)).json()["id"] for _ in range(3)]
        first = await _get(served.client, "/_mock/workflows", take=2)
        rest = await _get(served.client, "/_mock/workflows", take=2, cursor=first["next"])
        assert [item["workflowId"] for item in [*first["items"], *rest["items"]]] == made[::-1]
        item = first["items"][0]
        assert (item["status"], item["steps"], len(item["jobIds"])) == ("unassigned", ["textToImage"], 1)
        shown = [await _get(served.client, f"/_mock/workflows/{made[0]}") for _ in range(3)]
        assert {workflow["status"] for workflow in shown} == {"unassigned"}
        own = (await served.client.get(f"{V2_WORKFLOWS}/{made[0]}")).json()
        assert shown[0].keys() == own.keys()
        await _get(served.client, "/_mock/workflows/0-1", 404)

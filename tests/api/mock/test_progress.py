"""The progress mode of a namespace and of the server, as it is set under /_mock."""

from pathlib import Path
from typing import Any

import pytest

from civitai_mock.bootstrap.application import Application
from tests.support.event_loop import until
from tests.support.served_app import JOBS, Opened, Served, make_settings, open_app, serve, serve_all, template

PROGRESS, SERVER = "/_mock/progress", "/_mock/progress?scope=server"
IN_A = {"x-mock-namespace": "a"}
TYPES = ["Initialized", "Claimed", "Updated", "Updated", "Succeeded"]
MODES = [
    {"mode": "instant"},
    {"mode": "time"},
    {"mode": "time", "stages": {"QUEUED": "2s", "CLAIMED": {"min": "1s", "max": "PT2S"}}},
    {"mode": "time", "stages": {"SENT_TO_COMFY": {"p50": "500ms", "p99": "4s"}, "COMFY_RESULT": "0s"}},
    {"mode": "polls"},
    {"mode": "polls", "each": 2},
    {"mode": "manual"},
]


async def put(opened: Opened, path: str = PROGRESS, *, headers: Any = None, **mode: Any) -> None:
    answer = await opened.client.put(path, json=mode, headers=headers)
    assert (answer.status_code, answer.json()) == (200, mode)


async def get(opened: Opened, path: str = PROGRESS, *, headers: Any = None) -> Any:
    answer = await opened.client.get(path, headers=headers)
    assert answer.status_code == 200
    return answer.json()


async def seen(opened: Opened, looks: int, *, headers: Any = None) -> list[str]:
    """Return the types of the events that a poll loop of a new job sees."""
    answer = await opened.client.post(JOBS, json=template(), headers=headers)
    path = f"{JOBS}/{answer.json()['jobId']}"
    return [(await opened.client.get(path, headers=headers)).json()["lastEvent"]["type"] for _ in range(looks)]


@pytest.mark.parametrize("path", [PROGRESS, SERVER])
@pytest.mark.parametrize("mode", MODES)
async def test_what_is_set_is_told_back_until_it_is_deleted(served: Served, path: str, mode: dict[str, Any]) -> None:
    for _ in range(2):
        await put(served, path, **mode)
        assert await get(served, path) == mode
    for _ in range(2):
        answer = await served.client.request("DELETE", path, json={})
        assert (answer.status_code, answer.content) == (204, b"")
        assert await get(served, path) == {"mode": "time"}


async def test_a_mode_holds_from_the_answer_on_for_its_namespace_alone(served: Served) -> None:
    await put(served, headers=IN_A, mode="polls")
    assert await seen(served, 6, headers=IN_A) == [*TYPES, "Succeeded"]
    assert await seen(served, 2) == ["Initialized"] * 2
    assert await get(served) == {"mode": "time"}
    assert (await served.client.get("/_mock/namespaces/a")).json()["progress"] == {"mode": "polls"}


async def test_the_mode_of_the_server_holds_where_there_is_none(served: Served) -> None:
    await put(served, headers=IN_A, mode="manual")
    await put(served, SERVER, mode="polls", each=2)
    assert await get(served) == {"mode": "polls", "each": 2}
    assert await get(served, headers=IN_A) == {"mode": "manual"}
    assert await seen(served, 9) == [kind for kind in TYPES[:4] for _ in range(2)] + ["Succeeded"]
    assert await seen(served, 2, headers=IN_A) == ["Initialized"] * 2
    assert (await served.client.request("DELETE", PROGRESS, json={}, headers=IN_A)).status_code == 204
    assert await seen(served, 3, headers=IN_A) == ["Initialized"] * 2 + ["Claimed"]
    assert (await served.client.request("DELETE", SERVER, json={})).status_code == 204
    assert await seen(served, 2, headers=IN_A) == ["Initialized"] * 2


async def test_a_reset_makes_the_mode_as_new(served: Served) -> None:
    await put(served, mode="polls")
    assert (await served.client.post("/_mock/reset", json={})).status_code == 204
    assert await get(served) == {"mode": "time"}
    await put(served, SERVER, mode="polls")
    assert (await served.client.post("/_mock/reset?all=true", json={})).status_code == 204
    assert await get(served, SERVER) == {"mode": "time"}


@pytest.mark.parametrize(
    ("body", "path", "hint"),
    [
        ({}, "mode", "mode is required"),
        ({"mode": "pols"}, "mode", "Did you mean 'polls'?"),
        ({"mode": "polls", "eech": 1}, "eech", "Did you mean 'each'?"),
        ({"mode": "time", "stages": {"SENT_TO_CONFY": "1s"}}, "stages.SENT_TO_CONFY", "Did you mean 'SENT_TO_COMFY'?"),
        ({"mode": "time", "stages": {"QUEUED": {"p5O": "1s", "p99": "2s"}}}, "stages.QUEUED.p5O", "mean 'p50'?"),
        ([], "$", "expected an object"),
    ],
)
async def test_what_is_misspelt_is_a_400_with_its_path_and_changes_nothing(
    served: Served, body: Any, path: str, hint: str
) -> None:
    await put(served, mode="manual")
    answer = await served.client.put(PROGRESS, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [path]
    assert hint in answer.json()["errors"][path][0]
    assert await get(served) == {"mode": "manual"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_scope_is_a_400(served: Served, method: str) -> None:
    body = None if method == "GET" else {"mode": "polls"} if method == "PUT" else {}
    answer = await served.client.request(method, f"{PROGRESS}?scope=serve", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["scope"]


@pytest.mark.parametrize(
    ("path", "body"), [(PROGRESS, {"mode": "polls"}), ("/_mock/namespaces/a", {"progress": {"mode": "polls"}})]
)
async def test_with_real_servers_a_mode_is_a_409_that_says_why(path: str, body: Any) -> None:
    async with serve(comfy_http_url="http://127.0.0.1:9") as served:
        answer = await served.client.put(path, json=body)
        assert answer.status_code == 409
        assert "COMFY_HTTP_URL" in answer.json()["detail"]
        assert await get(served) == {"mode": "time"}


async def test_jobs_that_waited_run_when_the_mode_is_deleted() -> None:
    async with serve_all() as opened:
        await put(opened, mode="manual")
        answer = await opened.client.post(JOBS, json=template())
        assert (await opened.client.request("DELETE", PROGRESS, json={})).status_code == 204
        await opened.wait_until_ended(answer.json()["jobId"])


async def test_a_mode_survives_a_restart_and_jobs_go_on_from_where_they_were(tmp_path: Path) -> None:
    store: Any = {"mongodb_uri": None, "data_dir": str(tmp_path)}
    async with serve_all(**store) as opened:
        await put(opened, mode="polls", each=2)
        answer = await opened.client.post(JOBS, json=template())
        path = f"{JOBS}/{answer.json()['jobId']}"
        before = [(await opened.client.get(path)).json()["lastEvent"]["type"] for _ in range(3)]
    async with serve_all(**store) as opened:
        assert await get(opened) == {"mode": "polls", "each": 2}
        after = [(await opened.client.get(path)).json()["lastEvent"]["type"] for _ in range(6)]
    assert before + after == [kind for kind in TYPES[:4] for _ in range(2)] + ["Succeeded"]


async def test_another_process_obeys_a_mode_before_the_answer_comes(tmp_path: Path) -> None:
    store: Any = {"mongodb_uri": None, "data_dir": str(tmp_path)}
    async with (
        open_app(Application(make_settings(**store), with_scheduler=False)) as first,
        open_app(Application(make_settings(**store), with_scheduler=False)) as second,
    ):
        await put(first, mode="polls")
        await until(lambda: second.namespace.progress_policy.mode is not None)
        assert await seen(second, 5) == TYPES


async def test_a_job_that_waits_for_looks_times_out_while_time_is_advanced() -> None:
    async with serve_all() as opened:
        frozen = await opened.client.put("/_mock/clock", json={"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
        assert frozen.status_code == 200
        await put(opened, mode="polls")
        path = f"{JOBS}/{(await opened.client.post(JOBS, json=template(timeout='00:05:00'))).json()['jobId']}"
        before = [(await opened.client.get(path)).json()["lastEvent"]["type"] for _ in range(2)]
        advanced = await opened.client.post("/_mock/clock/advance", json={"by": "5m"})
        assert (advanced.status_code, advanced.json()["status"]) == (200, "ready")
        after = [(await opened.client.get(path)).json()["lastEvent"] for _ in range(5)]
    assert before == TYPES[:2]
    assert [event["type"] for event in after] == ["ClaimExpired", *TYPES[1:]]
    assert after[0]["dateTime"] == "2026-01-31T12:05:00.0000000Z"


async def test_stages_last_their_time_on_a_clock_that_is_advanced() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        frozen = await opened.client.put("/_mock/clock", json={"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
        assert frozen.status_code == 200
        await put(opened, mode="time", stages={"QUEUED": "1m", "CLAIMED": "2m", "SENT_TO_COMFY": "7m"})
        job_id = (await opened.client.post(JOBS, json=template())).json()["jobId"]
        assert (await opened.client.post("/_mock/clock/advance", json={"by": "10m"})).status_code == 200
        events = (await opened.client.get(f"/_mock/jobs/{job_id}")).json()["events"]
    minutes = [event["dateTime"].removeprefix("2026-01-31T12:")[:5] for event in events]
    assert list(zip(TYPES, minutes, strict=True)) == [
        ("Initialized", "00:00"),
        ("Claimed", "01:00"),
        ("Updated", "03:00"),
        ("Updated", "03:00"),
        ("Succeeded", "10:00"),
    ]

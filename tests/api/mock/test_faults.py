"""Rules of faults under /_mock: set, told back with how often they hit, and refused where something is misspelt."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.bootstrap.application import Application
from civitai_mock.domain.dotnet import format_date
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.namespaces import SHARED_EPOCH, Epoch
from tests.support.served_app import JOBS, Opened, Served, make_settings, open_app, serve, serve_all, template

FAULTS, SERVER = "/_mock/faults", "/_mock/faults?scope=server"
IN_A = {"X-Mock-Namespace": "a"}
ERROR: dict[str, Any] = {"action": {"status": 500}}
REQUEST = FaultSubject(hook=Hook.REQUEST, method="GET", route="/v1/consumer/jobs/{jobId}")


async def ask(opened: Opened, method: str, path: str = FAULTS, body: Any = None, **headers: str) -> Any:
    answer = await opened.client.request(method, path, json={} if body is None else body, headers=headers)
    assert answer.status_code in {200, 201, 204}, answer.text
    return answer.json() if answer.content else None


async def listed(opened: Opened, path: str = FAULTS, **headers: str) -> Any:
    return (await ask(opened, "GET", path, **headers))["items"]


async def fired(opened: Opened, number: int = 1) -> list[str | None]:
    rules = [(await opened.namespace.faults.choose(REQUEST)).rule for _ in range(number)]
    return [None if rule is None else rule.id for rule in rules]


async def frozen(opened: Opened, minute: int) -> str:
    """Freeze the clock of the default namespace, and return the date as a rule is told with it."""
    date = f"2026-03-01T12:{minute:02}:00"
    await ask(opened, "PUT", "/_mock/clock", {"mode": "frozen", "now": f"{date}Z"})
    return f"{date}.0000000Z"


@pytest.mark.parametrize(("path", "prefix"), [(FAULTS, "fault-"), (SERVER, "server-fault-")])
async def test_a_rule_is_told_back_with_its_id_and_its_hits(served: Served, path: str, prefix: str) -> None:
    answer = await served.client.post(path, json={**ERROR, "times": 3})
    assert (answer.status_code, answer.json()) == (201, {"id": f"{prefix}1", **ERROR, "times": 3, "hits": 0, "left": 3})
    one_path = path.replace(FAULTS, f"{FAULTS}/{prefix}1")
    assert await fired(served, 2) == [f"{prefix}1"] * 2
    told = await ask(served, "GET", one_path)
    assert told.pop("lastHitAt")
    assert told == {"id": f"{prefix}1", **ERROR, "times": 3, "hits": 2, "left": 1}
    assert [{**told, **each} for each in await listed(served, path)] == await listed(served, path)
    assert await fired(served, 2) == [f"{prefix}1", None]
    after = await ask(served, "GET", one_path)
    assert (after["hits"], after["left"]) == (3, 0)


@pytest.mark.parametrize("times", [{}, {"times": 9}])
async def test_a_rule_is_told_with_its_last_hit_by_the_clock_of_its_namespace(
    served: Served, times: dict[str, Any]
) -> None:
    assert "lastHitAt" not in await ask(served, "POST", body={**ERROR, **times})
    assert "lastHitAt" not in (await listed(served))[0]
    for minute in (30, 31, 7):  # a clock may be set back, too
        date = await frozen(served, minute)
        await fired(served)
        assert (await listed(served))[0]["lastHitAt"] == date
    await frozen(served, 40)
    switched = await ask(served, "PUT", f"{FAULTS}/fault-1", {**ERROR, **times, "enabled": False})
    assert (switched["lastHitAt"], await fired(served)) == (date, [None])
    anew = await ask(served, "PUT", f"{FAULTS}/fault-1", {"action": {"status": 503}})
    assert "lastHitAt" not in anew


async def test_what_matches_and_does_not_fire_is_no_hit(served: Served) -> None:
    await ask(served, "POST", body={**ERROR, "times": 1, "after": 1})
    await frozen(served, 1)
    assert await fired(served) == [None]
    assert "lastHitAt" not in (await listed(served))[0]
    date = await frozen(served, 2)
    assert await fired(served) == ["fault-1"]
    await frozen(served, 3)
    assert await fired(served) == [None]
    assert (await listed(served))[0]["lastHitAt"] == date


async def test_a_rule_of_the_server_is_told_with_its_last_hit_by_the_real_clock(served: Served) -> None:
    await ask(served, "POST", SERVER, ERROR)
    await frozen(served, 1)
    await fired(served)
    assert (await listed(served, SERVER))[0]["lastHitAt"] == format_date(served.clock.now())


async def test_a_rule_of_any_number_of_times_is_told_with_its_hits_alone(served: Served) -> None:
    await ask(served, "POST", body=ERROR)
    await fired(served, 2)
    (told,) = await listed(served)
    assert told == {"id": "fault-1", **ERROR, "hits": 2, "lastHitAt": told["lastHitAt"]}


async def test_rules_are_listed_in_their_order_page_by_page(served: Served) -> None:
    for _ in range(12):
        await ask(served, "POST", body=ERROR)
    await ask(served, "DELETE", f"{FAULTS}/fault-2")
    await ask(served, "PUT", f"{FAULTS}/fault-3", {"action": {"reset": True}})
    first = await ask(served, "GET", f"{FAULTS}?take=9")
    rest = await ask(served, "GET", f"{FAULTS}?take=9&cursor={first['next']}")
    assert [rule["id"] for rule in first["items"] + rest["items"]] == [
        f"fault-{number}" for number in (1, *range(3, 13))
    ]
    assert (first["items"][1]["action"], "next" in rest) == ({"reset": True}, False)


async def test_an_id_is_not_used_twice_until_a_reset(served: Served) -> None:
    await ask(served, "POST", body=ERROR)
    await ask(served, "DELETE", f"{FAULTS}/fault-1")
    assert (await ask(served, "POST", body=ERROR))["id"] == "fault-2"
    await ask(served, "DELETE")
    assert (await ask(served, "POST", body=ERROR))["id"] == "fault-3"
    await ask(served, "POST", "/_mock/reset")
    assert (await ask(served, "POST", body=ERROR))["id"] == "fault-1"


async def test_namespaces_have_their_rules_by_themselves(served: Served) -> None:
    await ask(served, "POST", body=ERROR, **IN_A)
    assert (await listed(served), len(await listed(served, **IN_A)), await fired(served)) == ([], 1, [None])
    assert (await served.client.get(f"{FAULTS}/fault-1")).status_code == 404


async def test_a_reset_of_all_clears_the_servers_rules_and_their_counts(served: Served) -> None:
    for path in (FAULTS, SERVER):
        await ask(served, "POST", path, {**ERROR, "times": 1})
    assert await fired(served, 3) == ["fault-1", "server-fault-1", None]
    await ask(served, "POST", "/_mock/reset?all=true")
    assert [await listed(served, path) for path in (FAULTS, SERVER)] == [[], []]
    await ask(served, "POST", SERVER, {**ERROR, "times": 1})
    assert await fired(served, 2) == ["server-fault-1", None]


async def test_all_rules_are_removed_at_once(served: Served) -> None:
    for path in (FAULTS, FAULTS, SERVER):
        await ask(served, "POST", path, ERROR)
    assert await ask(served, "DELETE") is None
    assert (await listed(served), await fired(served)) == ([], ["server-fault-1"])
    assert await ask(served, "DELETE", SERVER) is None
    assert (await fired(served), served.namespace.faults.is_any_set) == ([None], False)


async def test_a_put_begins_anew_unless_a_rule_is_only_switched(served: Served) -> None:
    rule = {**ERROR, "times": 2}
    told = await ask(served, "POST", body=rule)
    await fired(served)
    switched = await ask(served, "PUT", f"{FAULTS}/fault-1", {**told, "enabled": False})
    assert (switched["hits"], switched["left"], await fired(served)) == (1, 1, [None])
    again = await ask(served, "PUT", f"{FAULTS}/fault-1", {**switched, "enabled": True})
    assert (again["hits"], await fired(served, 2)) == (1, ["fault-1", None])
    anew = await ask(served, "PUT", f"{FAULTS}/fault-1", {**rule, "times": 1})
    assert (anew["hits"], anew["left"], await fired(served, 2)) == (0, 1, ["fault-1", None])


async def test_a_rule_that_is_switched_keeps_its_time(served: Served) -> None:
    rule = {**ERROR, "forSeconds": 10}
    await ask(served, "POST", body=rule)
    served.clock.advance(6)
    await ask(served, "PUT", f"{FAULTS}/fault-1", {**rule, "enabled": True})
    assert await fired(served) == ["fault-1"]
    served.clock.advance(4)
    assert await fired(served) == [None]
    await ask(served, "PUT", f"{FAULTS}/fault-1", {**rule, "forSeconds": 5})
    assert await fired(served) == ["fault-1"]


@pytest.mark.parametrize(
    ("rule", "path", "hint"),
    [
        ({}, "$", "exactly one of preset, action"),
        ([], "$", "Expected a JSON object"),
        ({**ERROR, "tims": 2}, "tims", "Did you mean 'times'?"),
        ({**ERROR, "match": {"metod": "GET"}}, "match.metod", "Did you mean 'method'?"),
        ({**ERROR, "match": {"method": "GETT"}}, "match.method", "Did you mean 'GET'?"),
        ({"action": {"staus": 500}}, "action.staus", "Did you mean 'status'?"),
        ({"action": {"status": 99}}, "action.status", "from 200 to 599"),
        ({"preset": "blob-lat"}, "preset", "Did you mean 'blob-late'?"),
        ({**ERROR, "match": {"attempt": 1}}, "match.attempt", "the rule would never fire"),
        ({**ERROR, "match": {"prompt": {"pattern": "("}}}, "match.prompt.pattern", "RE2"),
        (
            {**ERROR, "match": {"route": "/v1/consumer/jobs/{job}"}},
            "match.route",
            "Did you mean '/v1/consumer/jobs/{jobId}'?",
        ),
        ({**ERROR, "probability": 1.5}, "probability", "from 0 to 1"),
    ],
)
async def test_what_is_wrong_is_a_400_with_its_path_and_changes_nothing(
    served: Served, rule: Any, path: str, hint: str
) -> None:
    kept = await ask(served, "POST", body=ERROR)
    for method, where in (("POST", FAULTS), ("POST", SERVER), ("PUT", f"{FAULTS}/fault-1")):
        answer = await served.client.request(method, where, json=rule)
        assert answer.status_code == 400, answer.text
        assert (path, hint in answer.json()["errors"][path][0]) == (path, True), answer.json()
    assert (await listed(served), await listed(served, SERVER)) == ([kept], [])


@pytest.mark.parametrize("route", ["/v1/consumer/jobs/{jobId}", "/_mock/faults", "/v2/consumer/recipes/textToImage"])
async def test_a_route_is_one_of_the_description(served: Served, route: str) -> None:
    assert route in (await served.client.get("/openapi.json")).json()["paths"]
    await ask(served, "POST", body={**ERROR, "match": {"route": route}})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [f"{FAULTS}/fault-2", f"{FAULTS}/server-fault-1", f"{FAULTS}/fault-1?scope=server"])
async def test_an_unknown_id_is_a_404(served: Served, method: str, path: str) -> None:
    await ask(served, "POST", body=ERROR)
    answer = await served.client.request(method, path, json=ERROR if method == "PUT" else {})
    assert (answer.status_code, "There is no rule" in answer.json()["detail"]) == (404, True)


async def test_too_many_rules_are_a_409() -> None:
    async with serve(faults_max_rules=2) as served:
        for _ in range(2):
            await ask(served, "POST", body=ERROR)
        answer = await served.client.post(FAULTS, json=ERROR)
        assert (answer.status_code, "FAULTS_MAX_RULES" in answer.json()["detail"]) == (409, True)
        await ask(served, "POST", SERVER, ERROR)
        await ask(served, "DELETE", f"{FAULTS}/fault-1")
        assert (await ask(served, "POST", body=ERROR))["id"] == "fault-3"


async def test_too_large_rules_are_a_409(served: Served) -> None:
    rule = {"action": {"status": 500, "body": "x" * 900_000}}
    answers = [(await served.client.post(FAULTS, json=rule)).status_code for _ in range(5)]
    assert answers == [201] * 4 + [409]


async def test_rules_that_are_added_at_once_get_an_id_each(served: Served) -> None:
    rules = await asyncio.gather(*(ask(served, "POST", body=ERROR) for _ in range(20)))
    assert {rule["id"] for rule in rules} == {rule["id"] for rule in await listed(served)}
    assert len(await listed(served)) == 20


async def test_a_restart_goes_on_with_rules_counts_and_dice(tmp_path: Path) -> None:
    store: Any = {"mongodb_uri": None, "data_dir": str(tmp_path)}
    seen = []
    for restart in (False, True):
        async with serve_all(**store) as opened:
            if not restart:
                await ask(opened, "PUT", "/_mock/namespaces/default", {"seed": 7})
                await ask(opened, "POST", body={**ERROR, "times": 3})
                await ask(opened, "POST", body={**ERROR, "probability": 0.5})
            seen += await fired(opened, 20)
    assert seen[:3] == ["fault-1"] * 3
    assert (seen.count("fault-1"), seen[3:20] == seen[23:]) == (3, False)
    async with serve_all() as opened:
        await ask(opened, "PUT", "/_mock/namespaces/default", {"seed": 7})
        await ask(opened, "POST", body={**ERROR, "times": 3})
        await ask(opened, "POST", body={**ERROR, "probability": 0.5})
        assert await fired(opened, 40) == seen


async def test_another_process_obeys_before_the_answer_comes(tmp_path: Path) -> None:
    store: Any = {"mongodb_uri": None, "data_dir": str(tmp_path)}
    async with (
        open_app(Application(make_settings(**store), with_scheduler=False)) as first,
        open_app(Application(make_settings(**store), with_scheduler=False)) as second,
    ):
        await ask(first, "POST", body={**ERROR, "times": 1})
        assert await fired(second, 2) == ["fault-1", None]
        assert (await listed(first))[0]["hits"] == 1
        await ask(first, "DELETE")
        assert not second.namespace.faults.is_any_set


async def test_a_snapshot_has_the_rules_with_their_counts(served: Served) -> None:
    await ask(served, "POST", body={**ERROR, "times": 2}, **IN_A)
    await ask(served, "POST", body=ERROR, **IN_A)
    await ask(served, "DELETE", f"{FAULTS}/fault-2", **IN_A)
    namespace = served.app.context.namespaces.find("a")
    assert namespace is not None
    assert (await namespace.faults.choose(REQUEST)).rule is not None
    last_hit_at = (await listed(served, **IN_A))[0]["lastHitAt"]
    saved = (await served.client.get("/_mock/namespaces/a/snapshot")).content
    zipped = {"Content-Type": "application/zip"}
    answer = await served.client.put("/_mock/namespaces/b/snapshot", content=saved, headers=zipped)
    assert answer.status_code == 204, answer.text
    in_b = {"X-Mock-Namespace": "b"}
    restored = await listed(served, **in_b)
    assert restored == [{"id": "fault-1", **ERROR, "times": 2, "hits": 1, "left": 1, "lastHitAt": last_hit_at}]
    assert (await ask(served, "POST", body=ERROR, **in_b))["id"] == "fault-3"


DRY_RUN = f"{FAULTS}/dry-run"


async def test_a_dry_run_tells_what_a_rule_would_have_hit_and_changes_nothing(served: Served) -> None:
    job_id = await served.submit_one()
    for _ in range(4):
        await served.client.get(f"{JOBS}/{job_id}")
    route = f"{JOBS}/{{jobId}}"
    for _ in range(2):
        found = await ask(served, "POST", DRY_RUN, {**ERROR, "match": {"route": route}, "after": 1, "times": 2})
        assert (found["count"], [item["route"] for item in found["items"]]) == (2, [route, route])
        assert "incomplete" not in found
    journal = (await ask(served, "GET", "/_mock/journal"))["items"]
    assert found["items"] == journal[1:3]
    newest = await ask(served, "POST", f"{DRY_RUN}?take=1", {**ERROR, "match": {"route": route}})
    assert (newest["count"], newest["items"]) == (4, journal[:1])
    assert (await listed(served), served.namespace.faults.is_any_set) == ([], False)


async def test_a_dry_run_of_a_rule_about_jobs_tells_submissions(served: Served) -> None:
    for prompt in ("a fox", "a cat"):
        params = {**template()["params"], "prompt": prompt}
        assert (await served.client.post(JOBS, json=template(params=params))).status_code == 202
    rule = {"match": {"prompt": {"contains": "fox"}}, "action": {"fail": {"message": "boom"}}}
    found = await ask(served, "POST", DRY_RUN, rule)
    assert (found["count"], found["items"][0]["request"]["body"]["params"]["prompt"]) == (1, "a fox")


async def test_a_dry_run_says_where_the_journal_is_not_whole() -> None:
    async with serve(journal_max_entries=2) as served:
        for _ in range(3):
            await served.client.get(f"{JOBS}/00000000-0000-0000-0000-000000000000")
        found = await ask(served, "POST", DRY_RUN, ERROR)
        assert (found["count"], found["incomplete"]) == (2, True)
    async with serve(journal_max_entries=0) as served:
        answer = await served.client.post(DRY_RUN, json=ERROR)
        assert (answer.status_code, "JOURNAL_MAX_ENTRIES" in answer.json()["detail"]) == (409, True)


async def test_a_dry_run_reads_a_rule_as_it_would_be_added(served: Served) -> None:
    answer = await served.client.post(DRY_RUN, json={**ERROR, "tims": 2})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["tims"])


async def counters(served: Served, epoch: int) -> list[str]:
    """Return whose counters are kept in an epoch, each as often as it has some."""
    snapshots = served.namespace.runtime.stores.in_epoch(Epoch("default", epoch)).snapshots
    keys = [record.key async for record in snapshots.counters()]
    return [key.split("/")[1] for key in keys if key.startswith("faults/")]


@pytest.mark.parametrize("path", [FAULTS, SERVER])
@pytest.mark.parametrize("way", ["DELETE one", "DELETE all", "PUT", "reset"])
async def test_counters_of_rules_that_are_no_more_are_forgotten(served: Served, path: str, way: str) -> None:
    rule = {**ERROR, "times": 5, "after": 1}
    rule_id = (await ask(served, "POST", path, rule))["id"]
    await fired(served, 3)
    one_path = path.replace(FAULTS, f"{FAULTS}/{rule_id}")
    epoch = served.namespace.epoch.number if path == FAULTS else SHARED_EPOCH
    assert await counters(served, epoch) == [rule_id] * 3
    if way == "DELETE one":
        await ask(served, "DELETE", one_path)
    elif way == "DELETE all":
        await ask(served, "DELETE", path)
    elif way == "PUT":
        await ask(served, "PUT", one_path, {**rule, "times": 6})
    else:
        await ask(served, "POST", "/_mock/reset?all=true")
        epoch = served.namespace.epoch.number if path == FAULTS else SHARED_EPOCH
    assert await counters(served, epoch) == []


async def test_while_the_store_is_away_changes_are_refused_and_what_was_set_is_obeyed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(served, "POST", body={"action": {"status": 500}, "times": 1})
    await ask(served, "POST", body={"action": {"status": 418}})
    store = type(served.namespace.runtime.stores.namespaces)

    async def away(*_: Any, **__: Any) -> None:
        raise TransientError("The store is away.")

    with monkeypatch.context() as changed:
        for method in ("get", "save", "revision", "count", "counted", "swap_count", "set_count", "forget_counts"):
            changed.setattr(store, method, away)
        for method, path in (("POST", FAULTS), ("PUT", f"{FAULTS}/fault-1"), ("DELETE", FAULTS), ("GET", FAULTS)):
            answer = await served.client.request(method, path, json=ERROR if method in {"POST", "PUT"} else {})
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert (await served.client.get(f"{JOBS}/x")).status_code == 418
    answers = [(await served.client.get(f"{JOBS}/x")).status_code for _ in range(3)]
    assert answers == [500, 418, 418]

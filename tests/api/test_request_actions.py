"""Rules that hit requests: plain actions, what is matched, which rule comes first, and who is left alone."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from civitai_mock.api.broken_connection import BREAK_OFF
from civitai_mock.domain.faults import rules
from civitai_mock.services.consumers import Caller
from civitai_mock.services.submit import SubmitJobs
from tests.support import v2_workflows as v2
from tests.support.asgi import exchange, http_scope
from tests.support.event_loop import settle
from tests.support.served_app import CHECKPOINT, IMAGE, JOBS, LORA, Served, serve, template

FAULTS, HIT = "/_mock/faults", "x-mock-fault"
PROBLEM, JSON, TEXT = "application/problem+json; charset=utf-8", "application/json; charset=utf-8", "text/plain"
TEAPOT: dict[str, Any] = {"action": {"status": 418}}
IN_A = {"X-Mock-Namespace": "a"}
STEP = v2.step("imageUpscaler", {"image": "https://example.com/a.png"})


async def set_rule(served: Served, rule: Any, *, query: str = "", **headers: str) -> str:
    answer = await served.client.post(f"{FAULTS}?{query}", json=rule, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def statuses(served: Served, *paths: str, **headers: str) -> list[int]:
    return [(await served.client.get(path, headers=headers)).status_code for path in paths]


ANSWERS: list[tuple[Any, int, str | None, bytes]] = [
    ({"status": 418, "body": {"a": [1]}}, 418, JSON, b'{"a":[1]}'),
    ({"status": 200, "body": []}, 200, JSON, b"[]"),
    ({"status": 403, "body": "no"}, 403, JSON, b'"no"'),
    ({"status": 500, "body": "no", "headers": {"Content-Type": TEXT}}, 500, TEXT, b"no"),
    ({"status": 500, "body": "", "headers": {"Content-Type": TEXT}}, 500, TEXT, b""),
    ({"status": 400, "body": 7, "headers": {"content-type": TEXT}}, 400, TEXT, b"7"),
    ({"status": 200}, 200, None, b""),
    ({"status": 302, "headers": {"Location": "/x"}}, 302, None, b""),
    ({"status": 204, "body": {"a": 1}}, 204, None, b""),
    ({"status": 304}, 304, None, b""),
]


async def test_an_answer_is_what_a_rule_says(served: Served) -> None:
    for action, status, content_type, content in ANSWERS:
        rule_id = await set_rule(served, {"action": action, "times": 1})
        answer = await served.client.get(f"{JOBS}/x")
        found = (answer.status_code, answer.headers.get("content-type"), answer.content)
        assert found == (status, content_type, content)
        assert answer.headers[HIT] == rule_id
        assert answer.headers.get("location") == action.get("headers", {}).get("Location")


PROBLEMS = [
    (JOBS, 404, "Not Found", "not_found"),
    (JOBS, 429, "Too Many Requests", "rate_limited"),
    (JOBS, 403, "Forbidden", "forbidden"),
    (v2.WORKFLOWS, 502, "Bad Gateway", "internal_error"),
    (JOBS, 525, "Status 525", "internal_error"),
    (JOBS, 418, "I'm a Teapot", "internal_error"),
    ("/v2/consumer/blobs/x.jpg", 403, "Forbidden", "forbidden"),
]


async def test_an_error_without_a_body_is_a_problem_document(served: Served) -> None:
    for path, status, title, code in PROBLEMS:
        await set_rule(served, {"action": {"status": status, "headers": {"X-A": 1}}, "times": 1})
        answer = await served.client.get(path)
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"], answer.headers["x-a"]) == (status, PROBLEM, "1")
        assert (problem["status"], problem["title"], problem["code"]) == (status, title, code)
        assert problem["traceId"]


async def test_version_2_forbids_by_a_bare_text(served: Served) -> None:
    await set_rule(served, {"action": {"status": 403}})
    assert (await served.client.get(v2.WORKFLOWS)).json() == "Forbidden"


@pytest.mark.parametrize(
    ("delay", "least", "most"),
    [("2s", 2, 2), ({"min": "1s", "max": "3s"}, 1, 3), ({"p50": "1s", "p99": "2s"}, 0.2, 5)],
)
async def test_an_answer_is_delayed_by_real_time(served: Served, delay: Any, least: float, most: float) -> None:
    await served.client.put("/_mock/clock", json={"mode": "frozen", "now": "2026-01-31T12:00:00Z"})
    await set_rule(served, {"action": {"delay": delay}})
    asking = asyncio.create_task(served.client.get(JOBS))
    await settle()
    served.clock.advance(least - 0.1)
    await settle()
    assert not asking.done()
    served.clock.advance(most - least + 0.2)
    assert (await asking).status_code == 400


async def test_a_seed_draws_the_same_delays_again() -> None:
    async def drawn() -> list[float]:
        async with serve() as served:
            await served.client.put("/_mock/namespaces/a", json={"seed": 7})
            await set_rule(served, {"action": {"delay": {"min": "1s", "max": "100s"}}}, **IN_A)
            found = []
            for _ in range(3):
                asking, begun = asyncio.create_task(served.client.get(JOBS, headers=IN_A)), served.clock.now()
                while not asking.done():
                    served.clock.advance(0.25)
                    await settle(50)
                found.append((served.clock.now() - begun).total_seconds())
            return found

    first = await drawn()
    assert len(set(first)) == len(first)
    assert await drawn() == first


async def test_who_hangs_up_is_not_held_any_longer(served: Served) -> None:
    await set_rule(served, {"action": {"hang": "1h"}})
    messages: asyncio.Queue[Message] = asyncio.Queue()
    body = json.dumps(template()).encode()
    await messages.put({"type": "http.request", "body": body, "more_body": False})
    posting = asyncio.create_task(exchange(served.app, http_scope("POST", JOBS, host="mock.test"), messages.get))
    await settle()
    assert not posting.done()
    await messages.put({"type": "http.disconnect"})
    assert (await posting).messages == []
    assert await served.queued() == 0


@pytest.mark.parametrize("ends", ["stop", "reset"])
async def test_a_stop_and_a_reset_end_a_silence_with_the_normal_answer(served: Served, ends: str) -> None:
    await set_rule(served, {"action": {"hang": "1h"}})
    asking = asyncio.create_task(served.client.get("/v2/services"))
    await settle()
    if ends == "stop":
        served.application.begin_stop()
    else:
        await served.client.post("/_mock/reset", json={})
    assert (await asking).status_code == 200
    again = await served.client.get("/v2/services")
    assert (again.status_code, HIT in again.headers) == (200, ends == "stop")


async def test_a_body_is_whole_after_a_silence_and_after_rules_that_look_at_it(served: Served) -> None:
    await set_rule(served, {"match": {"prompt": {"contains": "fox"}}, "action": {"delay": "1s"}})
    body = json.dumps(template()).encode()
    chunks = [body[at : at + 10] for at in range(0, len(body), 10)]
    posting = asyncio.create_task(served.client.post(JOBS, content=_in_parts(chunks)))
    await settle()
    served.clock.advance(1.1)
    answer = await posting
    assert (answer.status_code, HIT in answer.headers) == (202, True)
    assert await served.queued() == 1


async def _in_parts(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_what_is_kept_of_bodies_counts_among_those_of_all_requests(served: Served) -> None:
    bodies, body = served.app.context.bodies, json.dumps(template()).encode()
    await set_rule(served, {"action": {"delay": "1s"}, "times": 1})
    await set_rule(served, {"match": {"prompt": {"contains": "fox"}}, **TEAPOT})
    posting = asyncio.create_task(served.client.post(JOBS, content=_in_parts([body, b" "])))
    await settle()
    assert bodies.taken == len(body) + 1
    served.clock.advance(1.1)
    assert (await posting).status_code == 202
    assert (await served.client.post(JOBS, content=body)).status_code == 418
    assert bodies.taken == 0


async def test_a_body_for_which_there_is_no_room_is_refused_or_left_to_its_route(served: Served) -> None:
    bodies, body = served.app.context.bodies, json.dumps(template()).encode()
    await set_rule(served, {"match": {"prompt": {"contains": "fox"}}, "action": {"delay": "1s"}, "times": 1})
    others = bodies.held()
    others.grow(bodies.most)
    assert (await served.client.post(JOBS, content=body)).json()["code"] == "too_many_bodies"
    others.shrink(bodies.most)
    rule_id = (await served.client.get(FAULTS)).json()["items"][0]["id"]
    await served.client.put(f"{FAULTS}/{rule_id}", json={"action": {"delay": "1s"}})
    others.grow(bodies.most)
    posting = asyncio.create_task(served.client.post(JOBS, content=_in_parts([body[:9], body[9:]])))
    await settle()
    others.shrink(bodies.most)
    served.clock.advance(1.1)
    assert (await posting).status_code == 202
    assert bodies.taken == 0


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * 2000, {"content-type": "application/json"}, 413),
        (b"{", {"content-type": "application/json"}, 400),
        (b"", {}, 400),
        (b"a=b", {"content-type": "text/plain"}, 415),
        (b"[[" * 40 + b"]]" * 40, {}, 400),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_as_ever(body: bytes, headers: dict[str, str], status: int) -> None:
    async with serve(max_body_bytes=1024) as served:
        await set_rule(served, {"match": {"prompt": {"contains": "x"}}, **TEAPOT})
        answer = await served.client.post(JOBS, content=body, headers=headers)
        assert (answer.status_code, HIT in answer.headers) == (status, False)


async def test_a_body_that_never_ends_is_given_up(served: Served) -> None:
    short = replace(served.app.context.options, body_timeout=timedelta(milliseconds=1))
    served.app.context = replace(served.app.context, options=short)
    await set_rule(served, {"match": {"prompt": {"contains": "fox"}}, **TEAPOT})
    sent = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Message:
        return sent.pop() if sent else await asyncio.get_running_loop().create_future()

    answer = await exchange(served.app, http_scope("POST", JOBS, host="mock.test"), receive)
    assert (answer.status, answer.json["code"]) == (408, "body_timeout")


@pytest.mark.parametrize(("journal_max_entries", "content_type"), [(0, "application/json"), (10, "image/png")])
async def test_a_body_that_nobody_looks_at_is_not_read(journal_max_entries: int, content_type: str) -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    async with serve(journal_max_entries=journal_max_entries) as served:
        await set_rule(served, {"match": {"method": "POST", "route": JOBS}, **TEAPOT})
        scope = http_scope("POST", JOBS, host="mock.test", content_type=content_type)
        assert (await exchange(served.app, scope, receive)).status == 418


TWO_JOBS = {"jobs": [template(), template(params={"prompt": "a cat", "sourceImage": "https://example.com/a.png"})]}
WORKFLOW = v2.template(v2.image(prompt="a cat"), STEP)


MATCHES: list[tuple[Any, bool]] = [
    ({}, True),
    ({"method": "post"}, True),
    ({"method": "GET"}, False),
    ({"$type": "textToImage"}, True),
    ({"$type": "videoGen"}, False),
    ({"model": CHECKPOINT}, True),
    ({"model": "@civitai/128078"}, True),
    ({"model": LORA}, False),
    ({"ecosystem": "SDXL"}, True),
    ({"ecosystem": "flux1"}, False),
    ({"prompt": {"contains": "CAT"}}, True),
    ({"prompt": {"pattern": "^a c.t$"}}, True),
    ({"prompt": {"pattern": "dog"}}, False),
    ({"imageGiven": True}, True),
    ({"imageGiven": False}, False),
    ({"header": {"X-Run": "1"}}, True),
    ({"header": {"X-Run": "2"}}, False),
    ({"$type": "textToImage", "prompt": {"contains": "cat"}, "method": "POST", "header": {"x-run": "1"}}, True),
]


@pytest.mark.parametrize(("path", "body"), [(JOBS, TWO_JOBS), (v2.WORKFLOWS, WORKFLOW)])
async def test_a_rule_hits_what_it_matches(served: Served, path: str, body: Any) -> None:
    for match, hits in MATCHES:
        rule_id = await set_rule(served, {"match": match, **TEAPOT})
        answer = await served.client.post(path, json=body, headers={"x-run": "1"})
        assert (answer.status_code == 418, HIT in answer.headers) == (hits, hits), (match, answer.text)
        await served.client.request("DELETE", f"{FAULTS}/{rule_id}", json={})


ROUTES = [
    ("/v1/consumer/jobs/{jobId}", "GET", f"{JOBS}/x"),
    ("/v1/consumer/jobs/{jobId}", "HEAD", f"{JOBS}/x"),
    ("/v1/consumer/jobs/{jobId}", "PATCH", f"{JOBS}/x"),
    ("/v1/consumer/jobs/{jobId}", "GET", f"/compat/official{JOBS}/x"),
    ("/v1/consumer/jobs/{jobId}", "GET", f"/ns/default{JOBS}//x/"),
    ("/v2/consumer/workflows/{workflowId}/steps/{stepName}", "GET", f"{v2.WORKFLOWS}/1/steps/a/b"),
    ("/v2/resources/{air}", "GET", f"/v2/resources/{CHECKPOINT}"),
    ("/v2/consumer/recipes/textToImage", "POST", "/v2/consumer/recipes/textToImage"),
    ("/v2/consumer/blobs/{blobId}", "GET", "/v2/consumer/blobs/x.jpg"),
    ("/blobs/{key}", "GET", "/blobs/x"),
    ("/health", "GET", "/health"),
    ("/health/ready", "GET", "/health/ready"),
    ("/_mock/jobs/{jobId}", "GET", "/_mock/jobs/x"),
    ("/_mock/queue", "GET", "/_mock/queue"),
]


async def test_a_route_is_one_of_the_description(served: Served) -> None:
    for route, method, path in ROUTES:
        rule_id = await set_rule(served, {"match": {"route": route}, **TEAPOT})
        answer = await served.client.request(method, path)
        assert (answer.status_code, answer.headers.get(HIT)) == (418, rule_id), path
        assert await statuses(served, f"{JOBS}/x/y") == [404]
        await served.client.request("DELETE", f"{FAULTS}/{rule_id}", json={})


async def test_the_control_plane_and_health_are_left_alone_unless_they_are_named(served: Served) -> None:
    await set_rule(served, TEAPOT)
    await set_rule(served, TEAPOT, query="scope=server")
    left_alone = ["/_mock/jobs", "/_mock/faults", "/_mock/nothing", "/_mock", "/health", "/health/live"]
    assert 418 not in await statuses(served, *left_alone)
    assert await statuses(served, "/v2/services", "/metrics", "/", "/nothing") == [418] * 4


async def test_the_header_comes_before_the_namespace_and_that_before_the_server(served: Served) -> None:
    server = await set_rule(served, {"action": {"status": 501}}, query="scope=server")
    asked = [await served.client.get(JOBS)]
    first = await set_rule(served, {"action": {"status": 502}, "times": 2})
    second = await set_rule(served, {"action": {"status": 503}, "times": 1})
    headers = [{}, {HIT: "html-error"}, {}, {}, {}, IN_A]
    asked += [await served.client.get(JOBS, headers=each) for each in headers]
    found = [(answer.status_code, answer.headers[HIT]) for answer in asked]
    assert found == [
        (501, server),
        (502, first),
        (525, "html-error"),
        (502, first),
        (503, second),
        (501, server),
        (501, server),
    ]


async def test_only_one_rule_hits_a_request(served: Served) -> None:
    await set_rule(served, {"action": {"delay": "1h"}, "probability": 0})
    await set_rule(served, TEAPOT)
    assert (await served.client.get("/v2/services")).status_code == 200  # the first has had the dice


async def test_a_kept_answer_is_hit_as_any_other(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    path = f"{JOBS}/{job_id}"
    for _ in range(3):
        usual = await served.client.get(path)
    rule_id = await set_rule(served, TEAPOT)
    assert await statuses(served, path, path) == [418, 418]
    await served.client.request("DELETE", f"{FAULTS}/{rule_id}", json={})
    rule_id = await set_rule(served, {"preset": "extra-members", "times": 1})
    changed = await served.client.get(path)
    assert changed.headers[HIT] == rule_id
    assert changed.json()["unknownMember"]
    again = await served.client.get(path)
    assert (again.content, HIT in again.headers) == (usual.content, False)


async def test_a_blob_is_hit_like_any_request(served: Served) -> None:
    await served.store_blob("A1")
    url = served.blob_url("A1")
    await set_rule(served, {"match": {"route": "/blobs/{key}"}, "action": {"status": 500}, "times": 2})
    assert [(await served.client.request(method, url)).status_code for method in ("HEAD", "GET", "GET")] == [
        500,
        500,
        200,
    ]
    assert (await served.client.get(url)).content == IMAGE


MISSPELT = [
    ("stuck", "Unknown preset 'stuck'"),
    ("status-hangg", "Did you mean 'status-hang'?"),
    ("throttle; retry=1", "retry"),
    ("throttle; retryAfter=soon", "retryAfter"),
    ("", "Unknown preset"),
]


async def test_a_misspelt_header_is_refused(served: Served) -> None:
    for header, message in MISSPELT:
        for path in (JOBS, v2.WORKFLOWS, "/blobs/x"):
            answer = await served.client.get(path, headers={HIT: header})
            assert answer.status_code == 400
            assert message in answer.json()["errors"]["X-Mock-Fault"][0]


async def test_a_header_means_nothing_outside_of_the_real_api(served: Served) -> None:
    assert await statuses(served, "/_mock/jobs", "/health", "/v2/services", **{HIT: "nonsense"}) == [200, 200, 400]


async def test_a_header_means_nothing_without_the_control_plane() -> None:
    async with serve(admin="off") as served:
        assert await statuses(served, "/v2/services", **{HIT: "throttle"}) == [200]
        assert await statuses(served, "/v2/services", **{HIT: "nonsense"}) == [200]


async def test_a_header_needs_the_token_of_the_control_plane() -> None:
    async with serve(admin_token="token-of-the-plane") as served:
        assert await statuses(served, "/v2/services", **{HIT: "throttle"}) == [401]
        token = {"x-mock-token": "token-of-the-plane"}
        assert await statuses(served, "/v2/services", **{HIT: "throttle"}, **token) == [429]
        assert await statuses(served, "/v2/services", **{HIT: "throttle", "x-mock-token": "another"}) == [401]


async def test_what_is_refused_for_its_token_is_not_hit() -> None:
    async with serve(auth="any") as served:
        await set_rule(served, {**TEAPOT, "times": 1})
        assert await statuses(served, JOBS) == [401]
        assert await statuses(served, JOBS, authorization="Bearer x") == [418]


@pytest.mark.parametrize(
    ("fault", "query", "asked"),
    [
        ("failed-silent", "", "failed-silent"),
        ("failed-silent", "whatif=true", "failed-silent"),
        ("throttle; accepted=true", "", None),
    ],
)
async def test_what_is_asked_for_jobs_goes_with_them(
    served: Served, monkeypatch: pytest.MonkeyPatch, fault: str, query: str, asked: str | None
) -> None:
    callers: list[Caller] = []
    submit, what_if = SubmitJobs.__call__, SubmitJobs.what_if

    async def note(use_case: SubmitJobs, templates: Any, caller: Caller, **more: Any) -> Any:
        callers.append(caller)
        return await (what_if if query else submit)(use_case, templates, caller, **more)

    monkeypatch.setattr(rules, "check_available", lambda *_, **__: None)
    monkeypatch.setattr(SubmitJobs, "what_if" if query else "__call__", note)
    answer = await served.client.post(f"{JOBS}?{query}", json=template(), headers={HIT: fault})
    found = [None if caller.asked_fault is None else caller.asked_fault.id for caller in callers]
    assert found == [asked]
    told = None if query else asked or "throttle"  # of what is not stored nothing goes wrong
    assert answer.headers.get(HIT) == told


async def test_a_namespace_has_rules_of_its_own(served: Served) -> None:
    await set_rule(served, TEAPOT, **IN_A)
    assert await statuses(served, "/v2/services", "/ns/a/v2/services") == [200, 418]


@pytest.mark.parametrize(
    "fault", ["html-error", "status-hang; seconds=0", "extra-members", "validation-500", "failed-silent", "bad-json"]
)
async def test_nothing_of_a_faulty_request_waits_for_the_garbage_collector(
    served: Served, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(rules, "check_available", lambda *_, **__: None)
    scope = http_scope("POST", JOBS, host="mock.test", x_mock_fault=fault)
    marker = Marker()
    seen = weakref.ref(marker)
    gc.disable()
    try:
        await exchange(served.app, {**scope, "marker": marker}, nothing)
        del marker
        assert seen() is None
    finally:
        gc.enable()


class Marker:
    """Something that a scope holds."""


async def nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.parametrize(("fault", "status"), [("html-error", 525), ("reset", 499)])
async def test_the_access_line_says_what_hit_a_request(served: Served, fault: str, status: int) -> None:
    scope = http_scope("GET", JOBS, host="mock.test", x_mock_fault=fault)
    scope["extensions"] = {BREAK_OFF: {"call": lambda _: True}}
    with capture_logs() as logs:
        await exchange(served.app, scope, nothing)
    assert [(line["status"], line["fault"]) for line in logs if line["event"] == "request"] == [(status, fault)]


async def test_the_journal_says_what_hit_a_request_and_which_rules_were_looked_at(served: Served) -> None:
    first = await set_rule(served, {"preset": "validation-500"})
    second = await set_rule(served, {"match": {"method": "PUT"}, **TEAPOT})
    for body in (template(), {}):
        await served.client.post(JOBS, json=body)
    wrong, right = (await served.client.get("/_mock/journal")).json()["items"]
    method = {"id": second, "matched": False, "failed": "match.method"}
    assert (wrong["status"], wrong["fault"], wrong["rules"]) == (500, first, [{"id": first, "matched": True}, method])
    assert (right["status"], right["rules"]) == (202, [{"id": first, "matched": False, "failed": "preset"}, method])
    assert "fault" not in right


async def test_a_faulty_request_is_counted_by_its_route_and_its_status(served: Served) -> None:
    await set_rule(served, TEAPOT)
    for path in (f"{JOBS}/x", f"/v2/resources/{CHECKPOINT}"):
        await served.client.get(path)
    counted = served.application.namespace.runtime.metrics.requests
    found = {key for key in counted.series if key[2] == 418}
    assert found == {(f"{JOBS}/{{jobId}}", "GET", 418), ("/v2/resources/{air}", "GET", 418)}

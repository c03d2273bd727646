"""Faults that hit requests: what each preset puts on the wire of version 1 and 2, by a rule and by a header."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest

from civitai_mock.domain.delays import LogNormalDelay
from civitai_mock.domain.fault_presets import Hook, fault_presets
from civitai_mock.domain.faults.actions import DelayAnswer
from civitai_mock.domain.faults.rules import parse_fault_header
from tests.support import served_app as v1
from tests.support import v2_workflows as v2
from tests.support.event_loop import settle
from tests.support.served_app import CHECKPOINT, Served

PHOTO = "https://example.com/photo.png"
FAULTS = "/_mock/faults"
HIT = "x-mock-fault"
PROBLEM = "application/problem+json; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Is one version of the API on the wire."""

    path: str
    plain: Any
    with_image: Any
    id_member: str
    wrong: Any

    async def submit(self, served: Served, body: Any = None, *, query: str = "", fault: str = "") -> httpx.Response:
        headers = {HIT: fault} if fault else {}
        return await served.client.post(f"{self.path}?{query}", json=body or self.plain, headers=headers)

    async def status_path(self, served: Served) -> str:
        """Submit something, and return where its status is."""
        answer = await self.submit(served)
        assert answer.status_code == 202, answer.text
        return f"{self.path}/{answer.json()[self.id_member]}"

    def prompting(self, prompt: str) -> Any:
        if self is V1:
            return v1.template(params={"prompt": prompt, "width": 64, "height": 64})
        return v2.template(v2.image(prompt=prompt))


V1 = Wire(
    path=v1.JOBS,
    plain=v1.template(),
    with_image=v1.template(params={"prompt": "a fox", "sourceImage": PHOTO}),
    id_member="jobId",
    wrong={"$type": "textToImage"},
)
V2 = Wire(
    path=v2.WORKFLOWS,
    plain=v2.template(v2.image()),
    with_image=v2.template(v2.step("convertImage", {"image": PHOTO, "output": {"format": "png"}})),
    id_member="id",
    wrong={"steps": []},
)
WIRES = {"v1": V1, "v2": V2}
both = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)


async def set_rule(served: Served, preset: str = "", *, query: str = "", **members: Any) -> str:
    """Set a rule, and return its id."""
    sent = {"preset": preset, **members} if preset else members
    answer = await served.client.post(f"{FAULTS}?{query}", json=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def job_count(served: Served) -> int:
    return len((await served.client.get("/_mock/jobs")).json()["items"])


def assert_problem(answer: httpx.Response, status: int, detail: str | None = None) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    problem = answer.json()
    assert (problem["status"], problem.get("detail")) == (status, detail)
    assert "errors" not in problem


async def comes_after(served: Served, asking: "asyncio.Task[httpx.Response]", seconds: float) -> httpx.Response:
    """Return an answer, which comes when so many seconds are over, and not before."""
    await settle()
    served.clock.advance(seconds - 0.01)
    await settle()
    assert not asking.done()
    served.clock.advance(0.02)
    return await asking


def test_every_preset_for_requests_can_be_used() -> None:
    unusable = [
        name for name, preset in fault_presets().items() if preset.hook is Hook.REQUEST and not preset.is_available
    ]
    assert not unusable


@both
async def test_status_hang_is_silent_for_long_and_then_answers_as_ever(served: Served, wire: Wire) -> None:
    path = await wire.status_path(served)
    usual = (await served.client.get(path)).json()
    rule_id = await set_rule(served, "status-hang")
    answer = await comes_after(served, asyncio.create_task(served.client.get(path)), 20)
    assert (answer.status_code, answer.headers[HIT]) == (200 if wire is V1 else 202, rule_id)
    assert answer.json().keys() == usual.keys()
    assert HIT not in (await wire.submit(served)).headers


async def test_status_hang_is_about_the_status_of_a_token_too(served: Served) -> None:
    token = (await V1.submit(served)).json()["token"]
    asking = asyncio.create_task(
        served.client.get(V1.path, params={"token": token}, headers={HIT: "status-hang; seconds=2"})
    )
    assert (await comes_after(served, asking, 2)).headers[HIT] == "status-hang"


@both
async def test_whatif_park_fails_late_where_an_image_is_named(served: Served, wire: Wire) -> None:
    await set_rule(served, "whatif-park", params={"seconds": 3})
    for body, query in ((wire.plain, "whatif=true"), (wire.with_image, "")):
        assert HIT not in (await wire.submit(served, body, query=query)).headers
    asking = asyncio.create_task(wire.submit(served, wire.with_image, query="WhatIf=True"))
    assert_problem(await comes_after(served, asking, 3), 500)


@both
async def test_whatif_slow_ok_is_right_but_late(served: Served, wire: Wire) -> None:
    asking = asyncio.create_task(wire.submit(served, query="whatif=true", fault="whatif-slow-ok; p50=2; p99=2"))
    answer = await comes_after(served, asking, 2)
    assert (answer.status_code, answer.headers[HIT]) == (200, "whatif-slow-ok")
    assert await job_count(served) == 0


def test_whatif_slow_ok_is_as_late_as_it_was_for_others() -> None:
    (effect,) = parse_fault_header("whatif-slow-ok").action.effects
    assert isinstance(effect, DelayAnswer)
    assert isinstance(effect.delay, LogNormalDelay)
    stream = Random(7)
    drawn = [effect.delay.draw(stream).total_seconds() for _ in range(50_000)]
    assert sum(30 <= seconds <= 40 for seconds in drawn) / len(drawn) == pytest.approx(0.05, abs=0.005)
    assert sum(seconds > 45 for seconds in drawn) / len(drawn) == pytest.approx(0.01, abs=0.002)


async def test_lost_answer_makes_and_charges_a_job_for_each_try(served: Served) -> None:
    await set_rule(served, "lost-answer", times=1)
    lost = await V1.submit(served)
    assert (lost.status_code, lost.headers["content-type"]) == (502, HTML)
    assert lost.text.startswith("<!DOCTYPE html>")
    assert (await V1.submit(served)).status_code == 202
    assert await job_count(served) == 2
    spending = await served.use_cases.consumption(owner=None, since=None, until=None)
    assert spending.cost == 2 * (await V1.submit(served, query="whatif=true")).json()["jobs"][0]["cost"]


async def test_lost_answer_makes_one_workflow_for_an_external_id(served: Served) -> None:
    body = {**V2.plain, "externalId": "order-1"}
    lost = await V2.submit(served, body, fault="lost-answer; status=504")
    assert (lost.status_code, lost.headers["content-type"], await job_count(served)) == (504, HTML, 1)
    first, again = [(await V2.submit(served, body)).json()["id"] for _ in range(2)]
    assert first == again
    assert await job_count(served) == 1


@both
async def test_lost_answer_may_be_lost_for_something_that_is_wrong(served: Served, wire: Wire) -> None:
    assert (await wire.submit(served, wire.wrong, fault="lost-answer")).status_code == 502
    assert await job_count(served) == 0


@pytest.mark.parametrize(("preset", "status"), [("html-error", 525), ("maintenance-page", 200)])
async def test_pages_of_html_come_from_any_route(served: Served, preset: str, status: int) -> None:
    paths = [await wire.status_path(served) for wire in WIRES.values()]
    await set_rule(served, preset)
    asked = [
        *(("GET", path) for path in (*paths, V2.path, "/blobs/A1", "/nowhere", "/v2/resources")),
        *(("DELETE", path) for path in paths),
        *(("POST", wire.path) for wire in WIRES.values()),
        ("OPTIONS", V1.path),
    ]
    for method, path in asked:
        answer = await served.client.request(method, path, json=V1.plain if method == "POST" else None)
        assert (answer.status_code, answer.headers["content-type"]) == (status, HTML), (method, path)
        assert answer.text.startswith("<!DOCTYPE html>")
    head = await served.client.head(paths[0])
    assert (head.status_code, head.headers["content-type"]) == (status, HTML)
    await served.client.delete(FAULTS, headers={"content-type": "application/json"})
    assert [(await served.client.get(path)).status_code for path in paths] == [200, 202]  # nothing was deleted
    assert await job_count(served) == 2


@both
async def test_validation_500_is_about_what_is_wrong_alone(served: Served, wire: Wire) -> None:
    assert (await wire.submit(served, wire.wrong)).status_code == 400
    rule_id = await set_rule(served, "validation-500", times=1)
    fine = await wire.submit(served)
    assert (fine.status_code, HIT in fine.headers) == (202, False)
    answer = await wire.submit(served, wire.wrong)
    assert_problem(answer, 500)
    assert answer.headers[HIT] == rule_id
    assert (await wire.submit(served, wire.wrong)).status_code == 400
    wrong_query = f"{wire.path}?take=oops"  # without a token in version 1
    assert (await served.client.get(wrong_query, headers={HIT: "validation-500"})).status_code == 500


async def test_validation_500_comes_after_rules_that_hit_what_is_right_as_well(served: Served) -> None:
    first = await set_rule(served, "validation-500")
    assert (await V1.submit(served, V1.wrong)).headers[HIT] == first
    second = await set_rule(served, action={"status": 418}, times=1)
    assert (await V1.submit(served, V1.wrong)).headers[HIT] == second
    assert (await V1.submit(served, V1.wrong)).headers[HIT] == first


async def test_validation_500_leaves_to_the_dice_what_they_had(served: Served) -> None:
    await set_rule(served, "validation-500")
    await set_rule(served, "throttle", probability=0)
    answer = await V1.submit(served, V1.wrong)
    assert (answer.status_code, HIT in answer.headers) == (400, False)


async def test_a_scenario_of_wrong_requests_moves_once_for_each(served: Served) -> None:
    states = {
        "one": {"match": {"method": "POST"}, "next": "two"},
        "two": {"preset": "validation-500", "match": {"prompt": {"contains": "fox"}}, "next": "three"},
        "three": {"match": {"method": "POST"}, "next": "four"},
        "four": {},
    }
    await served.client.put("/_mock/scenarios/wrong", json={"start": "one", "states": states})
    wrong = {**V1.wrong, "params": {"prompt": "a fox"}}
    answers = [await V1.submit(served, body) for body in (wrong, V1.plain, wrong, wrong)]
    assert [answer.status_code for answer in answers] == [400, 202, 500, 400], "each moves one step at most"
    assert (await served.client.get("/_mock/scenarios/wrong")).json()["state"] == "four"


@both
async def test_throttle_says_when_to_come_again(served: Served, wire: Wire) -> None:
    path = await wire.status_path(served)
    await set_rule(served, "throttle", params={"retryAfter": 7})
    for answer in (await served.client.get(path), await wire.submit(served)):
        assert_problem(answer, 429)
        found = answer.headers
        limits = [found[name] for name in ("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset")]
        assert (limits, int(found["x-ratelimit-limit"]) > 0) == (["7", "0", "7"], True)
    assert await job_count(served) == 1


@both
async def test_throttle_may_do_all_the_same_what_it_refuses(served: Served, wire: Wire) -> None:
    assert_problem(await wire.submit(served, fault="throttle; accepted=true"), 429)
    assert await job_count(served) == 1


async def test_throttle_has_one_header_of_each_name_beside_a_real_limit() -> None:
    async with v1.serve(rate_limit="1000/minute") as served:
        answer = await V1.submit(served, fault="throttle")
        assert answer.headers.get_list("x-ratelimit-limit") == ["60"]


@both
async def test_unauthorized_refuses_a_token_that_was_good(served: Served, wire: Wire) -> None:
    path, token = await wire.status_path(served), {"authorization": "Bearer good"}
    assert (await served.client.get(path, headers=token)).status_code < 300
    await set_rule(served, "unauthorized")
    for headers in (token, {}):  # with AUTH=off none is needed
        answer = await served.client.get(path, headers=headers)
        assert_problem(answer, 401)
        assert (answer.headers["www-authenticate"], answer.json()["code"]) == ("Bearer", "unauthorized")
    await served.store_blob("A1")
    assert (await served.client.get(served.blob_url("A1"))).status_code == 200  # it is signed
    assert (await served.client.get(served.blob_url("A1"), headers=token)).status_code == 401


@both
async def test_bad_json_ends_before_its_last_bracket(served: Served, wire: Wire) -> None:
    path = await wire.status_path(served)
    whole = await served.client.get(path)
    answer = await served.client.get(path, headers={HIT: "bad-json"})
    assert (answer.status_code, answer.headers["content-type"]) == (whole.status_code, whole.headers["content-type"])
    assert int(answer.headers["content-length"]) == len(answer.content) == len(whole.content) - 1
    assert whole.content == answer.content + b"}"


async def test_bad_json_leaves_what_is_not_json(served: Served) -> None:
    await served.store_blob("A1", v1.IMAGE)
    answer = await served.client.get(served.blob_url("A1"), headers={HIT: "bad-json"})
    assert answer.content == v1.IMAGE


@both
async def test_slow_drip_sends_a_body_by_and_by(served: Served, wire: Wire) -> None:
    path = await wire.status_path(served)
    whole = (await served.client.get(path)).content
    asking = asyncio.create_task(served.client.get(path, headers={HIT: "slow-drip; bytesPerSecond=5"}))
    for _ in range(len(whole) - 1):
        await settle(20)
        served.clock.advance(0.2)
    await settle(20)
    assert not asking.done()
    served.clock.advance(0.2)
    answer = await asking
    assert len(answer.content) == int(answer.headers["content-length"]) == len(whole)


async def test_answer_200_is_200_for_what_is_unfinished(served: Served) -> None:
    await set_rule(served, "answer-200")
    submitted = await V1.submit(served)
    token = submitted.json()["token"]
    assert submitted.status_code == 200
    assert (await served.client.get(V1.path, params={"token": token})).status_code == 200
    refused = await V1.submit(served, V1.wrong)
    assert refused.status_code == 400
    of_v2 = await V2.submit(served)
    assert (of_v2.status_code, HIT in of_v2.headers) == (202, False)


@pytest.mark.parametrize("result_format", ["array", "object"])
async def test_the_form_of_a_result_is_another_for_one_answer(result_format: str) -> None:
    async with v1.serve(result_format=result_format) as served:
        job_id = await served.submit_one()
        done = await served.finish()
        usual, other = (list, dict) if result_format == "array" else (dict, list)
        flipped = "object" if result_format == "array" else "array"
        path = f"{V1.path}/{job_id}"
        for _ in range(3):  # the answer is kept then
            assert isinstance((await served.client.get(path)).json()["result"], usual)
        for _ in range(3):
            answer = (await served.client.get(path, headers={HIT: f"result-{flipped}"})).json()
            assert isinstance(answer["result"], other)
            same = await served.client.get(path, headers={HIT: f"result-{result_format}"})
            assert isinstance(same.json()["result"], usual)
        assert isinstance((await served.client.get(path)).json()["result"], usual)
        first = answer["result"] if other is dict else answer["result"][0]
        assert first["blobKey"] == done.slots[0].blob_key
        (status,) = (await V1.submit(served, fault=f"result-{flipped}")).json()["jobs"]
        assert isinstance(status["result"], other)


@both
async def test_extra_members_are_in_every_object(served: Served, wire: Wire) -> None:
    path = await wire.status_path(served)
    known = (await served.client.get(path)).json()
    await set_rule(served, "extra-members")
    for answer in (
        await served.client.get(path),
        await wire.submit(served),
        await wire.submit(served, wire.wrong),
        await served.client.get(wire.path, params={"token": "none"}),
    ):
        objects = list(_objects(answer.json()))
        assert objects
        assert all(found.keys() > {"unknownMember", "otherUnknownMember"} for found in objects if len(found) > 2)
        assert all(found.keys() >= {"unknownMember", "otherUnknownMember"} for found in objects)
    extended = (await served.client.get(path)).json()
    assert {name: type(value) for name, value in known.items()}.items() <= {
        name: type(value) for name, value in extended.items()
    }.items()


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


async def test_insufficient_buzz_is_one_member_in_version_1(served: Served) -> None:
    await set_rule(served, "insufficient-buzz")
    for query in ("", "whatif=true"):
        answer = await V1.submit(served, query=query)
        assert (answer.status_code, answer.content) == (403, b'{"error":"Insufficient Buzz"}')
    assert await job_count(served) == 0


async def test_insufficient_buzz_is_a_bare_text_in_version_2_or_said_of_what_is_planned(served: Served) -> None:
    await set_rule(served, "insufficient-buzz")
    answer = await V2.submit(served)
    assert (answer.status_code, answer.json()) == (403, "Insufficient Buzz")
    recipe = await served.client.post(f"{v2.RECIPES}/echo", json={"message": "hi"})
    assert (recipe.status_code, recipe.json()) == (403, "Insufficient Buzz")
    planned = await V2.submit(served, query="whatif=true")
    assert (planned.status_code, planned.json()["transactions"]["insufficientBuzz"]) == (200, True)
    assert planned.json()["transactions"]["list"]
    assert await job_count(served) == 0


@both
async def test_prompt_flagged_finds_its_term_within_words(served: Served, wire: Wire) -> None:
    rule_id = await set_rule(served, "prompt-flagged")
    for prompt in ("a fox", "a p e g"):
        assert HIT not in (await wire.submit(served, wire.prompting(prompt))).headers
    answer = await wire.submit(served, wire.prompting("a Pegboard"))
    assert_problem(answer, 400, "Your prompt was flagged: peg")
    assert answer.headers[HIT] == rule_id
    by_header = await wire.submit(served, wire.prompting("a fox"), fault="prompt-flagged; term=fo")
    assert_problem(by_header, 400, "Your prompt was flagged: fo")


@both
async def test_flagged_silent_says_neither_what_nor_where(served: Served, wire: Wire) -> None:
    assert_problem(await wire.submit(served, fault="flagged-silent"), 400, "Content flagged for review")
    assert await job_count(served) == 0


async def test_early_access_names_the_resource_in_both_versions(served: Served) -> None:
    await set_rule(served, "early-access", match={"model": CHECKPOINT})
    detail = f"The resource '{CHECKPOINT}' is in early access."
    assert_problem(await V1.submit(served), 403, detail)
    answer = await V2.submit(served)
    assert (answer.status_code, answer.json()) == (403, detail)
    assert await job_count(served) == 0
    assert (await served.client.get(f"/v2/resources/{CHECKPOINT}")).json()["canGenerate"] is False
    other = "urn:air:sd1:checkpoint:civitai:4384@128713"
    assert (await V1.submit(served, V1.plain | {"model": other})).status_code == 202


@both
async def test_early_access_names_the_resource_of_the_request_if_the_rule_names_none(
    served: Served, wire: Wire
) -> None:
    assert CHECKPOINT in (await wire.submit(served, fault="early-access")).text

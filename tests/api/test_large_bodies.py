"""Bodies of several megabytes: what they cost everybody else, and how much is said of what is wrong with them."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from civitai_mock.api.json_body import decode
from civitai_mock.domain.errors import MOST_FAULTS
from civitai_mock.services.threads import LARGE_BYTES, in_thread_if_large
from tests.support.served_app import JOBS, serve, template

SIZE = 5_200_000
LONGEST_TURN_SECONDS = 0.8  # of this thread's own work, which takes three times as long while coverage is traced
JSON = {"content-type": "application/json"}
RESOURCES = "/v2/resources"


def with_member(name: str, value: bytes) -> bytes:
    return orjson.dumps(template())[:-1] + b',"' + name.encode() + b'":' + value + b"}"


def many(item: bytes, *, size: int = SIZE) -> bytes:
    return b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]"


def jobs(count: int, **changes: Any) -> bytes:
    return orjson.dumps({"jobs": [template(**changes) for _ in range(count)]})


def params(text: str) -> dict[str, Any]:
    return {**template()["params"], "prompt": text}


def graph(nodes: int, text: str = "", **member: Any) -> bytes:
    """Each node draws on the one before, so that there is most to follow."""
    node = {"class_type": "KSampler", **member}
    inputs = [{"steps": 2, "text": text, "latent_image": [str(number - 1), 0]} for number in range(nodes)]
    workflow = {str(number): {**node, "inputs": inputs[number]} for number in range(nodes)}
    return orjson.dumps({"$type": "comfy", "params": {"workflow": workflow}})


TAKEN: Mapping[str, Callable[[], bytes]] = {
    "many jobs": lambda: jobs(950, params=params("a" * 5_000)),
    "prompts of nothing but commas": lambda: jobs(950, params=params(", [" * 1_700)),
    "jobs with properties": lambda: jobs(1000, properties={f"k{number}": number for number in range(20)}),
    "a long text": lambda: with_member("properties", b'{"x":"' + b"a" * SIZE + b'"}'),
    "a large graph": lambda: graph(900, "x" * 5_000),
    "a member that is ignored": lambda: with_member("ignored", many(b'{"a":1}', size=900_000)),
}
REFUSED: Mapping[str, Callable[[], bytes]] = {
    "numbers": lambda: with_member("properties", b'{"x":' + many(b"1") + b"}"),
    "arrays": lambda: with_member("ignored", many(b"[]")),
    "objects": lambda: with_member("ignored", many(b'{"a":1}')),
    "texts": lambda: with_member("ignored", many(b'"ab"')),
    "properties": lambda: with_member("properties", b'{"x":' + many(b"1", size=400_000) + b"}"),
    "properties of all jobs": lambda: jobs(50, properties={f"k{number}": number for number in range(500)}),
    "nodes": lambda: graph(6_000),
    "inputs": lambda: orjson.dumps(
        {
            "$type": "comfy",
            "params": {"workflow": {"1": {"class_type": "X", "inputs": dict.fromkeys(map(str, range(1_001)), 1)}}},
        }
    ),
    "wrong nodes": lambda: graph(4_900, class_type=1),
    "wrong providers": lambda: with_member("providers", many(b"1", size=400_000)),
    "wrong dependencies": lambda: with_member("dependencies", many(b"1", size=400_000)),
    "unknown dependencies": lambda: jobs(200, dependencies=["nobody"] * 500),
    "wrong networks": lambda: orjson.dumps(template(additionalNetworks=dict.fromkeys(map(str, range(20_000)), 1))),
    "unknown networks": lambda: jobs(
        500, additionalNetworks={f"urn:air:sdxl:lora:civitai:{number}@{number}": {} for number in range(60)}
    ),
    "wrong control nets": lambda: with_member("controlNets", many(b"{}", size=300_000)),
    "wrong jobs": lambda: b'{"jobs":' + many(b"7", size=2_000) + b"}",
    "too many jobs": lambda: b'{"jobs":' + many(b"{}", size=400_000) + b"}",
}


async def longest_turn(until: asyncio.Event) -> float:
    """How much the event loop's thread worked between two turns, in seconds."""
    longest, before = 0.0, time.thread_time()
    while not until.is_set():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, before = max(longest, now - before), now
    return longest


@pytest.mark.parametrize("case", [*TAKEN, *REFUSED])
async def test_a_large_body_holds_up_nobody_and_is_answered_briefly(case: str) -> None:
    body, done = {**TAKEN, **REFUSED}[case](), asyncio.Event()
    async with serve() as served:
        looking = asyncio.create_task(longest_turn(done))
        answer = await served.client.post(JOBS, content=body, headers=JSON)
        done.set()
        assert answer.status_code == (202 if case in TAKEN else 400), answer.text[:500]
        assert await looking < LONGEST_TURN_SECONDS
        if case in REFUSED:
            assert 1 <= len(answer.json()["errors"]) <= MOST_FAULTS
            assert len(answer.content) < 100_000


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{JOBS}/query", b'{"properties":{"x":' + many(b"1", size=400_000) + b"}}"),
        ("POST", f"{JOBS}/query", b'{"properties":{"x":' + many(b"1") + b"}}"),
        ("PUT", f"{JOBS}?token=x", b'{"reason":"x","context":{"x":' + many(b"1", size=400_000) + b"}}"),
        ("PUT", f"{JOBS}?token=x", b'{"reason":"' + b"x" * 30_000 + b'"}'),
        ("POST", RESOURCES, b'{"air":"urn:air:sd1:lora:civitai:5@6","tags":' + many(b"1", size=400_000) + b"}"),
        (
            "POST",
            RESOURCES,
            b'{"air":"urn:air:sd1:lora:civitai:5@6","hashes":'
            + orjson.dumps(dict.fromkeys(map(str, range(9_000)), 1))
            + b"}",
        ),
    ],
    ids=["query", "a huge query", "taint", "reason", "words", "hashes"],
)
async def test_large_bodies_of_other_routes_are_answered_briefly(method: str, path: str, body: bytes) -> None:
    async with serve() as served:
        answer = await served.client.request(method, path, content=body, headers=JSON)
        assert answer.status_code == 400
        assert 1 <= len(answer.json()["errors"]) <= MOST_FAULTS
        assert len(answer.content) < 100_000


async def test_one_large_graph_is_accepted_where_only_one_job_is() -> None:
    async with serve(max_jobs_per_request=1) as served:
        answer = await served.client.post(JOBS, content=graph(900), headers=JSON)
        assert answer.status_code == 202, answer.text


async def test_of_very_many_faults_the_first_are_shown_and_how_many_there_are() -> None:
    async with serve() as served:
        answer = await served.client.post(JOBS, content=graph(200, class_type=1), headers=JSON)
        body = answer.json()
        assert next(iter(body["errors"])) == "params.workflow.0.class_type"
        assert len(body["errors"]) == MOST_FAULTS
        assert "There are 200 faults" in body["detail"]


@pytest.mark.parametrize(("size", "beside"), [(LARGE_BYTES - 1, False), (LARGE_BYTES, True)])
async def test_only_what_is_large_is_worth_a_thread(size: int, beside: bool) -> None:
    assert (await in_thread_if_large(threading.get_ident, size=size) != threading.get_ident()) is beside


@pytest.mark.parametrize(
    ("body", "values"),
    [(b"[1,1,1]", 3), (b'[",,,,[[[{{{"]', 1), (b'["\\",,,,",{"a":[]}]', 4), (b'[{"a":1},{}]', 4)],
)
def test_commas_in_texts_are_no_values(body: bytes, values: int) -> None:
    assert decode(body, most_values=values) == orjson.loads(body)

"""Requests that somebody will send one day: each is told what is wrong, and leaves nothing behind."""

from typing import Any

import orjson
import pytest

from civitai_mock.domain.tokens import encode_token
from tests.support.served_app import JOBS, Served, template

PARAMS = template()["params"]


def _with(**params: Any) -> bytes:
    return orjson.dumps(template(params={**PARAMS, **params}))


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b'{"jobs": [' + b" " * 10_000_000 + b"]}", 413, None),
        (orjson.dumps({"jobs": [template()] * 5000}), 400, "jobs"),
        (_with(prompt="🦊" * 25_000), 400, "params.prompt"),
        (_with(prompt="a\0b"), 400, "params.prompt"),
        (_with(seed="7"), 400, "params.seed"),
        (_with().replace(b'"steps":20', b'"steps":NaN'), 400, "$"),
        (_with().replace(b'"steps":20', b'"steps":' + b"[" * 200 + b"]" * 200), 400, "$"),
        (_with().replace(b'"steps":20', b'"steps":20,"steps":21'), 400, "$"),
        (orjson.dumps(template(model="urn:air:sdxl:checkpoint:civitai:../../etc@1")), 400, "model"),
        (orjson.dumps(template(model="/etc/passwd")), 400, "model"),
        (orjson.dumps(template(properties=[])), 400, "properties"),
        (orjson.dumps({"jobs": [template(), 7]}), 400, "jobs[1]"),
    ],
    ids=[
        "10 MB",
        "5,000 jobs",
        "100 kB",
        "NUL",
        "text seed",
        "NaN",
        "deep",
        "twice",
        "climbs",
        "path",
        "list",
        "number",
    ],
)
async def test_a_bad_submission_is_refused_and_leaves_no_trace(
    served: Served, body: bytes, status: int, path: str | None
) -> None:
    answer = await served.client.post(JOBS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert path is None or list(answer.json()["errors"]) == [path]
    assert (await served.client.get("/v1/consumer/requests")).json() == {"requests": []}


async def test_properties_with_dollars_and_dots_are_kept_as_they_are(served: Served) -> None:
    properties: Any = {"$set": {"a.b": 1}, "a.b": None, "": {"": []}, "é\u0000": "🦊"}
    job_id = await served.submit_one(properties=properties)
    assert (await served.client.get(f"{JOBS}/{job_id}")).json()["properties"] == properties


@pytest.mark.parametrize("token", ["bm9uc2Vuc2U=", "e30=", "bnVsbA==", "W10=", "eyJKb2JzIjp7fX0="])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_token_that_is_base64_of_nonsense_is_a_400(served: Served, token: str, method: str) -> None:
    body = {"reason": "x"} if method == "PUT" else None
    answer = await served.client.request(method, JOBS, params={"token": token}, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["token"]


async def test_a_token_of_hundreds_of_unknown_jobs_is_answered(served: Served) -> None:
    token = encode_token([f"00000000-0000-4000-8000-{number:012d}" for number in range(500)])
    answer = await served.client.get(JOBS, params={"token": token})
    assert (answer.status_code, answer.json()["jobs"]) == (200, [])

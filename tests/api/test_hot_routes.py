"""A hot route answers as the router would: each request is sent to an app with hot routes, and to one without."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.api.fastapi_app import make_fastapi_app
from civitai_mock.api.hot_routes import HotRoutes
from civitai_mock.api.openapi import DescribedRoute
from civitai_mock.api.request_log import RequestLog
from civitai_mock.api.whole_answer import WHOLE_ANSWER
from civitai_mock.services.blob_tokens import ContentToken
from tests.support.asgi import exchange, http_scope, silence
from tests.support.served_app import BASE_URL, JOBS, Served, serve, template

KEY = "a key that is long enough for anybody"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
ALICE, BOB, NOBODY = ({"authorization": f"Bearer {name}"} for name in ("alice", "bob", "nobody"))
TOKENS: dict[str, Any] = {"auth": "tokens", "auth_tokens": "alice,bob"}
PROXY = "203.0.113.9"
SPAN = re.compile(r"(?<=00-)([0-9a-f]{32})-[0-9a-f]{16}(?=-00)")
V2_BLOBS = "/v2/consumer/blobs"
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request; `{done}`, `{queued}` and `{blob}` in its path stand for what is there."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    content: str | None = None
    body: Any = None


BODIES: Sequence[Any] = (template(), {"jobs": [template(), template()]}, {}, [])
ANY_CALLER = [
    Case(path=f"{JOBS}/{{done}}"),
    Case(path=f"{JOBS}/{{queued}}"),
    Case(path=f"{JOBS}/{{done}}", headers=TRACEPARENT),
    *(
        Case(path=f"{JOBS}/{{done}}?{query}")
        for query in (
            "detailed=true",
            "detailed=false",
            "DETAILED=1",
            "detailed=",
            "detailed=maybe",
            "other=1",
            "?",
            "%",
        )
    ),
    *(Case(path=f"{JOBS}/{{done}}?detailed=true&detailed={last}") for last in ("false", "x")),
    *(
        Case(path=path)
        for path in (f"{JOBS}/{{done}}/", "//v1/consumer//jobs/{done}", f"{JOBS}/", JOBS, f"{JOBS}/x", f"{JOBS}/events")
    ),
    *(Case(path=f"{JOBS}/{tail}") for tail in ("{DONE}", "%7B{done}", "{done}%0A", "{done}%2F", "a%2Fb", "%ED%A0%80")),
    *(Case(path=f"/compat/{name}{JOBS}/{{done}}") for name in ("official", "SDK-2024", "sdk2024", "default", "")),
    *(Case(path=f"{JOBS}/{{done}}", headers={"x-mock-compat": name}) for name in ("official", "sdk-2024", "none", "")),
    *(Case(path=f"{JOBS}/{{queued}}", headers={"x-mock-compat": name}) for name in ("official", "sdk-2024")),
    *(
        Case(path=f"{JOBS}/{{done}}", method=method)
        for method in ("HEAD", "OPTIONS", "PATCH", "POST", "TRACE", "get", "WHATEVER")
    ),
    Case(path=f"{JOBS}/{{done}}", method="PUT", body={"blamed": "model"}),
    Case(path=f"{JOBS}/{{done}}?detailed=true"),
    *(Case(path=f"{JOBS}/{{done}}", headers=headers) for headers in ({"host": "other:1"}, {"host": "a/b"})),
    *(
        Case(path=f"{JOBS}/{{done}}", headers={"user-agent": agent, "accept": "application/json", **JSON})
        for agent in ("python-httpx/0.27", "node", "civitai-py/1", "openapi-generator")
    ),
    *(Case(path=JOBS, method="POST", body=body) for body in BODIES),
    *(
        Case(path=f"{JOBS}{query}", method="POST", body=template())
        for query in ("?whatif=true", "?detailed=true", "?wait=perhaps", "?charge=false", "/", "/{done}", "?Detailed=1")
    ),
    *(
        Case(path=JOBS, method="POST", content=content, headers=JSON)
        for content in ("", "{", "null", '{"$type": "textToImage"}', '{"a": 1, "a": 2}', "\ufeff{}", "[" * 100)
    ),
    Case(path=JOBS, method="POST", content="a=b", headers={"content-type": "text/plain"}),
    Case(path=JOBS, method="POST", content="x" * 2000, headers=JSON),
    Case(path=JOBS, method="POST", body=template(), headers={"x-mock-compat": "sdk-2024", **TRACEPARENT}),
    *(Case(path="{blob}", headers=headers) for headers in ({}, {"range": "bytes=1-5"}, {"range": "bytes=9999999-"})),
    *(Case(path="{blob}", headers={"if-none-match": tag}) for tag in ("*", '"x"')),
    *(Case(path="{blob}" + tail, method=method) for tail in ("", "x") for method in ("GET", "HEAD", "DELETE")),
    *(Case(path="{v2_blob}" + tail, method=method) for tail in ("", "&filename=a", "x") for method in ("GET", "HEAD")),
    *(
        Case(path=f"{V2_BLOBS}/{tail}")
        for tail in ("{key}", "{key}?exp=", "x", "", "x/", "upload", "content", "content/x")
    ),
    Case(path="{content}"),
    *(Case(path="{content}", headers={"range": part}) for part in ("bytes=1-5", "bytes=9999999-")),
    *(Case(path="{content}" + tail, method=method) for tail in ("", "x") for method in ("GET", "HEAD", "DELETE")),
    *(Case(path=path) for path in ("/blobs/x", "/blobs", "/blobs/", "/nowhere", "/v1/consumer", "/", "/health")),
]
BY_TOKEN = [
    Case(path=path, method=method, headers=headers, body=body)
    for headers in (ALICE, BOB, NOBODY, {}, {"authorization": "Basic alice"}, {"Authorization": "bearer  alice "})
    for path, method, body in (
        (f"{JOBS}/{{done}}", "GET", None),
        (JOBS, "POST", template()),
        *((path, "GET", None) for path in ("{blob}", "{v2_blob}", f"{V2_BLOBS}/{{key}}", "{content}")),
    )
]
FORWARDED = [
    Case(path=f"{JOBS}/{{done}}", headers={"x-forwarded-for": peer, "x-forwarded-proto": "https", **host})
    for peer in ("198.51.100.1", "198.51.100.2", "unknown")
    for host in ({"x-forwarded-host": "mock.example"}, {"x-forwarded-host": "a/b?c@d"}, {})
]
SETTINGS: dict[str, tuple[dict[str, Any], Sequence[Case]]] = {
    "plain": ({}, ANY_CALLER),
    "limited": ({"rate_limit": "40/hour"}, ANY_CALLER),
    "small bodies": ({"max_body_bytes": 1500}, ANY_CALLER),
    "public url": ({"public_url": "https://images.example/base/"}, ANY_CALLER),
    "official words": ({"client_compat": "official", "result_format": "object", "provider_name": "Here"}, ANY_CALLER),
    "poor": ({"buzz_balance": 3}, ANY_CALLER),
    "any token": ({"auth": "any"}, [*BY_TOKEN, *ANY_CALLER[:3]]),
    "known tokens": (TOKENS, BY_TOKEN),
    "many guesses": (TOKENS, [Case(path=f"{JOBS}/x", headers=NOBODY)] * 25 + BY_TOKEN),
    "known tokens, limited": ({**TOKENS, "rate_limit": "3/hour"}, BY_TOKEN),
    "proxy": ({"trusted_proxies": PROXY, "rate_limit": "2/hour"}, FORWARDED),
    "unknown proxy": ({"rate_limit": "2/hour"}, FORWARDED),
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came, and what was logged of it; the span of a trace is new each time."""

    case: Case
    status: int
    headers: Sequence[tuple[str, str]]
    content: str
    logged: Sequence[dict[str, Any]]


def without_hot_routes(served: Served) -> None:
    served.app.pipeline = replace(served.app.pipeline, hot_routes=HotRoutes([]))


async def ask(served: Served, cases: Sequence[Case]) -> Sequence[Answer]:
    names = await stock(served)
    transport = httpx.ASGITransport(served.app, client=(PROXY, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        return [await answer(client, case, names) for case in cases]


async def stock(served: Served) -> dict[str, str]:
    """Store one job that has succeeded, and one in the queue."""
    headers = ALICE if served.application.namespace.runtime.settings.auth != "off" else {}
    done = (await served.client.post(JOBS, json=template(), headers=headers)).json()["jobId"]
    job = await served.finish(b"an image")
    queued = (await served.client.post(f"{JOBS}?charge=false", json=template(), headers=headers)).json()["jobId"]
    key = job.slots[0].blob_key
    v2_blob = served.use_cases.workflow_blob_urls.sign(key, base_url=BASE_URL).url
    content = f"{V2_BLOBS}/content/{served.use_cases.blob_tokens.sign(ContentToken(key=key))}"
    blobs = {"key": key, "blob": served.blob_url(key), "v2_blob": v2_blob, "content": content}
    return {"done": done, "DONE": done.upper(), "queued": queued, **blobs}


async def answer(client: httpx.AsyncClient, case: Case, names: dict[str, str]) -> Answer:
    path = re.sub(r"{(\w+)}", lambda match: names[match[1]], case.path)
    body: dict[str, Any] = {"json": case.body} if case.body is not None else {"content": case.content}
    with capture_logs() as logs:
        found = await client.request(case.method, path, headers=case.headers, **body)
    return Answer(
        case=case,
        status=found.status_code,
        headers=[(name, masked(value)) for name, value in found.headers.multi_items()],
        content=masked(found.text),
        logged=[
            {
                name: masked(value) if isinstance(value, str) else value
                for name, value in line.items()
                if name != "duration_ms"
            }
            for line in logs
        ],
    )


def masked(text: str) -> str:
    """Hide the span of a trace, and a trace that is not the caller's."""
    return SPAN.sub(lambda match: match[1] if match[1] == TRACE else "new", text)


@pytest.mark.parametrize("name", SETTINGS)
async def test_a_request_has_the_same_answer_and_log_lines_from_a_hot_route_and_from_the_router(name: str) -> None:
    settings, cases = SETTINGS[name]
    async with serve(blob_signing_key=KEY, **settings) as hot, serve(blob_signing_key=KEY, **settings) as plain:
        without_hot_routes(plain)
        for found, expected in zip(await ask(hot, cases), await ask(plain, cases), strict=True):
            assert found == expected


async def test_the_cases_come_through_the_hot_routes(served: Served) -> None:
    """Otherwise the comparison would be one of the router with itself."""
    hot = [route for route in served.app.routes if isinstance(route, DescribedRoute) and route.is_hot]
    assert [(route.method, route.path) for route in hot] == [
        ("get", "/health"),
        ("get", "/health/live"),
        ("get", "/health/ready"),
        ("get", "/v1/consumer/jobs/events"),
        ("get", "/v1/consumer/jobs/{jobId}"),
        ("post", "/v1/consumer/jobs"),
        ("get", "/blobs/{key}"),
        ("get", "/v2/consumer/blobs/upload"),
        ("get", "/v2/consumer/blobs/{blobId}"),
        ("get", "/v2/consumer/blobs/content/{encryptedToken}"),
        ("post", "/v2/consumer/workflows"),
        ("get", "/v2/consumer/workflows/{workflowId}"),
    ]
    served.app.all_routes = make_fastapi_app((), version="any", only_system=True)
    served.app.all_routes.router.routes.clear()
    statuses = {(found.case.method, found.status) for found in await ask(served, ANY_CALLER)}
    assert statuses >= {("GET", 200), ("POST", 202), ("GET", 206), ("HEAD", 404), ("PUT", 404)}


async def calls_of(served: Served, path: str) -> int:
    """Count the Python functions that are called for one request, which no load of the machine changes."""
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    scope = {**http_scope("GET", path, host="mock.test"), "client": (PROXY, 4711)}
    sys.setprofile(count)
    try:
        answered = await exchange(served.app, scope, silence)
    finally:
        sys.setprofile(None)
    assert answered.status == 200
    return calls


async def test_a_finished_job_is_answered_in_few_steps_and_in_very_few_if_its_answer_is_kept(served: Served) -> None:
    """A layer more, or a header that is looked for anew, shows here."""
    served.app.pipeline = replace(served.app.pipeline, request_log=RequestLog(lambda *_: None), request_journal=None)
    job_id = await served.submit_one()
    await served.finish()
    await served.client.get(f"{JOBS}/{job_id}")
    served.clock.advance(1)
    made, _, kept = [await calls_of(served, f"{JOBS}/{job_id}") for _ in range(3)]
    assert made <= 134
    assert kept <= 48


@pytest.mark.parametrize("takes_it", [True, False])
async def test_a_server_that_takes_whole_answers_is_given_them(served: Served, takes_it: bool) -> None:
    taken: list[tuple[int, Sequence[tuple[bytes, bytes]], bytes]] = []

    def take(status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        taken.append((status, headers, body))
        return takes_it

    scope = {**http_scope("GET", f"{JOBS}/unknown"), "extensions": {WHOLE_ANSWER: {"send": take}}}
    answered = await exchange(served.app, scope, silence)
    ((status, headers, body),) = taken
    assert status == 404
    assert dict(headers)[b"content-length"] == b"%d" % len(body)
    assert b"x-trace-id" in dict(headers)
    assert bool(answered.messages) is not takes_it

"""What holds for every route holds for those of v2, too: limits, trace ids, labels of metrics, a store that is away."""

from typing import Any

import pytest

from civitai_mock.domain.errors import TransientError
from tests.support.served_app import Served, serve
from tests.support.v2_workflows import RECIPES, WORKFLOWS, WorkflowClient, echo, template

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_requests_are_counted_and_refused_beyond_the_limit() -> None:
    async with serve(rate_limit="2/minute") as served:
        for _ in range(2):
            assert (await served.client.post(WORKFLOWS, json=template())).status_code == 202
        refused = await served.client.get(WORKFLOWS)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) > 0


async def test_an_answer_carries_the_trace_of_its_request(served: Served) -> None:
    answer = await served.client.post(WORKFLOWS, json={}, headers={"traceparent": TRACE})
    trace_id = TRACE.split("-")[1]
    assert trace_id in answer.headers["x-trace-id"]
    assert trace_id in answer.json()["traceId"]


async def test_labels_are_the_templates_of_routes_whatever_is_asked(served: Served) -> None:
    made = await WorkflowClient(served.client).submit()
    for path in (f"{WORKFLOWS}/{made['id']}", f"{WORKFLOWS}/{made['id']}/steps/secret-1", f"{WORKFLOWS}/secret-2"):
        await served.client.get(path)
    await served.client.post(f"{RECIPES}/secret-3", json={})
    await served.client.delete(f"{WORKFLOWS}/secret-4/tags/secret-5")
    text = (await served.client.get("/metrics")).text
    assert "secret" not in text
    assert made["id"] not in text
    for template_of_path in (WORKFLOWS + "/{workflowId}", RECIPES + "/{name}", WORKFLOWS + "/{workflowId}/tags/{tag}"):
        assert f'"{template_of_path}"' in text


async def test_a_large_body_is_refused() -> None:
    async with serve(max_body_bytes=2000) as served:
        answer = await served.client.post(WORKFLOWS, json=template(echo("a" * 3000)))
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", WORKFLOWS, template()),
        ("GET", WORKFLOWS, None),
        ("GET", f"{WORKFLOWS}/1-20260101000000000", None),
        ("PUT", f"{WORKFLOWS}/1-20260101000000000", {"tags": []}),
        ("DELETE", f"{WORKFLOWS}/1-20260101000000000", None),
        ("POST", f"{RECIPES}/echo", {"message": "hi"}),
        ("GET", "/v2/services", None),
    ],
)
async def test_a_store_that_is_away_is_a_503(
    served: Served, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise TransientError("The store is away.")

    for store, name in (
        (served.stores.workflows, "add"),
        (served.stores.workflows, "get"),
        (served.stores.workflows, "find"),
        (served.stores.health, "ping"),
    ):
        monkeypatch.setattr(store, name, away)
    answer = await served.client.request(method, path, json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["code"] == "unavailable"

"""The journal shows what was asked and what was answered, bounded, and without anything secret."""

import hashlib
import io
import json
import zipfile
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.served_app import BASE_URL, CHECKPOINT, IMAGE, JOBS, Served, serve, serve_all, template

JOURNAL = "/_mock/journal"
WORKFLOWS = "/v2/consumer/workflows"
V2 = {"steps": [{"$type": "textToImage", "input": {"prompt": "a quiet harbour", "model": CHECKPOINT}}]}
JSON = {"content-type": "application/json"}
MESSAGES = {"request", "response"}


async def _items(client: httpx.AsyncClient, /, headers: dict[str, str] | None = None, **params: Any) -> list[Any]:
    answer = await client.get(JOURNAL, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def test_an_entry_has_what_was_asked_and_what_was_answered() -> None:
    async with serve(auth="any") as served:
        headers = {"authorization": "Bearer abcdef", "x-app": "mine"}
        submitted = await served.client.post(f"{JOBS}?whatif=false", json=template(), headers=headers)
        (item,) = await _items(served.client)
        (job,) = submitted.json()["jobs"] if "jobs" in submitted.json() else [submitted.json()]
        assert item["request"]["headers"].items() >= {"x-app": "mine", "authorization": "***"}.items()
        assert item["response"]["headers"]["x-trace-id"] == item["traceId"] == submitted.headers["x-trace-id"]
        assert item["request"].pop("headers")
        assert item["response"].pop("headers")
        assert item == {
            "id": item["id"],
            "time": item["time"],
            "namespace": "default",
            "consumer": (await served.client.get("/_mock/jobs")).json()["items"][0]["consumer"],
            "method": "POST",
            "path": f"{JOBS}?whatif=false",
            "route": JOBS,
            "request": {"body": template(), "bodyIs": "json"},
            "response": {"body": {**submitted.json(), "token": "***"}, "bodyIs": "json"},
            "status": 202,
            "ms": item["ms"],
            "traceId": item["traceId"],
            "jobIds": [job["jobId"]],
            "rules": [],
        }
        assert 0 < item["ms"] < 60_000


async def test_each_request_has_its_own_headers_also_after_one_that_had_the_same() -> None:
    sent = [{"x-app": app, "authorization": f"Bearer {token}"} for app, token in ("aa", "aa", "ab", "bb", "aa")]
    async with serve(auth="any") as served:
        answers = [await served.client.get("/v1/nowhere", headers=headers) for headers in sent]
        items = [*reversed(await _items(served.client))]
    asked, answered = [[item[side]["headers"] for item in items] for side in ("request", "response")]
    assert [headers["x-app"] for headers in asked] == [headers["x-app"] for headers in sent]
    assert {headers["authorization"] for headers in asked} == {"***"}
    assert answered == [{**answer.headers} for answer in answers]
    assert [headers["x-trace-id"] for headers in answered] == [item["traceId"] for item in items]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{JOBS}/00000000-0000-0000-0000-000000000000", 404),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", "/v1/account", 404),
        ("GET", "/blobs/abc", 403),
        ("HEAD", "/blobs/abc", 403),
        ("GET", "/v2/consumer/blobs/nothing", 404),
        ("GET", f"{WORKFLOWS}?take=x", 400),
        ("PATCH", "/ns/other/compat/official/v1/consumer/jobs/query", 405),
        ("POST", JOBS, 400),
    ],
)
async def test_whatever_became_of_a_request_it_is_recorded(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    found = {"x-mock-namespace": "other"} if path.startswith("/ns/other") else None
    (item,) = await _items(client, headers=found)
    assert (item["method"], item["path"], item["status"]) == (method, path, answer.status_code)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/compat/nothing/v1/consumer/jobs",
        "/",
        "/openapi.json",
        "/_mock/jobs",
        "/_mock/nothing",
        "/nowhere",
        "/v1",
    ],
)
async def test_what_the_real_service_has_not_is_not_recorded(client: httpx.AsyncClient, path: str) -> None:
    await client.get(path)
    assert await _items(client) == []


async def test_entries_come_youngest_first_page_by_page_and_by_method_and_status(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await client.get(f"/v1/nowhere?n={number}")
    await client.post(JOBS, json=template())
    await client.post("/v1/nowhere")
    assert [item["method"] for item in await _items(client, method="post")] == ["POST", "POST"]
    assert [item["path"] for item in await _items(client, method="POST", status=404)] == ["/v1/nowhere"]
    seen: list[str] = []
    page: dict[str, Any] = {"next": ""}
    while "next" in page:
        params = {"take": 2, "method": "GET", **({"cursor": page["next"]} if page["next"] else {})}
        page = (await client.get(JOURNAL, params=params)).json()
        seen += [item["path"] for item in page["items"]]
        assert len(page["items"]) <= 2
    assert seen == [f"/v1/nowhere?n={number}" for number in (4, 3, 2, 1, 0)]


async def test_entries_are_found_by_what_hit_them(client: httpx.AsyncClient) -> None:
    await client.post("/_mock/faults", json={"match": {"method": "POST"}, "action": {"status": 418}})
    for method, headers in (("GET", {}), ("POST", {}), ("GET", {"X-Mock-Fault": "html-error"}), ("POST", {})):
        await client.request(method, "/v1/nowhere", headers=headers)
    assert [item["method"] for item in await _items(client, fault="fault-1")] == ["POST", "POST"]
    assert [item["fault"] for item in await _items(client, fault="html-error")] == ["html-error"]
    assert await _items(client, fault="fault-1", method="GET") == []
    assert await _items(client, fault="fault") == []
    assert len((await client.get(f"{JOURNAL}/har", params={"fault": "fault-1"})).json()["log"]["entries"]) == 2


async def test_entries_are_listed_briefly_and_shown_one_by_one(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await client.post(JOBS, json=template())
    whole, brief = await _items(client), await _items(client, messages=False)
    assert brief == [{name: value for name, value in item.items() if name not in MESSAGES} for item in whole]
    assert all(item.keys() >= MESSAGES for item in whole)
    assert [await _items(client, id=item["id"]) for item in whole] == [[item] for item in whole]
    assert await _items(client, id="nothing") == []
    assert await _items(client, {"x-mock-namespace": "other"}, id=whole[0]["id"]) == []


@pytest.mark.parametrize(
    "query", ["messages=no", "status=abc", "status=99", "status=6000", "methods=GET", "cursor=%21", "take=0"]
)
async def test_what_is_asked_wrong_is_a_400(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"{JOURNAL}?{query}")).status_code == 400


async def test_kept_answers_and_streams_are_recorded_like_others() -> None:
    async with serve_all() as opened:
        job = await opened.run(template())
        path, url = f"{JOBS}/{job['jobId']}", urlsplit(job["result"][0]["blobUrl"])
        answers = [(await opened.client.get(path)).json() for _ in range(4)]
        image = await opened.client.get(f"{url.path}?{url.query}")
        items = await _items(opened.client)
        found = [item["response"]["body"] for item in items if item["path"] == path]
        shown = [{**each, "result": None} for each in found]
        assert shown[:4] == [{**each, "result": None} for each in answers[::-1]]
        assert all(item["jobIds"] == [job["jobId"]] for item in items if item["path"] == path)
        (blob,) = [item for item in items if item["path"].startswith("/blobs/")]
        digest = hashlib.sha256(image.content).hexdigest()
        assert blob["response"].items() >= {"body": None, "length": len(image.content), "sha256": digest}.items()


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"", {"body": None, "bodyIs": "empty"}),
        (b"null", {"body": None, "bodyIs": "json"}),
        (b'{"a": 1}', {"body": {"a": 1}, "bodyIs": "json"}),
        ("größe".encode(), {"body": "größe", "bodyIs": "text"}),
        (b"\x89PNG\0", {"body": None, "bodyIs": "binary", "length": 5}),
        (b"\xff\xfe", {"body": None, "bodyIs": "binary", "length": 2}),
        (b'"' + b"a" * 65_535, {"body": None, "bodyIs": "text"}),
        (b'"' + b"a" * 65_535 + b'"', {"body": None, "bodyIs": "large", "length": 65_537}),
    ],
    ids=["empty", "null", "json", "text", "binary", "not utf-8", "64 KiB", "more"],
)
async def test_a_body_is_shown_as_what_it_is(client: httpx.AsyncClient, content: bytes, body: dict[str, Any]) -> None:
    await client.post(JOBS, content=content, headers=JSON)
    request = (await _items(client))[0]["request"]
    del request["headers"]
    if body["bodyIs"] == "text" and body["body"] is None:
        body["body"] = content.decode()
    if "length" in body:
        body["sha256"] = hashlib.sha256(content).hexdigest()
    assert request == body


async def test_a_large_answer_that_is_streamed_is_told_by_its_digest(served: Served) -> None:
    await served.submit_one()
    job = await served.finish()
    url = urlsplit(served.blob_url(job.slots[0].blob_key))
    answer = await served.client.get(f"{url.path}?{url.query}")
    response = (await _items(served.client))[0]["response"]
    assert (answer.content, response["length"]) == (IMAGE, len(IMAGE))
    assert response["sha256"] == hashlib.sha256(IMAGE).hexdigest()


async def test_an_entry_shows_when_its_request_came_by_the_clock_of_its_namespace(client: httpx.AsyncClient) -> None:
    await client.put("/_mock/clock", json={"mode": "frozen", "now": "2031-01-31T12:00:00Z"})
    await client.get("/v1/nowhere")
    assert (await _items(client))[0]["time"].startswith("2031-01-31T12:00:00")


async def test_each_namespace_has_its_own_and_a_reset_clears_it(client: httpx.AsyncClient) -> None:
    for name in ("one", "two"):
        await client.get(f"/ns/{name}/v1/nowhere")
    one, two = ({"x-mock-namespace": name} for name in ("one", "two"))
    assert [item["path"] for item in await _items(client, headers=one)] == ["/ns/one/v1/nowhere"]
    assert await _items(client) == []
    assert (await client.post("/_mock/reset", headers={**one, **JSON})).status_code == 204
    assert await _items(client, headers=one) == []
    assert len(await _items(client, headers=two)) == 1
    assert (await client.request("DELETE", JOURNAL, headers={**two, **JSON})).status_code == 204
    assert await _items(client, headers=two) == []


@pytest.mark.parametrize(("settings", "status"), [({"journal_max_entries": 0}, 409), ({"admin": "off"}, 404)])
async def test_where_nothing_is_kept_nothing_is_shown(settings: dict[str, Any], status: int) -> None:
    async with serve(**settings) as served:
        await served.client.get("/v1/nowhere")
        assert (await served.client.get(JOURNAL)).status_code == status
        assert not served.namespace.journal.entries


async def test_the_oldest_requests_make_room_and_are_counted() -> None:
    async with serve(journal_max_entries=3) as served:
        for number in range(5):
            await served.client.get(f"/v1/nowhere?n={number}")
        assert [item["path"][-1] for item in await _items(served.client)] == ["4", "3", "2"]
        assert "civitai_mock_journal_drops_total 2.0" in (await served.client.get("/metrics")).text


CANARIES = {
    "token": "canary-of-the-consumer",
    "admin": "canary-of-the-admin",
    "other": "canary-of-another-consumer",
    "key": "canary-of-the-blob-key-0123456789abcdef",
    "query": "canary-in-a-query",
    "cookie": "canary-in-a-cookie",
    "user": "canary-of-a-user",
    "password": "canary-of-a-password",
    "namespace": "canary-of-a-namespace",
}


async def test_no_secret_is_in_journal_log_or_snapshot(capfd: pytest.CaptureFixture[str]) -> None:
    c = CANARIES
    settings = {
        "auth": "tokens",
        "auth_tokens": f"{c['token']},{c['other']}",
        "admin_token": c["admin"],
        "blob_signing_key": c["key"],
        "callback_allowed_hosts": "private",
        "callback_max_attempts": 1,
    }
    async with serve_all(**settings) as opened:
        client = opened.client
        admin, bearer = {"x-mock-token": c["admin"]}, {"authorization": f"Bearer {c['token']}"}
        known = await client.put("/_mock/namespaces/canaries", json={"tokens": [c["namespace"]]}, headers=admin)
        assert known.status_code == 200, known.text
        callback = f"http://{c['user']}:{c['password']}@127.0.0.1:9/hook?token={c['query']}"
        sent = {**admin, **bearer, "x-mock-namespace": "canaries", "cookie": f"a={c['cookie']}"}
        submitted = await client.post(JOBS, json=template(callbackUrl=callback), headers=sent)
        assert submitted.status_code == 202, submitted.text
        token = submitted.json()["token"]
        await client.get(JOBS, params={"token": token, "wait": "true"}, headers=sent)
        status = (await client.get(JOBS, params={"token": token}, headers=sent)).json()
        url = urlsplit(status["jobs"][0]["result"][0]["blobUrl"])
        assert (await client.get(f"{url.path}?{url.query}")).status_code == 200
        workflow = await client.post(f"{WORKFLOWS}?wait=60", json=V2, headers=sent)
        assert workflow.status_code in {200, 202}, workflow.text
        signed = [c["other"], c["admin"], c["key"], c["namespace"]]
        for path in (*(f"/v1/nowhere?{each}={each}&sig={c['query']}" for each in signed), f"/v1/nowhere#{c['token']}"):
            await client.post(
                path, json={"text": f"here is {c['key']}", "a": signed}, headers={**sent, "x-odd": c["other"]}
            )
        upload = (await client.get("/v2/consumer/blobs/upload", headers=sent)).json()
        await client.post(
            upload["uploadUrl"].removeprefix(BASE_URL), content=b"x", headers={"content-type": "image/png"}
        )
        journal = await client.get(JOURNAL, headers=sent)
        snapshot = await client.get("/_mock/namespaces/canaries/snapshot", headers=admin)
    assert len(journal.json()["items"]) >= 10
    log = "".join(capfd.readouterr())
    assert "/v1/nowhere" in log
    parts = [part for signed_url in (url, urlsplit(upload["uploadUrl"])) for part in signed_url.query.split("&")]
    signatures = [value for part in parts if len(value := part.partition("=")[2]) > 20]
    assert len(signatures) == 2
    for canary in (*c.values(), token, *signatures):
        assert canary not in journal.text, canary
        assert canary not in log, canary
    in_snapshot = _texts_of(snapshot.content)
    kept = {c["query"], c["user"], c["password"]}  # the callback's URL goes on from where it was
    for canary in {*c.values(), *signatures} - kept:
        assert canary not in in_snapshot, canary


def _texts_of(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(name).decode("latin-1") for name in archive.namelist())


async def test_json_of_entries_is_as_described(client: httpx.AsyncClient) -> None:
    await client.post(JOBS, json=template())
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    (item,) = await _items(client)
    assert set(item) <= set(schemas["JournalEntryItem"]["properties"])
    assert set(schemas["JournalEntryItem"]["required"]) <= set(item)
    assert json.dumps(item)

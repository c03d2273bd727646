"""Namespaces are apart: nothing of one can be reached in another, and every URL leads into the one that gave it out."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.media_files import FILES
from tests.support.served_app import BASE_URL, JOBS, PATIENCE_SECONDS, Opened, serve_all, template
from tests.support.v2_workflows import WORKFLOWS, echo, image
from tests.support.v2_workflows import template as workflow

MOCK = "X-Mock-Namespace"
BLOBS = "/v2/consumer/blobs"
PNG = FILES["image/png"]()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with serve_all() as opened:
        yield opened.client


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in a decoded answer."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def urls(answer: httpx.Response) -> list[str]:
    """Return all URLs of ours in an answer, by their paths and queries."""
    found = [text for text in texts(answer.json()) if text.startswith(f"{BASE_URL}/")]
    return [text.removeprefix(BASE_URL) for text in found]


async def run(client: httpx.AsyncClient, base: str = "", **headers: str) -> httpx.Response:
    """Run a job of v1, and return its whole status."""
    answer = await client.post(f"{base}{JOBS}?wait=true", json=template(), headers=headers)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["jobs"][0]["jobId"]
    return await client.get(f"{base}{JOBS}/{job_id}?detailed=true", headers=headers)


async def run_workflow(client: httpx.AsyncClient, base: str = "", **headers: str) -> httpx.Response:
    """Run a workflow that makes an image, and an archive of another."""
    uploaded = await client.post(f"{base}{BLOBS}", content=PNG, headers={"content-type": "image/png", **headers})
    assert uploaded.status_code == 201, uploaded.text
    archive = {"$type": "blobArchive", "input": {"entries": [{"blobId": uploaded.json()["id"]}]}}
    answer = await client.post(
        f"{base}{WORKFLOWS}?wait={PATIENCE_SECONDS}", json=workflow(image(), archive), headers=headers
    )
    assert answer.json()["status"] == "succeeded", answer.text
    return answer


async def bytes_at(client: httpx.AsyncClient, path: str) -> bytes:
    answer = await client.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert all(urlsplit(str(step.url)).path.startswith("/ns/a/") for step in [*answer.history, answer])
    return answer.content


@pytest.mark.parametrize(("base", "headers"), [("/ns/a", {}), ("", {MOCK: "a"}), ("/ns/b", {MOCK: "a"})])
async def test_every_url_leads_into_the_namespace_however_it_was_chosen(
    client: httpx.AsyncClient, base: str, headers: dict[str, str]
) -> None:
    answers = [await run(client, base, **headers), await run_workflow(client, base, **headers)]
    blob_id = answers[1].json()["steps"][0]["output"]["images"][0]["id"]
    answers += [
        await client.get(f"{base}/v2/services", headers=headers),
        await client.post(f"{base}{BLOBS}/{blob_id}/refresh", headers=headers),
        await client.get(f"{base}{BLOBS}/upload", headers=headers),
    ]
    for answer in answers:
        assert answer.status_code in {200, 202}, answer.text
        assert urls(answer), answer.text
        assert {path.split("/v")[0].split("/blobs")[0] for path in urls(answer)} == {"/ns/a"}
    (blob_url,) = [path for path in urls(answers[0]) if "/blobs/" in path]
    assert (await bytes_at(client, blob_url)).startswith(b"\x89PNG")
    for path in [path for path in urls(answers[1]) if "/blobs/" in path] + urls(answers[3]):
        assert await bytes_at(client, path)
    (upload_url,) = urls(answers[4])
    uploaded = await client.post(upload_url, content=PNG, headers={"content-type": "image/png"})
    assert uploaded.status_code == 201
    assert await bytes_at(client, urls(uploaded)[0]) == PNG


async def test_the_default_namespace_gives_out_urls_as_ever(client: httpx.AsyncClient) -> None:
    for answer in (await run(client), await run_workflow(client)):
        assert urls(answer)
        assert not [path for path in urls(answer) if path.startswith("/ns/")]


@pytest.mark.parametrize(("mine", "other"), [("/ns/a", "/ns/b"), ("/ns/a", ""), ("", "/ns/b")])
async def test_what_is_anothers_is_not_found(client: httpx.AsyncClient, mine: str, other: str) -> None:
    await run(client, other)  # so that the other namespace exists, and knows the same resources
    status = (await run(client, mine)).json()
    token = (await client.post(f"{mine}{JOBS}", json=template())).json()["token"]
    blob_key = status["result"][0]["blobKey"]
    done = await run_workflow(client, mine)
    blob_id = done.json()["steps"][0]["output"]["images"][0]["id"]
    upload_url = urls(await client.get(f"{mine}{BLOBS}/upload"))[0]
    cases = [
        ("GET", f"{JOBS}/{status['jobId']}"),
        ("PUT", f"{JOBS}/{status['jobId']}"),
        ("DELETE", f"{JOBS}/{status['jobId']}"),
        ("GET", f"{JOBS}?token={token}"),
        ("DELETE", f"{JOBS}?token={token}"),
        ("GET", f"{WORKFLOWS}/{done.json()['id']}"),
        ("GET", f"{WORKFLOWS}/{done.json()['id']}/steps/0"),
        ("GET", f"{BLOBS}/{blob_id}"),
        ("HEAD", f"{BLOBS}/{blob_id}"),
        ("POST", f"{BLOBS}/{blob_id}/refresh"),
        ("GET", f"/v1/artifacts/{blob_key}"),
        *(("GET", path.removeprefix(mine)) for path in urls(done) if "/blobs" in path),
        ("GET", status["result"][0]["blobUrl"].removeprefix(BASE_URL + mine)),
        ("POST", upload_url.removeprefix(mine)),
    ]
    for method, path in cases:
        body = {"json": {"reason": "none"}} if method == "PUT" else {"content": PNG} if method == "POST" else {}
        headers = {"content-type": "image/png"} if method == "POST" else {}
        answer = await client.request(method, f"{other}{path}", headers=headers, **body)
        assert answer.status_code == 404, (method, path, answer.text)
    redirect = (await client.get(f"{mine}{BLOBS}/{blob_id}")).headers["location"]
    assert (await client.get(redirect)).status_code == 200
    assert (await client.get(other + redirect.removeprefix(mine))).status_code == 404
    listed = (await client.get(f"{other}{WORKFLOWS}")).json()["items"]
    assert done.json()["id"] not in {item["id"] for item in listed}


@pytest.mark.parametrize(("mine", "other"), [("/ns/a", "/ns/b"), ("/ns/a", ""), ("", "/ns/b")])
async def test_a_blob_of_another_namespace_is_no_source_of_an_image(
    client: httpx.AsyncClient, mine: str, other: str
) -> None:
    blob_url = (await run(client, mine)).json()["result"][0]["blobUrl"]
    uploaded = await client.post(f"{mine}{BLOBS}", content=PNG, headers={"content-type": "image/png"})
    for url in (blob_url, uploaded.json()["url"], uploaded.json()["url"].partition("?")[0]):
        sent = template(params={**template()["params"], "image": url})
        here, there = [await client.post(f"{base}{JOBS}?whatif=true", json=sent) for base in (mine, other)]
        assert here.status_code in {200, 202}, here.text
        assert there.status_code == 400 or there.json() != here.json(), there.text


async def test_a_url_that_was_tampered_with_is_forbidden_in_its_own_namespace(client: httpx.AsyncClient) -> None:
    url = (await run(client, "/ns/a")).json()["result"][0]["blobUrl"]
    for wrong in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("X-Amz-Expires=", "X-Amz-Expires=1")):
        assert (await client.get(wrong)).status_code == 403


async def test_callbacks_of_a_workflow_have_urls_of_its_namespace(client: httpx.AsyncClient) -> None:
    """What the renderer of callbacks takes as base is stored with the workflow."""
    async with serve_all() as opened:
        await check_callbacks(opened)


async def check_callbacks(opened: Opened) -> None:
    answer = await run_workflow(opened.client, "/ns/a")
    namespace = opened.application.namespaces
    assert namespace is not None
    found = namespace.find("a")
    assert found is not None
    snapshot = await found.workflows.query.by_id(answer.json()["id"], owner=None)
    assert snapshot.workflow.base_url == f"{BASE_URL}/ns/a"


async def test_resources_written_in_a_namespace_are_only_seen_there(client: httpx.AsyncClient) -> None:
    air = "urn:air:sdxl:lora:civitai:999@111"
    added = await client.post("/ns/a/v2/resources", json={"air": air})
    assert added.status_code == 201, added.text
    assert added.headers["location"].startswith("/ns/a/v2/resources/")
    assert (await client.get(added.headers["location"])).status_code == 200
    for base in ("", "/ns/b"):
        path = added.headers["location"].removeprefix("/ns/a")
        assert (await client.get(base + path)).status_code == 404


async def test_echo_of_two_namespaces_with_one_external_id_is_two_workflows(client: httpx.AsyncClient) -> None:
    ids = [
        (await client.post(f"{base}{WORKFLOWS}", json=workflow(echo(), externalId="one"))).json()["id"]
        for base in ("/ns/a", "/ns/b", "/ns/a")
    ]
    assert ids[0] == ids[2] != ids[1]

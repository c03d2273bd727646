"""Snapshots under /_mock: a namespace is saved as one zip, and any namespace of any server becomes it again."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from tests.support.paths import ROOT
from tests.support.served_app import CHECKPOINT, JOBS, LORA, Opened, serve, serve_all, template
from tests.support.v2_workflows import WORKFLOWS, image
from tests.support.v2_workflows import template as workflow

NAMESPACES, RESOURCES = "/_mock/namespaces", "/v2/resources/"
ZIP = {"Content-Type": "application/zip"}
FIRST_FORMAT = ROOT / "tests/data/snapshots/format-1.zip"
MOMENT = "2026-11-26T10:00:00Z"
SIGNATURES = re.compile(r"(X-Amz-Signature|sig|token)=[^&\"]*")
BASE_PATH = re.compile(r"/ns/[a-z]+")


@pytest.fixture(autouse=True)
def _queue_is_always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no queue position be half a second old, as it may be in the one namespace and not in the other."""
    monkeypatch.setattr("civitai_mock.services.queue_position.MIN_LIFETIME", timedelta())
    monkeypatch.setattr("civitai_mock.services.queue_position.LIFETIME_PER_READING", 0)


async def save(client: httpx.AsyncClient, name: str) -> bytes:
    answer = await client.get(f"{NAMESPACES}/{name}/snapshot")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    return answer.content


async def restore(client: httpx.AsyncClient, name: str, snapshot: bytes) -> httpx.Response:
    return await client.put(f"{NAMESPACES}/{name}/snapshot", content=snapshot, headers=ZIP)


async def restored(client: httpx.AsyncClient, name: str, snapshot: bytes) -> None:
    answer = await restore(client, name, snapshot)
    assert answer.status_code == 204, answer.text


async def post(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], **headers: str) -> Any:
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer.json()


async def make_world(opened: Opened, base: str) -> list[str]:
    """Fill a namespace whose clock stands, and return the paths at which it shows what is in it."""
    client, name = opened.client, base.removeprefix("/ns/")
    headers = {"X-Mock-Namespace": name}
    await client.put(f"{NAMESPACES}/{name}", json={"seed": 7, "balance": {"yellow": 1000, "blue": 100}})
    await client.put("/_mock/clock", json={"mode": "frozen", "now": MOMENT}, headers=headers)
    own = await client.put(base + RESOURCES + CHECKPOINT, json={"air": CHECKPOINT, "trainedWords": ["own"]})
    gone = await client.delete(base + RESOURCES + LORA)
    assert (own.status_code, gone.status_code) == (200, 204), own.text
    ended = await post(client, base + JOBS, template(callbackUrl="http://localhost:1/hook"))
    flow = await post(client, base + WORKFLOWS, workflow(image(), image(), tags=["one"], metadata={"k": "needle"}))
    await client.post("/_mock/clock/advance", json={"by": "1h"}, headers=headers)
    drawn = await client.get(f"{base}{JOBS}/{ended['jobId']}?detailed=true")
    (shown,) = drawn.json()["result"]
    assert (await client.get(shown["blobUrl"])).status_code == 200  # so that its image is drawn
    moved = [await post(client, base + JOBS, template(), **{"X-Mock-Progress": "manual"}) for _ in range(3)]
    for number, found in enumerate(moved):
        for _ in range(number):
            advanced = await client.post(f"/_mock/jobs/{found['jobId']}/advance", json={}, headers=headers)
            assert advanced.status_code == 200, advanced.text
    jobs = [found["jobId"] for found in (ended, *moved)]
    return [
        *[f"{JOBS}/{job_id}?detailed=true" for job_id in jobs],
        f"{JOBS}?token={ended['token']}",
        f"{WORKFLOWS}/{flow['id']}",
        f"{WORKFLOWS}?tags=one",
        f"{WORKFLOWS}?query=needle",
        "/v1/consumer/consumption",
        RESOURCES + CHECKPOINT,
        RESOURCES + LORA,
    ]


async def look(client: httpx.AsyncClient, base: str, paths: list[str]) -> dict[str, Any]:
    """Return what is seen in a namespace, without signatures, and without its own name in URLs."""
    headers = {"X-Mock-Namespace": base.removeprefix("/ns/")}
    found = {path: await client.get(base + path) for path in paths if base == "/ns/a" or "?token=" not in path}
    control = ["/_mock/jobs", "/_mock/queue", "/_mock/clock", "/_mock/progress"]
    found |= {path: await client.get(path, headers=headers) for path in control}
    ids = [item["jobId"] for item in found["/_mock/jobs"].json()["items"]]
    found |= {f"/_mock/jobs/{each}": await client.get(f"/_mock/jobs/{each}", headers=headers) for each in ids}
    return {path: _plain(answer) for path, answer in found.items()}


def _plain(answer: httpx.Response) -> Any:
    text = BASE_PATH.sub("", SIGNATURES.sub("", answer.text))
    found = orjson.loads(text)
    return answer.status_code, found if answer.status_code != 404 else found["detail"]


async def test_a_namespace_shows_the_same_once_it_is_restored_anywhere() -> None:
    async with serve_all() as one, serve_all() as two:
        paths = await make_world(one, "/ns/a")
        snapshot, before = await save(one.client, "a"), await look(one.client, "/ns/a", paths)
        await one.client.post("/_mock/reset", json={}, headers={"X-Mock-Namespace": "a"})
        for client, name in ((one.client, "a"), (two.client, "a"), (one.client, "b"), (two.client, "c")):
            await restored(client, name, snapshot)
            assert await look(client, f"/ns/{name}", paths) == here(before, name)
            assert await save_of(client, name) == await save_of(one.client, "a")


def here(seen: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what is seen in a namespace: the token of a submission says where its jobs are, and is of that alone."""
    return {path: found for path, found in seen.items() if name == "a" or "?token=" not in path}


async def save_of(client: httpx.AsyncClient, name: str) -> dict[str, bytes]:
    """Return the files of a snapshot, without what it says of itself and the URLs of its namespace."""
    return files_in(await save(client, name))


def files_in(snapshot: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(snapshot)) as archive:
        found = {each: archive.read(each) for each in archive.namelist() if each != "manifest.json"}
    return {each: re.sub(rb"/ns/[a-z]+|http://[a-z.:0-9]+", b"", content) for each, content in found.items()}


async def test_the_default_namespace_can_become_another_one_and_the_other_way_round() -> None:
    async with serve_all() as opened:
        paths = await make_world(opened, "/ns/a")
        before = here(await look(opened.client, "/ns/a", paths), "c")
        await restored(opened.client, "default", await save(opened.client, "a"))
        headers = {"X-Mock-Namespace": "default"}
        seen = {path: await opened.client.get(path, headers=headers) for path in before}
        assert {path: _plain(answer) for path, answer in seen.items()} == before
        await restored(opened.client, "c", await save(opened.client, "default"))
        assert await look(opened.client, "/ns/c", paths) == before


async def test_a_snapshot_of_the_first_format_is_read_as_it_was_written() -> None:
    """So it is by every later version, which may know more members, but has to know all of these."""
    first = FIRST_FORMAT.read_bytes()
    async with serve_all() as opened:
        await restored(opened.client, "a", first)
        assert await save_of(opened.client, "a") == files_in(first)


async def test_no_namespace_too_many_is_made_of_a_snapshot() -> None:
    async with serve(namespaces_max=2) as served:
        await restored(served.client, "a", FIRST_FORMAT.read_bytes())
        answer = await restore(served.client, "b", FIRST_FORMAT.read_bytes())
        assert answer.status_code == 409
        assert "NAMESPACES_MAX" in answer.json()["detail"]


async def test_moved_time_is_not_restored_where_real_servers_run_jobs() -> None:
    async with serve(comfy_http_url="http://127.0.0.1:9") as served:
        answer = await restore(served.client, "a", FIRST_FORMAT.read_bytes())
        assert answer.status_code == 409
        assert (await served.client.get(f"{NAMESPACES}/a")).status_code == 404


async def test_work_goes_on_in_what_was_restored() -> None:
    async with serve_all() as one, serve_all() as two:
        await make_world(one, "/ns/a")
        queued = await post(one.client, f"/ns/a{JOBS}", template())
        await restored(two.client, "b", await save(one.client, "a"))
        headers = {"X-Mock-Namespace": "b"}
        advanced = await two.client.post("/_mock/clock/advance", json={"by": "1h"}, headers=headers)
        assert (advanced.status_code, advanced.json()["status"]) == (200, "ready"), advanced.text
        found = (await two.client.get(f"/ns/b{JOBS}/{queued['jobId']}?detailed=true")).json()
        assert found["lastEvent"]["type"] == "Succeeded"
        assert (await two.client.get(found["result"][0]["blobUrl"])).status_code == 200
        again = [
            await post(client, f"{base}{JOBS}", template())
            for client, base in ((one.client, "/ns/a"), (two.client, "/ns/b"))
        ]
        assert again[0]["jobId"] == again[1]["jobId"]  # as equal requests are counted on


async def test_files_that_jobs_were_given_are_those_of_the_namespace_that_they_are_in() -> None:
    """URLs in requests are signed again, as no other namespace, and no other server, takes those of before."""
    async with serve_all() as one, serve_all() as two:
        upload = await one.client.post("/ns/a/v2/consumer/blobs", content=PNG, headers={"Content-Type": "image/png"})
        url = upload.json()["url"]
        await one.client.put("/_mock/progress", json={"mode": "manual"}, headers={"X-Mock-Namespace": "a"})
        params = {**template()["params"], "sourceImage": url, "strength": 0.5}
        job_id = (await post(one.client, f"/ns/a{JOBS}", template(params=params)))["jobId"]
        upscaler = {"$type": "imageUpscaler", "input": {"image": url}}
        flow = await post(one.client, f"/ns/a{WORKFLOWS}", workflow(upscaler))
        snapshot = await save(one.client, "a")
        for client, name in ((one.client, "b"), (two.client, "c"), (one.client, "default")):
            await restored(client, name, snapshot)
            headers, base = {"X-Mock-Namespace": name}, "" if name == "default" else f"/ns/{name}"
            shown = (await client.get(f"{base}{WORKFLOWS}/{flow['id']}")).json()["steps"][0]
            assert f"{base}/v2/consumer/blobs/" in shown["input"]["image"]
            assert (await client.get(shown["input"]["image"])).status_code in {200, 301}
            for each in (job_id, shown["jobs"][0]["id"]):
                moved = await client.post(f"/_mock/jobs/{each}/succeed", json={}, headers=headers)
                assert (moved.status_code, moved.json()["status"]) == (200, "Succeeded"), moved.text


async def test_tokens_stay_with_their_namespace(opened_all: Opened) -> None:
    client = opened_all.client
    await client.put(f"{NAMESPACES}/a", json={"tokens": ["of-a"], "seed": 1})
    await client.put(f"{NAMESPACES}/b", json={"tokens": ["of-b"], "seed": 2})
    await restored(client, "b", await save(client, "a"))
    found = (await client.get(f"{NAMESPACES}/b")).json()
    assert (found["tokens"], found["seed"]) == (["of-b"], 1)


@pytest.fixture
async def opened_all() -> Any:
    async with serve_all(snapshot_max_bytes=1024 * 1024) as opened:
        yield opened


async def test_an_unknown_namespace_is_404_and_a_name_that_none_can_have_400(opened_all: Opened) -> None:
    assert (await opened_all.client.get(f"{NAMESPACES}/nobody/snapshot")).status_code == 404
    assert (await opened_all.client.get(f"{NAMESPACES}/a%20b/snapshot")).status_code == 400
    assert (await restore(opened_all.client, "a%20b", b"")).status_code == 400


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data", ""])
async def test_only_a_zip_is_taken(opened_all: Opened, media_type: str) -> None:
    url = f"{NAMESPACES}/a/snapshot"
    answer = await opened_all.client.put(url, content=b"x", headers={"Content-Type": media_type} if media_type else {})
    assert answer.status_code == 415


async def files_of(opened: Opened) -> dict[str, bytes]:
    """Return the files of a snapshot of a small namespace."""
    client = opened.client
    await client.put("/_mock/clock", json={"mode": "frozen", "now": MOMENT}, headers={"X-Mock-Namespace": "a"})
    made = await post(client, f"/ns/a{JOBS}", template(), **{"X-Mock-Progress": "manual"})
    await post(client, f"/_mock/jobs/{made['jobId']}/advance", {}, **{"X-Mock-Namespace": "a"})
    await post(client, "/_mock/clock/advance", {"by": "1m"}, **{"X-Mock-Namespace": "a"})
    await post(client, f"/ns/a{WORKFLOWS}", workflow(image()), **{"X-Mock-Progress": "manual"})
    uploaded = await client.post("/ns/a/v2/consumer/blobs", content=PNG, headers={"Content-Type": "image/png"})
    assert uploaded.status_code == 201, uploaded.text
    with zipfile.ZipFile(io.BytesIO(await save(client, "a"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f0005fe02fedc"
    "cc59e70000000049454e44ae426082"
)


def zipped(files: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def replaced(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], bytes]:
    def change(files: dict[str, bytes]) -> bytes:
        assert old in files[name], files[name]
        return zipped({**files, name: files[name].replace(old, new, 1)})

    return change


def with_file(name: str, content: bytes) -> Callable[[dict[str, bytes]], bytes]:
    return lambda files: zipped({**files, name: content})


def without(name: str) -> Callable[[dict[str, bytes]], bytes]:
    return lambda files: zipped({each: content for each, content in files.items() if each != name})


def doubled(name: str) -> Callable[[dict[str, bytes]], bytes]:
    return lambda files: zipped({**files, name: files[name] * 2})


def twice_in_the_zip(files: dict[str, bytes]) -> bytes:
    placeholder = "jobs.jsonX"
    return zipped({**files, placeholder: files["jobs.jsonl"]}).replace(placeholder.encode(), b"jobs.jsonl")


def flipped(files: dict[str, bytes]) -> bytes:
    """Change a byte of an image, which its checksum tells."""
    snapshot = zipped(files, compression=zipfile.ZIP_STORED)
    assert snapshot.count(PNG) == 1
    return snapshot.replace(PNG, PNG[:-20] + bytes(8) + PNG[-12:])


def truncated(files: dict[str, bytes]) -> bytes:
    return zipped(files)[:-30]


def nested(files: dict[str, bytes]) -> bytes:
    deep = b"[" * 200 + b"]" * 200
    return replaced("jobs.jsonl", b'"spec":{', b'"spec":{"deep":' + deep + b",")(files)


def emptied(record: str, member: str, value: Any) -> Callable[[dict[str, bytes]], bytes]:
    """Change the member of the first record that has one; without a value it is left out."""
    name = f"{record}s.jsonl"

    def change(files: dict[str, bytes]) -> bytes:
        records = [orjson.loads(line) for line in files[name].splitlines()]
        found = next(each[record] for each in records if member in each[record])
        del found[member]
        if value is not None:
            found[member] = value
        return zipped({**files, name: b"".join(orjson.dumps(each) + b"\n" for each in records)})

    return change


FAULTS: Mapping[str, tuple[Callable[[dict[str, bytes]], bytes], str, str]] = {
    "nothing": (lambda _: b"", "$", "zip"),
    "no zip": (lambda _: b"x" * 1000, "$", "zip"),
    "cut off": (truncated, "$", "zip"),
    "a wrong byte": (flipped, "blobs/0", "CRC"),
    "a newer format": (replaced("manifest.json", b'"format":1', b'"format":2'), "manifest.json.format", "newer"),
    "no format": (replaced("manifest.json", b'"format":1', b'"format":"1"'), "manifest.json.format", "number"),
    "no manifest": (without("manifest.json"), "manifest.json", "missing"),
    "no jobs": (without("jobs.jsonl"), "jobs.jsonl", "missing"),
    "no bytes": (without("blobs/0"), "blobs.jsonl[1].file", "missing"),
    "a file of nobody": (with_file("blobs/7", b"x"), "blobs/7", "No record"),
    "a way out": (with_file("../../etc/passwd", b"x"), "../../etc/passwd", "Unknown file"),
    "a way in a folder": (with_file("blobs/../x", b"x"), "blobs/../x", "Unknown file"),
    "from the root": (with_file("/etc/passwd", b"x"), "/etc/passwd", "Unknown file"),
    "a file twice": (twice_in_the_zip, "jobs.jsonl", "twice"),
    "a bomb": (with_file("counters.jsonl", bytes(2 * 1024 * 1024)), "$", "SNAPSHOT_MAX_BYTES"),
    "too large": (lambda _: bytes(1024 * 1024 + 1), "$", "SNAPSHOT_MAX_BYTES"),
    "no JSON": (with_file("counters.jsonl", b"{\n"), "counters.jsonl[1]", "JSON"),
    "zeros": (with_file("counters.jsonl", bytes(1000)), "counters.jsonl[1]", "JSON"),
    "too deep": (nested, "jobs.jsonl[1]", "nested"),
    "a list": (with_file("namespace.json", b"[]"), "namespace.json", "object"),
    "an unknown setting": (with_file("namespace.json", b'{"sed":1}'), "namespace.json.sed", "seed"),
    "a wrong seed": (with_file("namespace.json", b'{"seed":"x"}'), "namespace.json.seed", "set"),
    "a wrong clock": (with_file("namespace.json", b'{"clock":{"mode":"x"}}'), "namespace.json.clock", "set"),
    "a wrong balance": (with_file("namespace.json", b'{"balance":{"gold":1}}'), "namespace.json.balance", "set"),
    "a wrong mode": (
        with_file("namespace.json", b'{"progress":{"mode":"x"}}'),
        "namespace.json.progress.mode",
        "polls",
    ),
    "an unknown member": (
        replaced("jobs.jsonl", b'"job":{', b'"job":{"x":1,'),
        "jobs.jsonl[1].job.x",
        "Unknown member",
    ),
    "a missing member": (with_file("counters.jsonl", b'{"key":"a"}\n'), "counters.jsonl[1].value", "missing"),
    "a wrong type": (replaced("jobs.jsonl", b'"priority":', b'"priority":1.'), "jobs.jsonl[1].job.priority", "whole"),
    "a wrong time": (
        replaced("jobs.jsonl", b'"created_at":"2026', b'"created_at":"26'),
        "jobs.jsonl[1].job.created_at",
        "time",
    ),
    "a wrong stage": (
        replaced("jobs.jsonl", b'"stage":"', b'"stage":"X'),
        "jobs.jsonl[1].job.last_event.stage",
        "QUEUED",
    ),
    "a job twice": (doubled("jobs.jsonl"), "jobs.jsonl[3].job.id", "twice"),
    "a blob twice": (doubled("blobs.jsonl"), "blobs.jsonl[2].blob.key", "twice"),
    "a workflow twice": (doubled("workflows.jsonl"), "workflows.jsonl[2].workflow.id", "twice"),
    "too few": (with_file("workflows.jsonl", b""), "jobs.jsonl[2].job.workflow", "no workflow"),
    "another number": (
        replaced("manifest.json", b'"jobs.jsonl":2', b'"jobs.jsonl":3'),
        "manifest.json.counts.jobs.jsonl",
        "Expected 2",
    ),
    "a gap in the events": (replaced("jobs.jsonl", b'"seq":1', b'"seq":2'), "jobs.jsonl[1].earlier", "gaps"),
    "other bytes": (with_file("blobs/0", PNG + b"x"), "blobs.jsonl[1].blob", "bytes"),
    "a key that is a path": (replaced("blobs.jsonl", b'"key":"', b'"key":"../'), "blobs.jsonl[1].blob.key", "key"),
    "no steps": (emptied("workflow", "steps", []), "workflows.jsonl[1].workflow.steps", "at least one"),
    "a source that is no step": (
        replaced("workflows.jsonl", b'"input":', b'"sources":[3],"input":'),
        "workflows.jsonl[1].workflow.steps[0]",
        "other steps",
    ),
    "a step that waits for itself": (
        replaced("workflows.jsonl", b'"input":', b'"sources":[0],"input":'),
        "workflows.jsonl[1].workflow.steps[0]",
        "other steps",
    ),
    "a job that no step can have": (
        replaced("workflows.jsonl", b'"jobs":["', b'"jobs":["x'),
        "workflows.jsonl[1].workflow.steps[0].jobs",
        "follow from",
    ),
    "another place": (replaced("jobs.jsonl", b'"index":0', b'"index":1'), "jobs.jsonl[2].job.workflow", "follows"),
    "a step that is not there": (
        replaced("jobs.jsonl", b'"step":0', b'"step":5'),
        "jobs.jsonl[2].job.workflow",
        "follows",
    ),
    "a job without its workflow": (emptied("job", "workflow", None), "jobs.jsonl[2].job.workflow", "has this job"),
    "no spec": (emptied("job", "spec", {}), "jobs.jsonl[1].job.spec", "missing"),
    "an unknown type": (
        replaced("jobs.jsonl", b'"TextToImageV2"', b'"TextToImageV9"'),
        "jobs.jsonl[1].earlier",
        "alone",
    ),
    "a wrong number": (
        replaced("jobs.jsonl", b'"cfgScale":', b'"cfgScale":[],"x":'),
        "jobs.jsonl[1].job.spec",
        "a number",
    ),
    "a wrong word": (replaced("jobs.jsonl", b'"scheduler":"', b'"scheduler":"x'), "jobs.jsonl[1].job.spec", "spec"),
    "a text for a number": (
        replaced("jobs.jsonl", b'"width":', b'"width":"8","x":'),
        "jobs.jsonl[1].job.spec",
        "params.width",
    ),
    "another model": (
        replaced("jobs.jsonl", b'"spec":{"model":"urn', b'"spec":{"model":"urm'),
        "jobs.jsonl[1].job.spec",
        "not among the resources",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_is_wrong_is_said_and_nothing_changes(opened_all: Opened, name: str) -> None:
    change, path, hint = FAULTS[name]
    files = await files_of(opened_all)
    before = await save_of(opened_all.client, "a")
    for target in ("a", "new"):
        answer = await restore(opened_all.client, target, change(files))
        assert answer.status_code == 400, answer.text
        assert list(answer.json()["errors"]) == [path]
        assert hint in " ".join(answer.json()["errors"][path])
    assert await save_of(opened_all.client, "a") == before
    assert (await opened_all.client.get(f"{NAMESPACES}/new")).status_code == 404


async def test_what_is_not_changed_is_taken(opened_all: Opened) -> None:
    """The files that the faults are put into have none."""
    files = await files_of(opened_all)
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        await restored(opened_all.client, "new", zipped(files, compression=compression))


async def test_a_namespace_that_is_too_large_is_not_saved() -> None:
    async with serve_all(snapshot_max_bytes=2048) as opened:
        await post(opened.client, f"/ns/a{JOBS}", template())
        answer = await opened.client.get(f"{NAMESPACES}/a/snapshot")
        assert answer.status_code == 409
        assert "SNAPSHOT_MAX_BYTES" in answer.json()["detail"]

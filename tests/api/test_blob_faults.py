"""Faults of blobs on the wire, of version 1 and 2: late, expired, lost, silent and black ones."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from civitai_mock.bootstrap.application import Application
from civitai_mock.clock import SeededIds, VirtualClock
from civitai_mock.domain.blob import BlobFacts
from civitai_mock.domain.maturity import NsfwLevel
from tests.support import asgi
from tests.support.dates import START
from tests.support.event_loop import settle, until_found
from tests.support.jobs import chunks
from tests.support.served_app import BASE_URL, CHECKPOINT, JOBS, Opened, make_settings, open_app, template

WORKFLOWS, BLOBS = "/v2/consumer/workflows", "/v2/consumer/blobs"
HIT = "x-mock-fault"
PROMPT = "a fox"


@dataclass(frozen=True, kw_only=True)
class Made:
    """An image that a job has made: what shows its status, and its URL there."""

    status_path: str
    url: str

    @property
    def path(self) -> str:
        return self.url.removeprefix(BASE_URL)


@dataclass(frozen=True, kw_only=True)
class Run(Opened):
    """Is a server with a scheduler, on a clock that only tests move."""

    clock: VirtualClock

    async def set_rule(self, **rule: Any) -> str:
        answer = await self.client.post("/_mock/faults", json=rule)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def clear_rules(self) -> None:
        answer = await self.client.delete("/_mock/faults", headers={"content-type": "application/json"})
        assert answer.is_success, answer.text

    async def get(self, path: str, **request: Any) -> Any:
        answer = await self.client.get(path, **request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def download(self, url: str, **request: Any) -> httpx.Response:
        """GET a blob, and what it redirects to."""
        return await self.client.get(url, follow_redirects=True, **request)


@asynccontextmanager
async def run_server(**settings: Any) -> AsyncIterator[Run]:
    clock = VirtualClock(START)
    chosen = make_settings(simulation_pictures="blank", **settings)
    async with open_app(Application(chosen, clock=clock, ids=SeededIds())) as opened:
        yield Run(application=opened.application, client=opened.client, clock=clock)


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    async with run_server() as opened:
        yield opened


class V1:
    """Version 1: jobs, and signed URLs of their blobs."""

    @staticmethod
    async def make(run: Run, **request: Any) -> Made:
        answer = await run.client.post(JOBS, json=template(), **request)
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["jobId"]
        await run.wait_until_ended(job_id)
        path = f"{JOBS}/{job_id}"
        return Made(status_path=path, url=(await run.get(path))["result"][0]["blobUrl"])

    @staticmethod
    def image(status: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = status["result"][0]
        return found

    @staticmethod
    def url(status: Any) -> Any:
        return V1.image(status).get("blobUrl")


class V2:
    """Version 2: workflows, and URLs that redirect to the content."""

    @staticmethod
    async def make(run: Run, **request: Any) -> Made:
        step = {"$type": "textToImage", "input": {"prompt": PROMPT, "model": CHECKPOINT, "outputFormat": "png"}}
        answer = await run.client.post(WORKFLOWS, json={"steps": [step]}, **request)
        assert answer.status_code == 202, answer.text
        path = f"{WORKFLOWS}/{answer.json()['id']}"

        async def is_over() -> bool:
            return bool((await run.client.get(path)).json()["status"] == "succeeded")

        await until_found(is_over)
        await settle()
        return Made(status_path=path, url=V2.url(await run.get(path)))

    @staticmethod
    def image(status: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = status["steps"][0]["output"]["images"][0]
        return found

    @staticmethod
    def url(status: Any) -> Any:
        return V2.image(status).get("url")


Version = type[V1] | type[V2]
both = pytest.mark.parametrize("version", [V1, V2])


async def made_with(run: Run, version: Version, preset: str, *, by_header: bool, **params: Any) -> tuple[Made, str]:
    """Make an image of which something goes wrong by a rule, or by the header of its submission; return who says so."""
    if not by_header:
        rule_id = await run.set_rule(preset=preset, params=params)
        return await version.make(run), rule_id
    header = "; ".join([preset, *(f"{name}={value}" for name, value in params.items())])
    return await version.make(run, headers={HIT: header}), preset


@both
@pytest.mark.parametrize("by_header", [False, True])
async def test_a_late_blob_is_a_404_for_so_long(run: Run, version: Version, by_header: bool) -> None:
    made, rule_id = await made_with(run, version, "blob-late", by_header=by_header, seconds=7)
    assert version.image(await run.get(made.status_path))["available"] is True
    for method in ("GET", "HEAD"):
        answer = await run.client.request(method, made.path)
        assert (answer.status_code, answer.headers[HIT]) == (404, rule_id)
    run.clock.advance(6.999)
    assert (await run.download(made.path, headers={"range": "bytes=0-3"})).status_code == 404
    assert (await run.download(made.path, headers={"if-none-match": "*"})).status_code == 404
    run.clock.advance(0.001)
    answer = await run.download(made.path)
    assert (answer.status_code, answer.content[:4], HIT in answer.headers) == (200, b"\x89PNG", False)


@both
@pytest.mark.parametrize("by_header", [False, True])
async def test_an_expired_url_is_a_403_and_the_next_one_is_good(run: Run, version: Version, by_header: bool) -> None:
    """In one second too, and although the answer was kept: the new URL is another one."""
    made, rule_id = await made_with(run, version, "blob-expired", by_header=by_header)
    for _ in range(3):
        assert version.url(await run.get(made.status_path)) == made.url
    for method in ("GET", "HEAD"):
        answer = await run.client.request(method, made.path)
        assert (answer.status_code, answer.headers[HIT]) == (403, rule_id)
    image = version.image(await run.get(made.status_path))
    renewed = version.url(await run.get(made.status_path))
    assert (image["available"], renewed == made.url) == (True, False)
    answer = await run.download(renewed)
    assert (answer.status_code, answer.content[:4], HIT in answer.headers) == (200, b"\x89PNG", False)
    assert (await run.download(made.url)).status_code == 403
    run.clock.advance(5)
    later = version.url(await run.get(made.status_path))
    assert (await run.download(later)).status_code == 200


async def test_refreshing_an_expired_blob_gives_a_good_url(run: Run) -> None:
    made, _ = await made_with(run, V2, "blob-expired", by_header=False)
    assert (await run.client.get(made.path)).status_code == 403
    blob = (await run.client.post(f"{urlsplit(made.path).path}/refresh")).json()
    assert (await run.download(blob["url"])).status_code == 200
    assert (await run.download(blob["previewUrl"])).status_code == 200


async def outcome_of_reading(run: Run, version: Version, url: str) -> tuple[str, str]:
    """Return how a job ends that reads an image, and why."""
    if version is V1:
        control_net = {"preprocessor": "canny", "weight": 1, "imageUrl": url}
        status = await run.run(template(controlNets=[control_net]))
        return status["lastEvent"]["type"], status["lastEvent"]["context"].get("message", "")
    step = {"$type": "convertImage", "input": {"image": url, "output": {"format": "png"}}}
    return await run_step(run, step)


async def run_step(run: Run, step: dict[str, Any]) -> tuple[str, str]:
    """Return how a workflow of one step ends, and why."""
    answer = await run.client.post(WORKFLOWS, json={"steps": [step]})
    assert answer.status_code == 202, answer.text
    path = f"{WORKFLOWS}/{answer.json()['id']}"

    async def is_over() -> bool:
        return (await run.client.get(path)).json()["status"] in {"succeeded", "failed"}

    await until_found(is_over)
    workflow = await run.get(path)
    return workflow["status"], workflow["steps"][0]["jobs"][-1].get("reason", "")


@both
@pytest.mark.parametrize("is_read_first", [False, True])
async def test_a_job_that_reads_an_expired_url_fails(run: Run, version: Version, is_read_first: bool) -> None:
    made, _ = await made_with(run, version, "blob-expired", by_header=False)
    if is_read_first:
        assert (await run.client.get(made.path)).status_code == 403
    outcome, reason = await outcome_of_reading(run, version, made.url)
    assert outcome.lower() == "failed"
    assert "not accessible or has expired" in reason
    renewed = version.url(await run.get(made.status_path))
    await run.clear_rules()
    assert (await outcome_of_reading(run, version, renewed))[0].lower() == "succeeded"


@pytest.mark.parametrize("preset", ["blob-expired", "blob-lost", "blob-late", "blob-timeout"])
async def test_a_job_fails_that_only_seems_to_read_a_blob(run: Run, preset: str) -> None:
    """In simulation some need no image to be there: it is a fault all the same."""
    made, _ = await made_with(run, V1, preset, by_header=False)
    for job in ({"$type": "imageTransform", "transformer": "canny"}, {"$type": "imageEmbedding"}):
        event = (await run.run({**job, "imageUrl": made.url}))["lastEvent"]
        assert (event["type"], event["context"]["message"][:21]) == ("Failed", "Cannot load an input:")
    step = {"$type": "mediaCaptioning", "input": {"mediaUrl": made.url}}
    outcome, reason = await run_step(run, step)
    assert (outcome, reason[:21]) == ("failed", "Cannot load an input:")


@both
@pytest.mark.parametrize("by_header", [False, True])
async def test_a_lost_blob_was_available_first_and_is_a_404_for_good(
    run: Run, version: Version, by_header: bool
) -> None:
    made, rule_id = await made_with(run, version, "blob-lost", by_header=by_header)
    for _ in range(3):
        assert version.image(await run.get(made.status_path))["available"] is True
    answer = await run.client.get(made.path)
    assert (answer.status_code, answer.headers[HIT]) == (404, rule_id)
    await run.clear_rules()
    for _ in range(3):
        assert version.image(await run.get(made.status_path))["available"] is False
    run.clock.advance(timedelta(hours=5).total_seconds())
    assert (await run.client.head(made.path)).status_code == (403 if version is V1 else 404)  # as it has expired by now


async def test_what_a_lost_blob_has_cost_is_given_back(run: Run) -> None:
    made, _ = await made_with(run, V2, "blob-lost", by_header=False)
    before = await run.get(made.status_path)
    assert "lostBlobsRefund" not in before
    assert (await run.client.get(made.path)).status_code == 404
    after = await run.get(made.status_path)
    assert after["lostBlobsRefund"] == before["cost"]["total"] > 0
    given_back = [found for found in after["transactions"]["list"] if found["type"] == "credit"]
    assert [found["amount"] for found in given_back] == [after["lostBlobsRefund"]]
    for _ in range(2):  # and not twice
        assert (await run.client.get(made.path)).status_code == 404
        assert await run.get(made.status_path) == after


async def silent_exchange(run: Run, made: Made, receive: asgi.Receive, method: str = "GET") -> asgi.Exchange:
    path, _, query = made.path.partition("?")
    scope = {**asgi.http_scope(method, path, host="mock.test:3000"), "query_string": query.encode()}
    return await asgi.exchange(run.app, scope, receive)


@both
@pytest.mark.parametrize("by_header", [False, True])
async def test_a_blob_that_times_out_is_silent_until_the_connection_ends(
    run: Run, version: Version, by_header: bool
) -> None:
    made, _ = await made_with(run, version, "blob-timeout", by_header=by_header, seconds=9)
    for method in ("GET", "HEAD"):
        asking = asyncio.create_task(silent_exchange(run, made, asgi.silence, method))
        await settle()
        assert version.image(await run.get(made.status_path))["available"] is True
        run.clock.advance(8.999)
        await settle()
        assert not asking.done()
        run.clock.advance(0.001)
        messages = (await asking).messages
        assert not any(message.get("body") or not message.get("more_body", True) for message in messages)


@both
async def test_silence_ends_with_its_caller_and_with_its_namespace(run: Run, version: Version) -> None:
    await run.set_rule(action={"silent": True})
    made = await version.make(run)
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    asking = asyncio.create_task(silent_exchange(run, made, receive))
    await settle()
    run.clock.advance(1800)
    await settle()
    assert not asking.done()
    gone.set()
    assert (await asking).messages == []
    asking = asyncio.create_task(silent_exchange(run, made, asgi.silence))
    await settle()
    run.namespace.held_answers.stop()
    assert all(message.get("more_body", True) for message in (await asking).messages)
    outcome, reason = await outcome_of_reading(run, version, made.url)
    assert (outcome.lower(), "no answer" in reason) == ("failed", True)


def colours(content: bytes) -> object:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB").getextrema()


BLACK = ((0, 0), (0, 0), (0, 0))


@both
@pytest.mark.parametrize("by_header", [False, True])
async def test_a_censored_image_is_black_and_nothing_says_so(run: Run, version: Version, by_header: bool) -> None:
    usual = await version.make(run)
    before = await run.download(usual.path)
    made, rule_id = await made_with(run, version, "silent-censor", by_header=by_header)
    answer = await run.download(made.path)
    assert (answer.status_code, answer.headers["content-type"], answer.headers[HIT]) == (200, "image/png", rule_id)
    assert (colours(before.content) == BLACK, colours(answer.content)) == (False, BLACK)
    with Image.open(io.BytesIO(before.content)) as one, Image.open(io.BytesIO(answer.content)) as other:
        assert one.size == other.size
    assert version.image(await run.get(made.status_path))["available"] is True
    part = await run.download(made.path, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, answer.content[10:20])
    kept = await run.download(made.path, headers={"if-none-match": answer.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    assert (await run.download(made.path)).headers["etag"] == answer.headers["etag"]
    outcome, _ = await outcome_of_reading(run, version, made.url)
    assert outcome.lower() == "succeeded"


async def test_previews_archives_and_content_have_the_fault_of_their_blob(run: Run) -> None:
    made, _ = await made_with(run, V2, "silent-censor", by_header=False)
    image = V2.image(await run.get(made.status_path))
    assert colours((await run.download(image["previewUrl"])).content) == BLACK
    await run.clear_rules()
    second = await V2.make(run)
    content = (await run.client.get(second.path)).headers["location"]
    assert colours((await run.client.get(content)).content) != BLACK
    await run.set_rule(action={"lost": True}, match={"route": f"{BLOBS}/content/{{encryptedToken}}"})
    assert (await run.client.get(second.path)).status_code == 301
    assert (await run.client.get(content)).status_code == 404
    assert (await run.client.get(second.path)).status_code == 404
    preview = V2.image(await run.get(second.status_path))["previewUrl"]
    assert (await run.client.get(preview)).status_code == 404


async def test_a_placeholder_has_the_fault_of_the_blob_that_is_withheld(run: Run) -> None:
    mature = BlobFacts(width=8, height=8, nsfw_level=NsfwLevel.R, workflow_id="a workflow that is gone")
    await run.stores.blobs.put(
        "7Q.png", chunks(b"\x89PNG"), content_type="image/png", keep_until=START + timedelta(days=9), facts=mature
    )
    placeholder = (await run.client.get(f"{BLOBS}/7Q.png")).headers["location"]
    assert placeholder.startswith(f"{BLOBS}/blocked/")
    assert (await run.client.get(placeholder)).status_code == 403
    await run.set_rule(action={"late": "5s"}, match={"route": f"{BLOBS}/blocked/{{encryptedToken}}"})
    assert (await run.client.get(placeholder)).status_code == 404
    assert (await run.client.get(f"{BLOBS}/7Q.png")).status_code == 404
    run.clock.advance(5)
    assert (await run.client.get(placeholder)).status_code == 403


async def test_an_archive_leaves_out_what_is_not_there(run: Run) -> None:
    ids = [V2.image(await run.get((await V2.make(run)).status_path))["id"] for _ in range(3)]
    entries = [{"blobId": blob_id, "fileName": f"{place}.png"} for place, blob_id in enumerate(ids)]
    answer = await run.client.post(
        f"{WORKFLOWS}?wait=0", json={"steps": [{"$type": "blobArchive", "input": {"entries": entries}}]}
    )
    path = f"{WORKFLOWS}/{answer.json()['id']}"

    async def is_over() -> bool:
        return bool((await run.client.get(path)).json()["status"] == "succeeded")

    await until_found(is_over)
    url = (await run.get(path))["steps"][0]["output"]["url"]
    await run.set_rule(action={"late": "5s"}, times=1)
    await run.set_rule(action={"silent": "5s"}, times=1)
    await run.set_rule(action={"expired": True}, times=1)
    content = (await run.client.get(url)).content
    assert b"0.png" not in content
    assert b"1.png" not in content
    assert b"2.png" in content


MATCHES: list[tuple[dict[str, Any], bool]] = [
    ({"method": "GET"}, True),
    ({"method": "HEAD"}, False),
    ({"route": "/blobs/{key}"}, True),
    ({"route": "/v2/consumer/blobs/{blobId}"}, False),
    ({"header": {"X-Test": "1"}}, True),
    ({"header": {"X-Test": "2"}}, False),
    ({"$type": "textToImage"}, True),
    ({"$type": "imageTransform"}, False),
    ({"prompt": {"contains": "FOX"}, "model": CHECKPOINT, "ecosystem": "sdxl", "imageGiven": False}, True),
    ({"prompt": {"pattern": "^an owl"}}, False),
    ({"model": "urn:air:sd1:checkpoint:civitai:1@2"}, False),
]


async def test_a_rule_matches_the_request_and_the_job_of_a_blob(run: Run) -> None:
    for match, hits in MATCHES:
        made = await V1.make(run)
        assert (await run.download(made.path)).status_code == 200  # it is drawn by now, and its job still known
        await run.set_rule(action={"lost": True}, match=match)
        answer = await run.client.get(made.path, headers={"x-test": "1"})
        assert (answer.status_code == 404) is hits, match
        await run.clear_rules()


async def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    stored = {"mongodb_uri": None, "data_dir": tmp_path}
    async with run_server(**stored) as run:
        await run.set_rule(action={"late": "1m"}, times=1)
        await run.set_rule(action={"expired": True}, times=1)
        await run.set_rule(action={"lost": True}, times=1)
        made = [await V1.make(run) for _ in range(3)]
        answers = [(await run.client.get(each.path)).status_code for each in made]
        assert answers == [404, 403, 404]
        await run.clear_rules()
    async with run_server(**stored) as run:
        assert [(await run.client.get(each.path)).status_code for each in made] == answers
        statuses = [await run.get(each.status_path) for each in made]
        assert [V1.image(status)["available"] for status in statuses] == [True, True, False]
        assert (await run.client.get(V1.url(statuses[1]))).status_code == 200
        run.clock.advance(60)
        assert (await run.client.get(made[0].path)).status_code == 200


async def test_a_fault_is_decided_once_for_each_blob(run: Run) -> None:
    """Whatever the dice say to the next request, and although the rule goes away."""
    rule_id = await run.set_rule(action={"late": "1h"}, every=2)
    first, second = await V1.make(run), await V1.make(run)
    for _ in range(3):
        assert (await run.client.get(first.path)).status_code == 200
    assert (await run.client.get(second.path)).status_code == 404
    assert (await run.get(f"/_mock/faults/{rule_id}"))["hits"] == 1
    await run.clear_rules()
    assert (await run.client.get(first.path)).status_code == 200
    assert (await run.client.get(second.path)).status_code == 404
    await run.set_rule(action={"lost": True})
    assert (await run.client.get(first.path)).status_code == 404  # of another rule it has not had its turn


async def test_readers_at_once_are_one_turn_of_a_rule(run: Run) -> None:
    rule_id = await run.set_rule(action={"late": "1h"}, times=1)
    first, second = await V1.make(run), await V1.make(run)
    answers = await asyncio.gather(*(run.client.get(first.path) for _ in range(9)))
    assert {answer.status_code for answer in answers} == {404}
    assert (await run.client.get(second.path)).status_code == 200
    assert (await run.get(f"/_mock/faults/{rule_id}"))["hits"] == 1


async def test_how_late_a_blob_is_may_be_drawn_once(run: Run) -> None:
    await run.set_rule(action={"late": {"min": "10s", "max": "20s"}})
    made = await V1.make(run)
    late = 0
    while (await run.client.get(made.path)).status_code == 404:
        run.clock.advance(1)
        late += 1
    assert 10 <= late <= 20


async def test_the_header_of_a_download_hits_that_blob(run: Run) -> None:
    made = await V1.make(run)
    answer = await run.client.get(made.path, headers={HIT: "blob-late; seconds=3"})
    assert (answer.status_code, answer.headers[HIT]) == (404, "blob-late")
    assert (await run.client.get(made.path)).status_code == 404
    run.clock.advance(3)
    assert (await run.client.get(made.path)).status_code == 200


async def test_the_job_of_a_blob_tells_its_fault(run: Run) -> None:
    usual = await V1.make(run)
    await run.set_rule(preset="blob-late", params={"seconds": 7}, times=1)
    made = await V1.make(run)
    assert (await run.client.get(made.path)).status_code == 404
    key = urlsplit(made.path).path.rpartition("/")[2]
    expected = [{"blobKey": key, "rule": "fault-1", "preset": "blob-late", "params": {"seconds": 7}}]
    for each, faults in ((made, expected), (usual, [])):
        assert (await run.get(each.status_path.replace(JOBS, "/_mock/jobs")))["faults"] == faults


async def test_the_journal_says_which_rules_were_looked_at_for_a_blob(run: Run) -> None:
    await run.set_rule(action={"lost": True}, match={"method": "HEAD"})
    rule_id = await run.set_rule(action={"late": "1h"})
    made = await V1.make(run)
    await run.client.get(made.path)
    (entry,) = [item for item in (await run.get("/_mock/journal"))["items"] if item["path"].startswith("/blobs/")]
    assert entry["fault"] == rule_id
    assert [(rule["matched"], rule.get("failed")) for rule in entry["rules"]] == [
        (False, "match.method"),
        (True, None),
    ]


async def test_a_snapshot_has_what_was_decided(run: Run) -> None:
    made = []
    for action in ({"late": "1m"}, {"expired": True}, {"lost": True}):
        await run.set_rule(action=action)
        made.append(await V1.make(run))
        await run.client.get(made[-1].path)
        await run.clear_rules()
    saved = (await run.client.get("/_mock/namespaces/default/snapshot")).content
    headers = {"content-type": "application/zip"}
    assert (await run.client.put("/_mock/namespaces/other/snapshot", content=saved, headers=headers)).status_code == 204
    statuses = [await run.get(f"/ns/other{each.status_path}") for each in made]
    assert [V1.image(status)["available"] for status in statuses] == [True, True, False]
    answers = [(await run.client.get(V1.url(status))).status_code for status in statuses[:2]]
    assert answers == [404, 200]

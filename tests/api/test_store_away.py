"""Every route while the store is away: what can be served is, the rest is a 503 that says when to come back."""

import asyncio
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.api.v2.description.document import recipe_schemas
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.services.archives import ArchiveEntry, ArchiveFormat
from civitai_mock.services.blob_tokens import ContentToken
from civitai_mock.services.consumers import EVERYBODY
from civitai_mock.services.query import QueryJobs
from civitai_mock.services.queue_position import GetQueuePositions
from civitai_mock.storage.sqlite import database
from civitai_mock.storage.sqlite.open import FILE_NAME
from tests.support.jobs import succeeded
from tests.support.media_files import FILES
from tests.support.mongo import MongoProcess, new_process
from tests.support.served_app import BASE_URL, CHECKPOINT, JOBS, LORA, Served, serve, template

PATIENCE_SECONDS = 60
AT_ONCE = 100
QUICK = "serverSelectionTimeoutMS=300&connectTimeoutMS=300"
WORKFLOWS, RECIPES, SERVICES = "/v2/consumer/workflows", "/v2/consumer/recipes", "/v2/services"
WORKFLOW, STEP = f"{WORKFLOWS}/{{workflowId}}", f"{WORKFLOWS}/{{workflowId}}/steps/{{stepName}}"
OF_WORKFLOW, OF_STEP = f"{WORKFLOWS}/{{workflow}}", f"{WORKFLOWS}/{{workflow}}/steps/$0"
ECHO = {"steps": [{"$type": "echo", "input": {"message": "hi"}}]}
PATCH = [{"op": "add", "path": "/metadata/a", "value": 1}]
USER = "/v2/consumer/civitai/{userId}"
BLOBS, STREAMS = "/v2/consumer/blobs", "/v2/consumer/streaming-blobs"
PNG = FILES["image/png"]()
ASSET = "model.safetensors"
ADDED = "urn:air:sd1:lora:civitai:1@2"

NAMESPACES = "/_mock/namespaces"
NAMESPACE = f"{NAMESPACES}/{{ns}}"
FAULTS, SCENARIOS, STYLES = "/_mock/faults", "/_mock/scenarios", "/_mock/styles"
FLEET = "/_mock/fleet"
# Streams that do not end; `test_event_stream` asks them.
ENDLESS = {("GET", f"{JOBS}/events"), ("GET", "/v1/consumer/events"), ("GET", "/_mock/events")}
MARK = "x-of-a-test"  # by which rules of this test match nothing but its own requests
RULE = {"match": {"header": {MARK: "none"}}, "action": {"status": 418}}
CALM = {"start": "calm", "states": {"calm": {"match": {"header": {MARK: "none"}}}}}


class Needs(StrEnum):
    """What a route needs of the store; a SQLite file can be read while it takes no write."""

    NOTHING = "nothing"
    READING = "reading"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to a route, and how it is answered while all is well."""

    method: str
    path: str
    needs: Needs
    status: int = 200
    json: Any = None
    content: bytes | None = None
    route: str = ""


# `{done}`, `{queued}`, `{key}` and so on are those of the jobs that are there before.
ASKS = (
    Ask("GET", "/", Needs.NOTHING),
    Ask("GET", "/docs", Needs.NOTHING),
    Ask("GET", "/redoc", Needs.NOTHING),
    Ask("GET", "/openapi.json", Needs.NOTHING),
    Ask("GET", "/static/swagger-ui.css", Needs.NOTHING, route="/static/{name}"),
    Ask("GET", "/health/live", Needs.NOTHING),
    Ask("GET", "/metrics", Needs.NOTHING),
    Ask("GET", "/health", Needs.WRITING),
    Ask("GET", "/health/ready", Needs.WRITING),
    Ask("GET", "{blob}", Needs.READING, route="/blobs/{key}"),
    Ask("HEAD", "{blob}", Needs.READING, route="/blobs/{key}"),
    Ask("GET", f"{BLOBS}/upload", Needs.NOTHING),
    Ask("POST", BLOBS, Needs.WRITING, 201, content=PNG),
    Ask("GET", "{v2_blob}", Needs.READING, 301, route=f"{BLOBS}/{{blobId}}"),
    Ask("HEAD", "{v2_blob}", Needs.READING, 204, route=f"{BLOBS}/{{blobId}}"),
    Ask("GET", f"{BLOBS}/content/{{content}}", Needs.READING, route=f"{BLOBS}/content/{{encryptedToken}}"),
    Ask("GET", f"{BLOBS}/blocked/x", Needs.NOTHING, 403, route=f"{BLOBS}/blocked/{{encryptedToken}}"),
    Ask("GET", f"{BLOBS}/archive/{{archive}}", Needs.READING, route=f"{BLOBS}/archive/{{encryptedToken}}"),
    Ask("POST", f"{BLOBS}/{{key}}/refresh", Needs.READING, route=f"{BLOBS}/{{blobId}}/refresh"),
    Ask("GET", f"{STREAMS}/{{key}}", Needs.READING, route=f"{STREAMS}/{{blobKey}}"),
    Ask("GET", f"{JOBS}/{{done}}", Needs.READING, route=f"{JOBS}/{{jobId}}"),
    Ask("GET", f"{JOBS}/{{queued}}?detailed=true", Needs.READING, route=f"{JOBS}/{{jobId}}"),
    Ask("GET", f"{JOBS}/{{done}}/events", Needs.READING, route=f"{JOBS}/{{jobId}}/events"),
    Ask("GET", f"{JOBS}?token={{token}}", Needs.READING, 202),
    Ask("GET", f"{JOBS}/{{done}}/assets/{{asset}}", Needs.READING, route=f"{JOBS}/{{jobId}}/assets/{{assetName}}"),
    Ask("GET", "/v1/producer/jobs/{done}/events", Needs.READING, route="/v1/producer/jobs/{jobId}/events"),
    Ask("GET", "/v1/consumer/requests", Needs.READING),
    Ask("GET", "/v1/consumer/consumption", Needs.READING),
    Ask("GET", f"/v1/consumer/coverage?model={CHECKPOINT}", Needs.READING),
    Ask("POST", f"{JOBS}/query", Needs.READING, json={"properties": {"of": "queued"}}),
    Ask("POST", f"{JOBS}?whatif=true", Needs.READING, json=template()),
    Ask("GET", "/v2/resources?q=sdxl", Needs.READING),
    Ask("GET", f"/v2/resources/{CHECKPOINT}", Needs.READING, route="/v2/resources/{air}"),
    Ask("POST", JOBS, Needs.WRITING, 202, json=template()),
    Ask("PUT", f"{JOBS}/{{done}}", Needs.WRITING, json={"reason": "bad"}, route=f"{JOBS}/{{jobId}}"),
    Ask("PUT", f"{JOBS}?token={{token}}", Needs.WRITING, json={"reason": "bad"}),
    Ask("DELETE", f"{JOBS}/{{queued}}", Needs.WRITING, route=f"{JOBS}/{{jobId}}"),
    Ask("DELETE", f"{JOBS}?token={{token}}", Needs.WRITING),
    Ask("POST", "/v2/resources", Needs.WRITING, 201, json={"air": ADDED}),
    Ask("PUT", f"/v2/resources/{LORA}", Needs.WRITING, json={"air": LORA}, route="/v2/resources/{air}"),
    Ask("PATCH", f"/v2/resources/{LORA}", Needs.WRITING, json={"modelName": "x"}, route="/v2/resources/{air}"),
    Ask("DELETE", f"/v2/resources/{LORA}", Needs.WRITING, 204, route="/v2/resources/{air}"),
    Ask("GET", "/_mock/resources", Needs.READING),
    Ask("GET", f"/_mock/resources/{CHECKPOINT}", Needs.READING, route="/_mock/resources/{air}"),
    Ask("POST", "/_mock/resources", Needs.WRITING, 201, json={"air": LORA}),
    Ask("PUT", f"/_mock/resources/{LORA}", Needs.WRITING, json={"air": LORA}, route="/_mock/resources/{air}"),
    Ask("DELETE", f"/_mock/resources/{LORA}", Needs.WRITING, 204, json={}, route="/_mock/resources/{air}"),
    Ask("POST", f"{WORKFLOWS}?whatif=true", Needs.READING, json=ECHO),
    Ask("GET", WORKFLOWS, Needs.READING),
    Ask("GET", OF_WORKFLOW, Needs.READING, 202, route=WORKFLOW),
    Ask("GET", "/_mock/workflows/{workflow}", Needs.READING, route="/_mock/workflows/{workflowId}"),
    Ask("GET", OF_STEP, Needs.READING, route=STEP),
    Ask("POST", WORKFLOWS, Needs.WRITING, 202, json=ECHO),
    Ask("PUT", OF_WORKFLOW, Needs.WRITING, 204, json={"metadata": {"b": 2}}, route=WORKFLOW),
    Ask("PATCH", OF_WORKFLOW, Needs.WRITING, 204, json=PATCH, route=WORKFLOW),
    Ask("PUT", OF_STEP, Needs.WRITING, 204, json={"metadata": {"b": 2}}, route=STEP),
    Ask("PATCH", OF_STEP, Needs.WRITING, 204, json=PATCH, route=STEP),
    Ask("POST", f"{OF_WORKFLOW}/tags", Needs.WRITING, 204, json="best", route=f"{WORKFLOW}/tags"),
    Ask("DELETE", f"{OF_WORKFLOW}/tags/best", Needs.WRITING, 204, route=f"{WORKFLOW}/tags/{{tag}}"),
    Ask("DELETE", f"{OF_WORKFLOW}/tags", Needs.WRITING, 204, route=f"{WORKFLOW}/tags"),
    Ask("DELETE", OF_WORKFLOW, Needs.WRITING, 204, route=WORKFLOW),
    Ask("GET", SERVICES, Needs.WRITING),
    Ask("GET", f"{SERVICES}/image/seedream/v4", Needs.WRITING, route=f"{SERVICES}/{{serviceId}}"),
    *(
        Ask("GET", f"{RECIPES}/echo/openapi.{end}", Needs.NOTHING, route=f"{RECIPES}/{{name}}/openapi.{end}")
        for end in ("yaml", "json")
    ),
    Ask("DELETE", "/v2/consumer/civitai/1", Needs.NOTHING, 204, route=USER),
    Ask("DELETE", "/v2/consumer/civitai/1/tokens", Needs.NOTHING, 204, route=f"{USER}/tokens"),
    *(Ask("POST", f"{RECIPES}/{name}", Needs.NOTHING, 400, json=[]) for name in recipe_schemas()),
    Ask("GET", "/_mock/jobs", Needs.READING),
    Ask("GET", "/_mock/jobs/count", Needs.READING),
    Ask("GET", "/_mock/workflows", Needs.READING),
    Ask("GET", "/_mock/images", Needs.READING),
    Ask("GET", "/_mock/jobs/{done}", Needs.READING, route="/_mock/jobs/{jobId}"),
    Ask("GET", "/_mock/jobs/{done}/graph", Needs.READING, route="/_mock/jobs/{jobId}/graph"),
    Ask("POST", "/_mock/graph", Needs.READING, json=template()),
    Ask("GET", "/_mock/graph/diff?a={done}&b={queued}", Needs.READING),
    Ask("GET", "/_mock/jobs/{done}/status", Needs.READING, route="/_mock/jobs/{jobId}/status"),
    Ask("GET", "/_mock/blobs/{key}", Needs.READING, route="/_mock/blobs/{blobKey}"),
    Ask(
        "POST", "/_mock/jobs/{done}/cancel", Needs.READING, json={}, route="/_mock/jobs/{jobId}/cancel"
    ),  # it has ended
    Ask("GET", "/_mock/overview", Needs.READING),
    Ask("GET", "/_mock/state", Needs.READING),
    Ask("POST", "/_mock/client-errors", Needs.NOTHING, 204, json={"message": "broken"}),
    Ask("GET", "/_mock/queue", Needs.READING),
    Ask("GET", "/_mock/queue/claiming", Needs.READING),
    Ask("PUT", "/_mock/queue/claiming", Needs.WRITING, json={"paused": True}),
    Ask("GET", "/_mock/workers", Needs.WRITING),
    Ask("GET", "/_mock/processes", Needs.READING),
    *(  # it is simulated
        Ask(
            "POST",
            f"/_mock/workers/local/{word}",
            Needs.WRITING,
            409,
            json={},
            route=f"/_mock/workers/{{workerId}}/{word}",
        )
        for word in ("drain", "resume", "retry")
    ),
    Ask("GET", "/_mock/settings", Needs.NOTHING),
    Ask("GET", "/_mock/presets", Needs.NOTHING),
    Ask("GET", NAMESPACES, Needs.READING),
    Ask("GET", f"{NAMESPACES}/default", Needs.READING, route=NAMESPACE),
    Ask("PUT", f"{NAMESPACES}/a", Needs.WRITING, json={"balance": 1}, route=NAMESPACE),
    Ask("DELETE", f"{NAMESPACES}/b", Needs.WRITING, 204, json={}, route=NAMESPACE),
    Ask(
        "PUT",
        "/_mock/jobs/{moving}/priority",
        Needs.WRITING,
        json={"priority": 1},
        route="/_mock/jobs/{jobId}/priority",
    ),
    Ask("POST", "/_mock/jobs/{done}/resubmit", Needs.WRITING, 201, json={}, route="/_mock/jobs/{jobId}/resubmit"),
    *(
        Ask("POST", f"/_mock/jobs/{{{name}}}/{word}", Needs.WRITING, json={}, route=f"/_mock/jobs/{{jobId}}/{word}")
        for name, word in [
            ("failing", "fail"),
            ("moving", "advance"),
            ("moving", "reject"),
            ("moving", "succeed"),
            ("moving", "lose"),
        ]
    ),
    Ask("GET", "/_mock/progress", Needs.READING),
    Ask("PUT", "/_mock/progress", Needs.WRITING, json={"mode": "time"}),
    Ask("DELETE", "/_mock/progress", Needs.READING, 204, json={}),  # as there is none to be deleted
    Ask("GET", "/_mock/clock", Needs.NOTHING),
    Ask("GET", "/_mock/clock/due", Needs.READING),
    Ask("PUT", "/_mock/clock", Needs.WRITING, json={"mode": "frozen"}),
    Ask("POST", "/_mock/clock/advance", Needs.READING, 400, json={"to": "2000-01-01T00:00:00Z"}),  # it is later
    Ask("GET", FAULTS, Needs.READING),
    Ask("POST", FAULTS, Needs.WRITING, 201, json=RULE),
    Ask("GET", f"{FAULTS}/fault-1", Needs.READING, route=f"{FAULTS}/{{id}}"),
    Ask("PUT", f"{FAULTS}/fault-1", Needs.WRITING, json=RULE | {"times": 2}, route=f"{FAULTS}/{{id}}"),
    Ask("DELETE", f"{FAULTS}/fault-1", Needs.WRITING, 204, json={}, route=f"{FAULTS}/{{id}}"),
    Ask("POST", f"{FAULTS}/dry-run", Needs.READING, json=RULE),
    Ask("DELETE", FAULTS, Needs.WRITING, 204, json={}),
    Ask("GET", SCENARIOS, Needs.READING),
    Ask("GET", f"{SCENARIOS}/calm", Needs.READING, route=f"{SCENARIOS}/{{name}}"),
    Ask("PUT", f"{SCENARIOS}/calm", Needs.WRITING, json=CALM, route=f"{SCENARIOS}/{{name}}"),
    Ask("PUT", f"{SCENARIOS}/calm/state", Needs.WRITING, json={"state": "calm"}, route=f"{SCENARIOS}/{{name}}/state"),
    Ask("DELETE", f"{SCENARIOS}/calm", Needs.WRITING, 204, json={}, route=f"{SCENARIOS}/{{name}}"),
    Ask("GET", STYLES, Needs.READING),
    Ask("GET", f"{STYLES}/comic", Needs.READING, route=f"{STYLES}/{{name}}"),
    Ask("PUT", f"{STYLES}/comic", Needs.WRITING, json={"promptTemplate": "{prompt}!"}, route=f"{STYLES}/{{name}}"),
    Ask("DELETE", f"{STYLES}/comic", Needs.WRITING, 204, json={}, route=f"{STYLES}/{{name}}"),
    Ask("GET", f"{FLEET}/pods", Needs.NOTHING, 404),  # as there is no fleet yet
    Ask("POST", f"{FLEET}/pods", Needs.NOTHING, 404, json={}),
    *(
        Ask("POST", f"{FLEET}/pods/spot-1/{word}", Needs.NOTHING, 404, json={}, route=f"{FLEET}/pods/{{podId}}/{word}")
        for word in ("preempt", "shutdown")
    ),
    Ask("GET", FLEET, Needs.READING, 404),
    Ask("PUT", FLEET, Needs.WRITING, json={}),
    Ask("DELETE", FLEET, Needs.READING, 204, json={}),  # while there is none to be taken away
    Ask("GET", "/_mock/costs", Needs.READING),
    Ask("POST", "/_mock/verify", Needs.READING, json={"count": {"min": 0}}),
    Ask("GET", "/_mock/journal", Needs.READING),
    Ask("GET", "/_mock/journal/har", Needs.READING),
    Ask("DELETE", "/_mock/journal", Needs.READING, 204, json={}),
    Ask("GET", f"{NAMESPACES}/default/snapshot", Needs.READING, route=f"{NAMESPACE}/snapshot"),
    Ask("PUT", f"{NAMESPACES}/default/snapshot", Needs.NOTHING, 415, content=b"", route=f"{NAMESPACE}/snapshot"),
    Ask("POST", "/_mock/reset", Needs.WRITING, 204, json={}),  # the last one, as it leaves nothing
)


@dataclass
class World:
    """An API on a store that can be taken away, with one job that has succeeded and two that are queued."""

    served: Served
    can_read: bool
    away: Callable[[], AbstractContextManager[None]]
    names: dict[str, str] = field(default_factory=dict)

    async def fill(self) -> None:
        await self.served.client.put(f"{NAMESPACES}/b", json={})
        await self.served.client.post(FAULTS, json=RULE)
        await self.served.client.put(f"{SCENARIOS}/calm", json=CALM)
        await self.served.client.put(f"{STYLES}/comic", json={"promptTemplate": "{prompt}"})
        done = await self.served.submit_one()
        job = await self._finish_with_asset()
        pair = await self.served.submit(properties={"of": "queued"})
        key, cases = job.slots[0].blob_key, self.served.use_cases
        self.names = {
            "done": done,
            "queued": await self.served.submit_one(properties={"of": "queued"}),
            "failing": await self.served.submit_one(),
            "moving": await self.served.submit_one(),
            "token": pair["token"],
            "asset": ASSET,
            "blob": self.served.blob_url(key),
            "v2_blob": cases.workflow_blob_urls.sign(key, base_url=BASE_URL).url,
            "content": cases.blob_tokens.sign(ContentToken(key=key)),
            "key": key,
            "archive": await self._archive(key),
            "workflow": (await self.served.client.post(WORKFLOWS, json=ECHO | {"tags": ["a", "b"]})).json()["id"],
        }

    async def _archive(self, key: str) -> str:
        made = await self.served.use_cases.archives.make(
            [ArchiveEntry(blob_id=key, file_name="a.png")],
            archive_format=ArchiveFormat.TAR,
            name=None,
            owner=None,
            issued_by=EVERYBODY,
            base_url="",
        )
        return made.url.rpartition("/")[2]

    async def _finish_with_asset(self) -> Job:
        claimed = await self.served.claim()
        done = succeeded(claimed, at=self.served.clock.now())
        done = replace(done, slots=tuple(replace(slot, name=ASSET) for slot in done.slots))
        for slot in done.slots:
            await self.served.store_blob(slot.blob_key)
        assert await self.served.stores.jobs.replace(claimed, done)
        return done

    async def ask(self, ask: Ask) -> httpx.Response:
        path = ask.path
        for name, value in self.names.items():
            path = path.replace(f"{{{name}}}", value)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.served.client.request(ask.method, path, json=ask.json, content=ask.content)

    def is_served_while_away(self, ask: Ask) -> bool:
        return ask.needs is Needs.NOTHING or (ask.needs is Needs.READING and self.can_read)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _full(folder: Path) -> Iterator[None]:
    """Let no file grow, which the system says as it says that a disk is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with capture_logs():  # as what pytest captures goes into a file, too
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def _moved(folder: Path) -> Iterator[None]:
    """Take the database away, with its log; the folder of blobs stays."""
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir()
    files = list(folder.glob(f"{FILE_NAME}*"))
    for path in files:
        path.rename(elsewhere / path.name)
    yield
    for path in files:
        (elsewhere / path.name).rename(path)


@contextmanager
def _stopped(process: MongoProcess) -> Iterator[None]:
    process.kill()
    yield
    process.start()


SQLITE_TROUBLES: Mapping[str, Callable[[Path], AbstractContextManager[None]]] = {
    "locked": _locked,
    "full": _full,
    "moved": _moved,
}
TROUBLES = [*SQLITE_TROUBLES, pytest.param("mongo", marks=[pytest.mark.mongo, pytest.mark.slow])]


@asynccontextmanager
async def _world(trouble: str, folder: Path) -> AsyncIterator[World]:
    clock = VirtualClock(datetime.now(UTC))  # as MongoDB deletes what is past its time
    if trouble != "mongo":
        async with serve(clock, mongodb_uri=None, data_dir=folder) as served:
            yield World(served, can_read=True, away=partial(SQLITE_TROUBLES[trouble], folder))
        return
    process = new_process()
    try:
        process.start()
        async with serve(clock, mongodb_uri=f"{process.uri}?{QUICK}", seed_resources=True) as served:
            yield World(served, can_read=False, away=partial(_stopped, process))
    finally:
        process.remove()


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    async with _world(request.param, tmp_path / "data") as opened:
        await opened.fill()
        yield opened


@pytest.mark.parametrize("world", TROUBLES, indirect=True)
async def test_every_route_is_served_or_refused_while_the_store_is_away_and_served_when_it_is_back(
    world: World,
) -> None:
    """All at once while it is away, as one after the other each waits until it has been looked for."""
    with world.away():
        answers = await asyncio.gather(*(world.ask(ask) for ask in ASKS))
        for ask, answer in zip(ASKS, answers, strict=True):
            if world.is_served_while_away(ask):
                assert answer.status_code == ask.status, (ask, answer.text)
            else:
                _assert_is_refusal(ask, answer)
    for ask in ASKS:
        answer = await world.ask(ask)
        assert answer.status_code == ask.status, (ask, answer.text)


def _assert_is_refusal(ask: Ask, answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), (ask, answer.text)
    if ask.method == "HEAD":
        return
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8", ask
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["title"]) == (503, "unavailable", "Service Unavailable"), ask
    assert problem["detail"], ask
    assert problem["traceId"], ask


async def test_the_table_has_every_operation_of_the_api() -> None:
    async with serve() as served:
        paths = served.app.all_routes.openapi()["paths"]
    operations = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    asked = {(ask.method, ask.route or ask.path.partition("?")[0]) for ask in ASKS}
    assert operations - ENDLESS <= asked


@pytest.mark.parametrize("world", TROUBLES, indirect=True)
async def test_a_crowd_is_refused_in_the_time_of_a_few_and_served_when_the_store_is_back(world: World) -> None:
    submission = Ask("POST", JOBS, Needs.WRITING, 202, json=template(properties={"of": "crowd"}))
    with world.away():
        answers = await asyncio.gather(*(world.ask(submission) for _ in range(AT_ONCE)))
        for answer in answers:
            _assert_is_refusal(submission, answer)
        statuses = await asyncio.gather(*(world.ask(Ask("GET", "/health/live", Needs.NOTHING)) for _ in range(AT_ONCE)))
        assert {answer.status_code for answer in statuses} == {200}
    assert (await world.ask(submission)).status_code == 202
    found = await world.ask(Ask("POST", f"{JOBS}/query", Needs.READING, json={"properties": {"of": "crowd"}}))
    assert len(found.json()["jobs"]) == 1


@pytest.mark.parametrize("world", TROUBLES, indirect=True)
async def test_requests_obey_the_rules_last_known_and_those_with_counts_pause(world: World) -> None:
    client, path = world.served.client, f"{JOBS}/{world.names['done']}"

    async def get(rule: str) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await client.get(path, headers={MARK: rule})).status_code

    for name, rule in (("always", {"action": {"status": 418}}), ("twice", {"action": {"status": 419}, "times": 2})):
        assert (await client.post(FAULTS, json=rule | {"match": {"header": {MARK: name}}})).status_code == 201
    assert await get("twice") == 419
    with world.away():
        assert [await get("always") for _ in range(2)] == [418, 418]
        assert await get("twice") == (200 if world.can_read else 503)
        ask = Ask("DELETE", FAULTS, Needs.WRITING, json={})
        _assert_is_refusal(ask, await world.ask(ask))
        assert await get("always") == 418
    assert [await get("twice") for _ in range(2)] == [419, 200]
    assert await get("always") == 418


class AwayOnceStored:
    """Stands in for a store that goes away as soon as something was asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise TransientError("The store is away.")


@pytest.mark.parametrize("query", ["", "?wait=true", "?detailed=true"])
async def test_a_submission_that_was_stored_is_answered_though_the_store_goes_away(query: str) -> None:
    async with serve(wait_limit_s=1) as served:
        away: Any = AwayOnceStored()
        clock = served.clock
        positions = GetQueuePositions(queue=away, clock=clock, system_clock=clock)
        served.answer_with(query=QueryJobs(jobs=away), queue_positions=positions)
        submitting = asyncio.create_task(served.client.post(f"{JOBS}{query}", json=template()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not submitting.done():
                clock.advance(0.5)
                await asyncio.sleep(0)
        answer = await submitting
        assert answer.status_code == 202, answer.text
        (status,) = answer.json()["jobs"]
        assert status["jobId"] == answer.json()["jobId"]
        assert "queuePosition" not in status["serviceProviders"]["local"]
        assert await served.queued() == 1

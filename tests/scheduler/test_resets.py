"""A namespace is reset while everything happens in it: after the answer nothing of before is seen, written or sent."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.api.v2.description.template import read_template
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.namespaces import Namespaces, open_namespaces
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.domain.errors import ConflictError, NamespaceResetError, NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import DEFAULT, Epoch
from civitai_mock.domain.search import JobCriteria
from civitai_mock.domain.workflow_search import WorkflowCriteria
from civitai_mock.services import control_plane
from civitai_mock.services.consumers import Caller
from civitai_mock.services.workflows.change import WorkflowUpdate
from tests.scheduler.conftest import TEMPLATE
from tests.scheduler.workflow_bench import BASE_URL, echo_step, image_step
from tests.support.event_loop import settle
from tests.support.jobs import TRACE_ID
from tests.support.mongo import mongo_address
from tests.support.patience import PATIENCE, patient_processes
from tests.support.receiver import URL, Receiver
from tests.support.served_app import make_settings

CALLER = Caller(trace_id=TRACE_ID, consumer="civitai-1000001")
ACTORS = 6
MOST_TURNS = 40
STEPS = [echo_step("hi"), image_step()]


@asynccontextmanager
async def process(receiver: Receiver, store: Mapping[str, Any]) -> AsyncIterator[Namespaces]:
    settings = make_settings(
        missing_resources="lenient",
        seed_resources=False,
        scheduler_poll_ms=50,
        callback_allowed_hosts="private",
        **store,
    )
    with patient_processes():
        async with (
            open_runtime(settings, network=receiver.network) as runtime,
            open_namespaces(runtime, runs_jobs=True) as namespaces,
        ):
            yield namespaces


@dataclass(kw_only=True)
class Life:
    """Is one life of a namespace, in which actors do whatever comes to their minds until it is over.

    Once its end has begun, what is in it may vanish from the store before this process knows why.
    """

    namespace: Namespace
    dice: random.Random
    end_has_begun: bool = False
    job_ids: list[str] = field(default_factory=list)
    workflow_ids: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.namespace.event_bus.subscribe_to_changes(lambda jobs: self.changes.extend(job.id for job in jobs))

    async def act(self) -> None:
        """Act until the namespace is reset; no other error may come."""
        actions: Sequence[Callable[[], Awaitable[object]]] = [
            self._submit,
            self._submit,
            self._submit_workflow,
            self._cancel,
            self._cancel_workflow,
            self._wait,
            self._look,
            self._claim,
        ]
        while True:
            try:
                await self.dice.choice(actions)()
            except NamespaceResetError:
                return
            except ConflictError:
                pass  # as what should be canceled has ended
            except NotFoundError:
                assert self.end_has_begun
            await asyncio.sleep(0)

    async def _submit(self) -> None:
        template = parse_template({**TEMPLATE, "callbackUrl": URL}, path="")
        submitted = await self.namespace.use_cases.submit([template] * self.dice.randint(1, 3), CALLER)
        self.job_ids += [job.id for job in submitted]

    async def _submit_workflow(self) -> None:
        template = read_template({"steps": list(STEPS), "callbacks": [{"url": URL, "type": ["workflow:*", "job:*"]}]})
        snapshot = await self.namespace.workflows.submit(template, CALLER, base_url=BASE_URL)
        self.workflow_ids.append(snapshot.workflow.id)

    async def _cancel(self) -> None:
        if self.job_ids:
            await self.namespace.use_cases.cancel.by_id(self.dice.choice(self.job_ids))

    async def _cancel_workflow(self) -> None:
        if self.workflow_ids:
            update = self.namespace.workflows.change.update
            await update(self.dice.choice(self.workflow_ids), WorkflowUpdate(cancels=True), owner=CALLER.owner)

    async def _wait(self) -> None:
        if self.job_ids:
            await self.namespace.use_cases.wait([self.dice.choice(self.job_ids)], asyncio.Future())

    async def _look(self) -> None:
        if self.job_ids:
            await self.namespace.use_cases.query.by_id(self.dice.choice(self.job_ids))

    async def _claim(self) -> None:
        """Ask as a scheduler does, and renew what it works on."""
        await self.namespace.stores.queue.backlog()
        await self.namespace.stores.queue.renew("nobody", self.job_ids[:3], self.namespace.clock.now())

    async def stored(self) -> Mapping[str, Job]:
        """Return the jobs of this life, which nobody but a test can ask for once it is over."""
        epoch = Epoch(self.namespace.name, self.namespace.epoch.initial_number)
        search = self.namespace.runtime.stores.in_epoch(epoch).search
        return {job.id: job for job in await search.find(JobCriteria(), limit=10_000)}


async def _end(namespaces: Namespaces, name: str, dice: random.Random) -> Sequence[str]:
    """End a life in one of the ways that there are."""
    way = dice.randrange(4)
    if way == 0:
        return await namespaces.manage.delete(name)
    return await (namespaces.manage.reset_all() if way == 1 else namespaces.manage.reset(name))


async def race(resetting: Namespaces, working: Namespaces, receiver: Receiver, dice: random.Random) -> None:
    """Let one namespace live for a moment and end it, and look for anything of before, then and a while later.

    A server that `is_remote` may carry out what was on its way there; nobody can read it any more.
    """
    is_remote = "mongo" in type(working.default.stores.namespaces).__module__
    name = dice.choice([DEFAULT, "other"])
    life = Life(namespace=await working.open(name), dice=dice)
    actors = [asyncio.create_task(life.act(), name=f"actor {number}") for number in range(ACTORS)]
    for _ in range(dice.randrange(MOST_TURNS)):
        await asyncio.sleep(0)
    life.end_has_begun = True
    assert list(await _end(resetting, name, dice)) == []
    sent, changed = len(receiver.requests), len(life.changes)
    left = await life.stored()
    async with asyncio.timeout(PATIENCE.total_seconds()):
        await asyncio.gather(*actors)
    after = await working.open(name)
    assert after is not life.namespace
    assert await after.stores.search.find(JobCriteria(), limit=10) == []
    assert await after.stores.jobs.get_many(life.job_ids) == []
    assert (await after.workflows.list(WorkflowCriteria(owner=CALLER.consumer), take=10)).snapshots == []
    await settle(50)
    if not is_remote:
        written = {(job_id, job.seq) for job_id, job in (await life.stored()).items()}
        assert written <= {(job_id, job.seq) for job_id, job in left.items()}
    assert life.changes[changed:] == []
    assert [request.content for request in receiver.requests[sent:]] == []


ON_MONGO = [pytest.mark.mongo, pytest.mark.slow]
RACES = [  # a thousand with those of two processes
    ("memory", 15),
    ("file", 15),
    pytest.param("memory", 400, marks=pytest.mark.long),
    pytest.param("file", 400, marks=pytest.mark.long),
    pytest.param("mongo", 60, marks=[*ON_MONGO, pytest.mark.long]),
]


@asynccontextmanager
async def store_settings(kind: str, folder: Path) -> AsyncIterator[Mapping[str, Any]]:
    if kind != "mongo":
        yield {} if kind == "memory" else {"mongodb_uri": None, "data_dir": folder}
        return
    async with mongo_address() as address:
        yield {"mongodb_uri": address.uri, "mongodb_db_name": address.database}


@pytest.mark.parametrize(("stored", "rounds"), RACES)
async def test_nothing_of_before_a_reset_is_left_after_its_answer(tmp_path: Path, stored: str, rounds: int) -> None:
    dice = random.Random(rounds)
    with capture_logs() as logs:
        async with (
            Receiver() as receiver,
            store_settings(stored, tmp_path) as store,
            process(receiver, store) as namespaces,
        ):
            for _ in range(rounds):
                await race(namespaces, namespaces, receiver, dice)
        assert receiver.requests
    assert [line for line in logs if line["log_level"] in {"error", "warning"}] == []


@pytest.mark.parametrize(
    ("stored", "rounds"),
    [
        ("file", 8),
        pytest.param("file", 100, marks=pytest.mark.long),
        pytest.param("mongo", 40, marks=[*ON_MONGO, pytest.mark.long]),
    ],
)
async def test_nothing_of_before_a_reset_by_another_process_is_left_after_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str, rounds: int
) -> None:
    monkeypatch.setattr(control_plane, "POLL", timedelta(milliseconds=5))
    dice = random.Random(rounds)
    with capture_logs() as logs:
        async with (
            Receiver() as receiver,
            store_settings(stored, tmp_path) as store,
            process(receiver, store) as resetting,
            process(receiver, store) as working,
        ):
            for _ in range(rounds):
                await race(resetting, working, receiver, dice)
        assert receiver.requests
    assert [line for line in logs if line["log_level"] in {"error", "warning"}] == []

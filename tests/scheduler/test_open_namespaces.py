"""Namespaces of one or several processes: they are opened when they are needed, and begun anew when they are reset."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.namespaces import Namespaces, open_namespaces
from civitai_mock.bootstrap.runtime import open_runtime
from civitai_mock.domain.errors import NamespaceResetError, NotFoundError
from civitai_mock.domain.job import Job
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.domain.search import JobCriteria
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import Clock
from civitai_mock.services.consumers import EVERYBODY, Caller
from civitai_mock.settings import Settings
from tests.scheduler.conftest import TEMPLATE
from tests.support.controlled_process import SettableClock
from tests.support.jobs import TRACE_ID
from tests.support.served_app import PATIENCE_SECONDS, make_settings

CALLER = Caller(trace_id=TRACE_ID, consumer=EVERYBODY)
SLOW: dict[str, Any] = {"simulation_profile": "realistic", "simulation_load_ms": 60_000}


def settings_of(directory: Path | None = None, **changes: Any) -> Settings:
    """Return settings of a store in memory, or of one in a directory."""
    store: dict[str, Any] = {} if directory is None else {"mongodb_uri": None, "data_dir": directory}
    return make_settings(missing_resources="lenient", seed_resources=False, scheduler_poll_ms=50, **store, **changes)


@asynccontextmanager
async def process(
    settings: Settings, *, runs_jobs: bool = True, clock: Clock | None = None
) -> AsyncIterator[Namespaces]:
    """Open the namespaces of a process."""
    async with (
        open_runtime(settings, clock=clock) as runtime,
        open_namespaces(runtime, runs_jobs=runs_jobs) as namespaces,
    ):
        yield namespaces


@pytest.fixture
async def here() -> AsyncIterator[Namespaces]:
    async with process(settings_of()) as namespaces:
        yield namespaces


async def comes_true(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once it is true; what other processes do takes real time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in count():
            if await condition():
                return
            await asyncio.sleep(0)


async def submit(namespace: Namespace) -> Job:
    (job,) = await namespace.use_cases.submit([parse_template(TEMPLATE, path="")], CALLER)
    return job


async def succeeds(namespace: Namespace, job: Job) -> None:
    async def has_succeeded() -> bool:
        found = await namespace.stores.jobs.get(job.id)
        return found is not None and found.outcome is Outcome.SUCCEEDED

    await comes_true(has_succeeded)


async def reset(namespaces: Namespaces, name: str) -> None:
    store = namespaces.default.runtime.stores.namespaces
    record, not_yet = await namespaces.control.change(partial(store.renew, name, {}))
    assert (record is not None, list(not_yet)) == (True, [])


async def test_a_namespace_is_made_when_it_is_first_asked_for_and_runs_its_own_jobs(here: Namespaces) -> None:
    other = await here.open("other")
    job = await submit(other)
    await succeeds(other, job)
    assert await here.default.stores.jobs.get(job.id) is None
    assert (here.find("other"), await here.open("other")) == (other, other)


async def test_many_who_ask_for_a_new_namespace_at_once_get_the_same(here: Namespaces) -> None:
    opened = await asyncio.gather(*(here.open("new") for _ in range(20)))
    assert len({id(namespace) for namespace in opened}) == 1


async def test_an_unknown_namespace_does_not_exist_where_none_is_made() -> None:
    async with process(settings_of(namespaces="strict")) as namespaces:
        with pytest.raises(NotFoundError, match="'other' does not exist"):
            await namespaces.open("other")


@pytest.mark.parametrize("name", [DEFAULT, "other"])
async def test_after_a_reset_nothing_of_before_is_there_and_new_jobs_run(name: str) -> None:
    async with process(settings_of(**SLOW)) as namespaces:
        before = await namespaces.open(name)
        jobs = [await submit(before) for _ in range(5)]
        await comes_true(lambda: _are_in_flight(namespaces, 5))
        waiting = asyncio.create_task(before.use_cases.wait([jobs[0].id], asyncio.Future()))
        await asyncio.sleep(0)
        await reset(namespaces, name)
        async with asyncio.timeout(PATIENCE_SECONDS / 2):  # nothing else would end it as soon
            assert await waiting == {}
        with pytest.raises(NamespaceResetError):
            await before.use_cases.query.by_id(jobs[0].id)
        after = await namespaces.open(name)
        assert await after.stores.jobs.get_many([job.id for job in jobs]) == []
        await comes_true(lambda: _are_in_flight(namespaces, 0))
        await submit(after)
        await comes_true(lambda: _are_in_flight(namespaces, 1))


async def _are_in_flight(namespaces: Namespaces, jobs: int) -> bool:
    return sum(namespaces.jobs_in_flight().values()) == jobs


async def test_a_job_that_another_process_submits_runs_in_a_namespace_that_nobody_here_asked_for(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(process(settings_of(tmp_path), runs_jobs=False))
        await stack.enter_async_context(process(settings_of(tmp_path)))
        other = await api.open("other")
        await succeeds(other, await submit(other))


async def test_a_reset_is_obeyed_by_all_processes_when_it_is_answered(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(process(settings_of(tmp_path, **SLOW), runs_jobs=False))
        scheduler = await stack.enter_async_context(process(settings_of(tmp_path, **SLOW)))
        await submit(await api.open("other"))
        await comes_true(lambda: _are_in_flight(scheduler, 1))
        ended = scheduler.find("other")
        await reset(api, "other")
        assert ended is not None
        assert ended.epoch.has_ended
        assert ended is not scheduler.find("other")


async def test_a_process_that_does_not_confirm_a_change_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitai_mock.services.control_plane.CONFIRM_WITHIN", timedelta(0))
    async with process(settings_of(tmp_path)) as namespaces:
        runtime = namespaces.default.runtime
        store = runtime.stores.namespaces
        await store.heartbeat("asleep", revision=0, now=runtime.clock.now())
        _, not_yet = await namespaces.control.change(partial(store.renew, DEFAULT, {}))
    assert not_yet == ["asleep"]


async def test_a_namespace_without_work_is_closed_and_opened_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civitai_mock.bootstrap.namespaces.IDLE_SECONDS", 0)
    monkeypatch.setattr("civitai_mock.bootstrap.namespaces.SCAN_SECONDS", 0.01)
    async with process(settings_of()) as namespaces:
        other = await namespaces.open("other")
        job = await submit(other)
        await succeeds(other, job)

        async def is_closed() -> bool:
            return namespaces.find("other") is None

        await comes_true(is_closed)
        again = await namespaces.open("other")
        assert again is not other
        assert (await again.use_cases.query.by_id(job.id)).outcome is Outcome.SUCCEEDED


async def test_one_job_does_not_wait_for_the_thousands_of_another_namespace() -> None:
    hours: dict[str, Any] = {"progress": {"mode": "time", "stages": {"SENT_TO_COMFY": "1h"}}}
    limits: dict[str, Any] = {"scheduler_max_in_flight": 10, "max_queued_jobs": 20_000, "shutdown_grace_ms": 0}
    async with process(settings_of(**limits)) as namespaces:
        await namespaces.manage.put("crowded", hours)
        crowded = await namespaces.open("crowded")
        template = parse_template(TEMPLATE, path="")
        for _ in range(100):
            await crowded.use_cases.submit([template] * 100, CALLER)
        await comes_true(lambda: _are_in_flight(namespaces, 10))
        quiet = await namespaces.open("quiet")
        await succeeds(quiet, await submit(quiet))
        assert (await crowded.stores.queue.backlog()).jobs == 9_990


async def test_a_namespace_is_deleted_after_a_day_in_which_nobody_used_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SettableClock()
    async with process(settings_of(tmp_path), runs_jobs=False, clock=clock) as first:
        for name in ("unused", "used"):
            await submit(await first.open(name))
        epochs = {name: first.control.records[name].epoch for name in ("unused", "used")}
    clock.set_by(24 * 3600 + 1)
    monkeypatch.setattr("civitai_mock.bootstrap.namespaces.TOUCH_SECONDS", 0)
    async with process(settings_of(tmp_path), runs_jobs=False, clock=clock) as second:
        await second.open("used")
        store = second.default.runtime.stores.namespaces

        async def is_noted() -> bool:
            record = await store.get("used")
            return record is not None and record.used_at == clock.now()

        await comes_true(is_noted)
    async with process(settings_of(tmp_path), clock=clock) as third:
        await comes_true(lambda: _has_gone(third, "unused"))
        assert third.control.records["used"].epoch == epochs["used"]
        again = await third.open("unused")
        assert again.epoch.number not in epochs.values()
        assert await again.stores.search.find(JobCriteria(), limit=10) == []


async def _has_gone(namespaces: Namespaces, name: str) -> bool:
    return name not in namespaces.control.records

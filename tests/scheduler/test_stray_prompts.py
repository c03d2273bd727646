"""Stray prompts: those of jobs that end while nobody works on them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from civitai_mock.domain.errors import TransientError
from civitai_mock.domain.job import Job
from civitai_mock.domain.stages import Outcome
from civitai_mock.scheduler.leases import InFlight
from civitai_mock.scheduler.stray_prompts import StrayPrompts
from civitai_mock.services.event_bus import EventBus
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import settle
from tests.support.jobs import make_job
from tests.support.scripted_provider import ScriptedProvider


class StrayPromptsBench:
    """Has the parts that one `StrayPrompts` works with."""

    def __init__(self, bench: Bench) -> None:
        self.jobs = bench.stores.jobs
        self.provider = ScriptedProvider()
        self.event_bus = EventBus()
        self.in_flight = InFlight()
        self.stray_prompts = StrayPrompts(
            jobs=self.jobs,
            provider=self.provider,
            event_bus=self.event_bus,
            in_flight=self.in_flight,
            clock=bench.clock,
        )


@pytest.fixture
async def parts(bench: Bench) -> AsyncIterator[StrayPromptsBench]:
    parts = StrayPromptsBench(bench)
    running = asyncio.create_task(parts.stray_prompts.run())
    yield parts
    running.cancel()


def ended(outcome: Outcome, *, prompt_id: str | None = "p") -> Job:
    return replace(make_job(), outcome=outcome, prompt_id=prompt_id)


@pytest.mark.parametrize("outcome", [Outcome.EXPIRED, Outcome.DELETED, Outcome.FAILED])
async def test_the_prompt_of_a_job_that_ends_between_two_claims_is_stopped(
    parts: StrayPromptsBench, outcome: Outcome
) -> None:
    parts.event_bus.publish_ends([ended(outcome)])
    await settle()
    assert parts.provider.cancelled == ["p"]


@pytest.mark.parametrize(
    "job",
    [ended(Outcome.SUCCEEDED), ended(Outcome.EXPIRED, prompt_id=None), make_job()],
    ids=["one that succeeded", "one that never had a prompt", "one that was only taken from its holder"],
)
async def test_no_other_prompt_is_stopped(parts: StrayPromptsBench, job: Job) -> None:
    parts.event_bus.publish_ends([job])
    await settle()
    assert parts.provider.cancelled == []


async def test_a_provider_that_does_not_answer_keeps_no_other_prompt_from_being_stopped(
    parts: StrayPromptsBench,
) -> None:
    def fail(prompt_id: str) -> None:
        raise TransientError(f"{prompt_id}: away")

    parts.provider.on_cancel = fail
    parts.event_bus.publish_ends([ended(Outcome.EXPIRED, prompt_id=prompt_id) for prompt_id in ("first", "second")])
    await settle()
    assert parts.provider.cancelled == ["first", "second"]


async def test_a_scheduler_stops_what_others_end(bench: Bench) -> None:
    provider = ScriptedProvider()
    async with running(bench.scheduler(provider=provider)):
        bench.event_bus.publish_ends([ended(Outcome.DELETED)])
        await settle()
    assert provider.cancelled == ["p"]


@pytest.mark.parametrize(
    ("job", "is_stopped"),
    [
        (ended(Outcome.DELETED), True),
        (ended(Outcome.SUCCEEDED), True),
        (replace(make_job(), prompt_id="another"), True),
        (replace(make_job(), prompt_id="p"), False),
        (None, False),
    ],
    ids=["over", "done by another prompt", "sent again under another id", "going on", "of another store"],
)
async def test_a_prompt_of_an_earlier_life_is_stopped_only_if_nobody_waits_for_it(
    parts: StrayPromptsBench, job: Job | None, is_stopped: bool
) -> None:
    if job is not None:
        await parts.jobs.add([job])
    parts.provider.stray_jobs = {"p": make_job().id}
    await parts.stray_prompts.scan()
    assert parts.provider.cancelled == (["p"] if is_stopped else [])

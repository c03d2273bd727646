"""The ComfyUI provider shares prompts among several servers."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from civitai_mock.comfyui_standin.options import Durations, StandinOptions
from civitai_mock.domain.air import Air
from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.job import JobResource
from civitai_mock.providers.comfyui.options import Timeouts
from civitai_mock.providers.comfyui.workers.fleet import MOST_QUERIES
from tests.support.comfyui import (
    ENDLESS,
    HELD,
    IMPATIENT,
    TICK,
    Gate,
    comfyui_on,
    endless_submission,
    finish,
    is_pending,
    is_running,
    make_submission,
    until,
)
from tests.support.standin import MODELS, RunningStandin, running_standin
from tests.support.standin_session import text_to_image

PATIENT = replace(IMPATIENT, server_wait=1000 * TICK)
ONE_AT_A_TIME = replace(IMPATIENT, max_in_flight=1)


def accepted(standin: RunningStandin) -> int:
    return sum(facts.accepted for facts in standin.server.state.stats.prompts.values())


async def test_many_prompts_at_once_ask_a_server_a_few_questions_at_a_time() -> None:
    """All at once they would wait for each other until the last ones ran out of time, and their server with them."""

    class Counting(httpx.AsyncHTTPTransport):
        asking, most = 0, 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.asking += 1
            self.most = max(self.most, self.asking)
            try:
                return await super().handle_async_request(request)
            finally:
                self.asking -= 1

    counting = Counting()
    async with running_standin() as standin, comfyui_on(standin, transport=counting) as provider:
        finished = await asyncio.gather(*(finish(provider, make_submission()) for _ in range(100)))
    assert {one.tries for one in finished} == {1}
    assert counting.most <= MOST_QUERIES + 2 * IMPATIENT.max_in_flight


async def test_a_file_that_went_from_one_server_since_its_lists_were_read_is_used_on_another() -> None:
    models = dict(MODELS)
    async with running_standin(models=models) as one, running_standin() as two, comfyui_on(one, two) as provider:
        models["checkpoints"] = ["sdxl.safetensors"]
        finished = await finish(provider, make_submission())
        assert (finished.worker, finished.tries) == (provider.workers[1].id, 1)


async def test_prompts_are_spread_over_the_servers() -> None:
    async with (
        running_standin(options=ENDLESS) as one,
        running_standin(options=ENDLESS) as two,
        comfyui_on(one, two) as provider,
    ):
        for checkpoint in ("sd15.safetensors", "sdxl.safetensors"):
            await provider.send(make_submission(text_to_image(checkpoint=checkpoint, steps=10_000)))
        assert (accepted(one), accepted(two)) == (1, 1)
        assert [worker.in_flight for worker in provider.workers] == [1, 1]


async def test_a_server_that_has_the_checkpoint_loaded_comes_first() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        workers = {
            checkpoint: [
                (await finish(provider, make_submission(text_to_image(checkpoint=checkpoint, seed=seed)))).worker
                for seed in range(3)
            ]
            for checkpoint in ("sd15.safetensors", "sdxl.safetensors")
        }
        assert [len(set(used)) for used in workers.values()] == [1, 1]


async def test_a_prompt_goes_to_the_server_that_has_its_files() -> None:
    rich = {**MODELS, "checkpoints": ["rare.safetensors"]}
    async with running_standin() as one, running_standin(models=rich) as two, comfyui_on(one, two) as provider:
        finished = await finish(provider, make_submission(text_to_image(checkpoint="rare.safetensors")))
        assert finished.worker == provider.workers[1].id


async def test_a_server_with_a_full_queue_is_passed_by() -> None:
    async with (
        running_standin(options=ENDLESS) as one,
        running_standin() as two,
        comfyui_on(one, two, options=ONE_AT_A_TIME) as provider,
    ):
        endless = endless_submission()
        await provider.send(endless)
        for _ in range(3):
            assert (await finish(provider, make_submission())).worker == provider.workers[1].id
        await provider.cancel(endless.prompt_id)


async def test_a_prompt_waits_for_room_on_the_only_server_that_will_do() -> None:
    gate = Gate()
    async with (
        running_standin(clock=gate, options=HELD) as standin,
        comfyui_on(standin, options=ONE_AT_A_TIME) as provider,
    ):
        first, second = make_submission(), make_submission()
        await provider.send(first)
        sending = asyncio.create_task(provider.send(second))
        await until(lambda: is_running(standin, first.prompt_id))
        assert not sending.done()
        assert accepted(standin) == 1
        gate.open()
        await sending
        await provider.collect(second.prompt_id)


async def test_whoever_stops_waiting_for_room_leaves_it_to_the_next() -> None:
    gate = Gate()
    async with (
        running_standin(clock=gate, options=HELD) as standin,
        comfyui_on(standin, options=ONE_AT_A_TIME) as provider,
    ):
        first, second, third = make_submission(), make_submission(), make_submission()
        await provider.send(first)
        giving_up = asyncio.create_task(provider.send(second))
        waiting = asyncio.create_task(finish(provider, third))
        await until(lambda: is_running(standin, first.prompt_id))
        giving_up.cancel()
        gate.open()
        assert (await waiting).tries == 1
        assert standin.server.prompt(second.prompt_id).accepted == 0
        await until(lambda: provider.workers[0].in_flight == 0)


async def test_a_server_that_goes_away_is_put_aside_and_taken_back() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        one.go_down()
        await until(lambda: not provider.workers[0].ready)
        assert "connection" in provider.workers[0].reason.lower()
        assert (await finish(provider, make_submission())).worker == provider.workers[1].id
        await one.come_back()
        await until(lambda: provider.workers[0].ready)


async def test_a_prompt_whose_server_dies_is_run_on_another() -> None:
    async with (
        running_standin(clock=Gate(), options=HELD) as one,
        running_standin() as two,
        comfyui_on(one, two) as provider,
    ):
        submission = make_submission()
        finishing = asyncio.create_task(finish(provider, submission))
        await until(lambda: is_running(one, submission.prompt_id))
        one.go_down()
        finished = await finishing
        assert finished.worker == provider.workers[1].id
        assert two.server.prompt(submission.prompt_id).accepted == 1


async def test_a_prompt_whose_server_hangs_over_it_is_run_on_another() -> None:
    options = replace(IMPATIENT, stall_timeout=100 * TICK)
    async with (
        running_standin() as one,
        running_standin() as two,
        comfyui_on(one, two, options=options) as provider,
    ):
        one.server.faults.set(stuck=True)
        submission = make_submission()
        finished = await finish(provider, submission)
        assert (finished.worker, finished.tries) == (provider.workers[1].id, 2)
        assert not provider.workers[0].ready
        assert (await finish(provider, make_submission())).worker == provider.workers[1].id


@pytest.mark.parametrize("place", ["waits", "runs"])
async def test_a_server_that_comes_back_with_a_prompt_that_ran_elsewhere_is_told_to_stop_it(place: str) -> None:
    slow = StandinOptions(durations=Durations(step=0.1))
    async with (
        running_standin(options=slow) as one,
        running_standin() as two,
        comfyui_on(one, two) as provider,
    ):
        submission = make_submission(text_to_image(seed=4711, steps=100))
        if place == "waits":
            await provider.send(make_submission(text_to_image(seed=4712, steps=100)))
            await until(lambda: provider.workers[0].in_flight == 1)
        where = is_pending if place == "waits" else is_running
        two.server.faults.set(hang=True)
        await until(lambda: not provider.workers[1].ready)
        await provider.send(submission)
        await until(lambda: where(one, submission.prompt_id))
        two.server.faults.clear()
        one.server.faults.set(hang=True)
        finished = await finish(provider, submission)
        assert finished.worker == provider.workers[1].id
        one.server.faults.clear()
        await until(lambda: not where(one, submission.prompt_id))
        assert one.server.prompt(submission.prompt_id).outcomes in ([], ["interrupted"])


async def test_a_server_that_will_not_take_a_prompt_is_passed_by() -> None:
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        one.server.faults.set(disk_full=True)
        submission = make_submission()
        finished = await finish(provider, submission)
        assert (finished.worker, finished.tries) == (provider.workers[1].id, 1)
        assert accepted(one) == 0


async def test_after_a_crash_of_ours_a_prompt_is_found_on_the_server_that_has_it() -> None:
    async with running_standin() as one, running_standin() as two:
        submission = make_submission()
        async with comfyui_on(two) as crashed:
            await crashed.send(submission)
        async with comfyui_on(one, two) as provider:
            assert (await finish(provider, submission)).worker == provider.workers[1].id
        assert (accepted(one), accepted(two)) == (0, 1)


async def test_a_file_that_no_server_has_ends_the_job_once_all_could_be_asked() -> None:
    graph = text_to_image(checkpoint="none.safetensors")
    async with running_standin() as one, running_standin() as two, comfyui_on(one, two) as provider:
        with pytest.raises(JobError, match=r"none\.safetensors"):
            await provider.send(make_submission(graph))


async def test_a_file_that_an_absent_server_had_is_waited_for() -> None:
    rich = {**MODELS, "checkpoints": ["rare.safetensors"]}
    graph = text_to_image(checkpoint="rare.safetensors")
    async with (
        running_standin() as one,
        running_standin(models=rich) as two,
        comfyui_on(one, two, options=PATIENT) as provider,
    ):
        two.go_down()
        await until(lambda: not provider.workers[1].ready)
        sending = asyncio.create_task(finish(provider, make_submission(graph)))
        await two.come_back()
        assert (await sending).worker == provider.workers[1].id


async def test_a_file_that_only_an_unknown_server_may_have_is_not_called_missing() -> None:
    graph = text_to_image(checkpoint="none.safetensors")
    async with running_standin() as one, running_standin() as two:
        two.go_down()
        async with comfyui_on(one, two) as provider:
            with pytest.raises(TransientError, match="is there"):
                await provider.send(make_submission(graph))


async def test_the_report_says_what_each_server_has_and_does() -> None:
    async with running_standin() as one, running_standin() as two:
        two.go_down()
        async with comfyui_on(one, two) as provider:
            first, second = provider.workers
            assert (first.ready, first.reason, first.in_flight) == (True, "", 0)
            assert first.version == "0.3.64"
            assert first.models["loras"] == ("style.safetensors",)
            assert not second.ready
            assert second.reason
            assert provider.description == f"ComfyUI at {first.id}, {second.id}"


async def test_a_server_that_hangs_unnoticed_holds_a_prompt_up_no_longer_than_one_call_may_take() -> None:
    options = replace(IMPATIENT, health_interval=1000 * TICK)
    async with (
        running_standin() as one,
        running_standin() as two,
        comfyui_on(one, two, options=options) as provider,
    ):
        one.server.faults.set(hang=True)
        submission = make_submission()
        await provider.send(submission)
        await until(lambda: not provider.workers[0].ready)
        one.server.faults.clear()
        assert (await finish(provider, submission)).contents
        assert accepted(one) + accepted(two) == 1


async def test_coverage_counts_the_servers_that_are_there_and_have_the_file() -> None:
    resource = JobResource(air=Air.parse("urn:air:sd1:lora:civitai:1@1234"), file_name="style.safetensors")
    poor = {**MODELS, "loras": []}
    async with (
        running_standin() as one,
        running_standin() as two,
        running_standin(models=poor) as three,
        comfyui_on(one, two, three) as provider,
    ):
        names = [worker.id for worker in provider.workers]
        assert provider.workers_with([resource]) == names[:2]
        two.go_down()
        await until(lambda: not provider.workers[1].ready)
        assert provider.workers_with([resource]) == names[:1]


async def test_a_server_that_hangs_does_not_keep_the_others_from_being_used() -> None:
    options = replace(IMPATIENT, opening_timeout=TICK, timeouts=Timeouts(ordinary=timedelta(seconds=30)))
    async with running_standin() as one, running_standin() as two:
        one.server.faults.set(hang=True)
        async with comfyui_on(one, two, options=options) as provider:
            assert not provider.workers[0].ready
            assert (await finish(provider, make_submission())).worker == two.url.removeprefix("http://")
            one.server.faults.clear()
            await until(lambda: provider.workers[0].ready)


async def test_a_prompt_that_is_cancelled_while_its_server_is_away_is_stopped_when_it_comes_back() -> None:
    """A process that did not send it stops it, too."""
    async with running_standin(options=ENDLESS) as standin:
        submission = endless_submission()
        async with comfyui_on(standin) as crashed:
            await crashed.send(submission)
            await until(lambda: is_running(standin, submission.prompt_id))
        async with comfyui_on(standin) as provider:
            standin.server.faults.set(hang=True)
            await until(lambda: not provider.workers[0].ready)
            await provider.cancel(submission.prompt_id)
            standin.server.faults.clear()
            await until(lambda: standin.server.prompt(submission.prompt_id).outcomes == ["interrupted"])

"""Faults of jobs whose workers die: each is decided once, and goes on."""

import pytest

from civitai_mock.domain.faults.rules import parse_rule
from civitai_mock.domain.stages import Stage
from civitai_mock.services.faults.parsed_rules import StoredRule
from tests.scheduler.conftest import Bench, running, running_until_killed
from tests.support.dates import START
from tests.support.event_loop import settle, until_found
from tests.support.freezing_stores import FreezingStores, Moment


@pytest.mark.parametrize("prompt_is_lost", [True, False])
async def test_a_job_is_stuck_with_the_heir_of_its_worker_too(bench: Bench, prompt_is_lost: bool) -> None:
    """The heir knows of no rule any more."""
    rule = parse_rule({"action": {"stick": "SENT_TO_COMFY"}, "times": 1}, rule_id="a", set_at=START)
    stored = StoredRule(rule=rule, life="1", set_at=START)
    bench.namespace.controls.update({"rules": [stored.document()]}, {})
    dying = FreezingStores(bench.stores, stage=Stage.SENT_TO_COMFY, moment=Moment.AFTER)
    (job,) = await bench.submit()
    async with running_until_killed(bench.scheduler(worker_id="dead", stores=dying.stores)):
        await dying.frozen.wait()
        bench.provider.lost.update(bench.provider.sent if prompt_is_lost else ())
        async with running(bench.elsewhere().scheduler(worker_id="heir")):
            await bench.outlive_a_lease()
            await until_found(lambda: bench.is_sent(job.id))
            await settle()
            stuck = await bench.job(job.id)
            assert (stuck.stage, stuck.outcome, stuck.retry_attempt) == (Stage.SENT_TO_COMFY, None, prompt_is_lost)
            assert stuck.claim is not None
            assert stuck.claim.worker_id == "heir"
            assert {fault.rule for fault in stuck.faults} == {"a"}

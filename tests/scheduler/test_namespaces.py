"""Namespaces that share a process and its store."""

import asyncio
from datetime import timedelta

import pytest

from civitai_mock.bootstrap.namespace_factory import make_namespace
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.services.namespace_ids import NamespaceIds
from tests.scheduler.conftest import Bench
from tests.support.dates import START
from tests.support.event_loop import settle

YEAR = timedelta(days=365)
URL = "http://127.0.0.1:3000"


async def test_jobs_of_two_namespaces_are_dated_by_two_clocks(bench: Bench) -> None:
    later = bench.elsewhere(VirtualClock(START + YEAR))
    (here,), (there,) = await bench.submit(), await later.submit()
    assert there.created_at - here.created_at == YEAR


async def test_what_expires_in_one_namespace_goes_on_in_another(bench: Bench) -> None:
    other = bench.elsewhere(VirtualClock(START))
    urls = [each.blob_urls.sign("KEY", base_url=URL)[0] for each in (bench, other)]
    bench.clock.advance(3600)
    with pytest.raises(ForbiddenError, match="expired"):
        bench.blob_urls.link_in(urls[0])
    link = other.blob_urls.link_in(urls[1])
    assert link is not None
    assert link.key == "KEY"


async def test_a_submission_wakes_only_the_scheduler_of_its_own_namespace(bench: Bench) -> None:
    other = bench.elsewhere()
    awake, asleep = (asyncio.create_task(each.event_bus.wait_for_work()) for each in (bench, other))
    await bench.submit()
    await settle()
    assert (awake.done(), asleep.done()) == (True, False)
    asleep.cancel()


async def test_a_namespace_has_the_time_of_the_process_and_draws_from_its_ids_unless_it_has_its_own(
    bench: Bench,
) -> None:
    namespace = make_namespace(bench.runtime)
    assert isinstance(namespace.ids, NamespaceIds)
    assert (namespace.name, namespace.ids.random) == ("default", bench.runtime.ids)
    bench.clock.advance(1)
    assert namespace.clock.now() == bench.runtime.clock.now()

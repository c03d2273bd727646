"""Commands are counted, each once, and timed."""

import pytest
from pymongo import monitoring

from civitai_mock.ports import Metrics
from civitai_mock.storage.mongo import open_mongo
from tests.support.dates import START
from tests.support.jobs import chunks, collect, job_id, make_claim, make_job, succeeded
from tests.support.mongo import NAMES, mongo_address


class _Commands(monitoring.CommandListener):
    """Counts the commands of every client that is opened meanwhile, as the driver itself does."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.count += bool(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.mark.mongo
async def test_each_command_is_counted_once_as_the_driver_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, commands = Metrics(), _Commands()
    global_listeners = monitoring._LISTENERS._replace(command_listeners=[commands])
    monkeypatch.setattr(monitoring, "_LISTENERS", global_listeners)
    async with (
        mongo_address() as address,
        open_mongo(uri=address.uri, database=address.database, names=NAMES, metrics=metrics) as stores,
    ):
        (count,) = metrics.statement_counts
        assert (count(), commands.count) > (0, 0)
        assert count() == commands.count
        await stores.jobs.add([make_job(number) for number in range(1, 4)])
        for job in await stores.queue.claim(make_claim(), limit=2):
            assert await stores.jobs.replace(job, succeeded(job))
        await stores.jobs.events(job_id(1))
        blob = await stores.blobs.put("key", chunks(b"image"), content_type="image/png", keep_until=START)
        assert await collect(stores.blobs.read("key", start=0, stop=blob.size)) == b"image"
        await stores.health.ping()
        await stores.queue.backlog()
        assert count() == commands.count
    (series,) = metrics.store_operations.series.values()
    assert sum(series.counts) == commands.count
    assert series.total > 0

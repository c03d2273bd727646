"""Commands are counted, each once, and timed by their names."""

import pytest

from civitai_mock.ports import Metrics
from civitai_mock.storage.mongo import open_mongo
from tests.support.jobs import job_id, make_job
from tests.support.mongo import NAMES, mongo_address


@pytest.mark.mongo
async def test_each_command_is_counted_once_with_its_name() -> None:
    metrics = Metrics()
    async with (
        mongo_address() as address,
        open_mongo(uri=address.uri, database=address.database, names=NAMES, metrics=metrics) as stores,
    ):
        (count,) = metrics.statement_counts
        before, finds = count(), _finds(metrics)
        await stores.jobs.add([make_job(1)])
        added = count()
        assert added > before
        for _ in range(5):
            await stores.jobs.get(job_id(1))
        assert (count() - added, _finds(metrics) - finds) == (5, 5)
        await stores.secrets.secret("name")
    timed = {command for (command,) in metrics.store_operations.series}
    assert timed >= {"find", "insert", "update"}


def _finds(metrics: Metrics) -> int:
    series = metrics.store_operations.series.get(("find",))
    return sum(series.counts) if series else 0

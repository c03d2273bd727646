"""A job queue to compare with: arq on Redis, with a job that does nothing. `worker` runs jobs, `client N` submits N.

REDIS_PORT is where Redis listens. It needs the package `arq`.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

AT_ONCE = 32
POLL_SECONDS = 0.01  # its default of 0.5 s would be most of what is measured
REDIS = RedisSettings(host="127.0.0.1", port=int(os.environ.get("REDIS_PORT", "6379")))


async def do_nothing(_: dict[str, Any]) -> None:
    pass


async def submit(jobs: int) -> None:
    """Submit the jobs over as many connections as the bench has, wait for the last of them, and print what it took."""
    queue, last = await create_pool(REDIS), list[Any]()
    started, cpu = time.perf_counter(), time.process_time()
    todo = iter(range(jobs))

    async def some() -> None:
        for _ in todo:
            last.append(await queue.enqueue_job("do_nothing"))
            del last[:-AT_ONCE]

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())
    for job in last:
        await job.result(poll_delay=POLL_SECONDS)
    print(json.dumps({"seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - cpu}), flush=True)


def main() -> None:
    match sys.argv[1:]:
        case ["client", jobs]:
            asyncio.run(submit(int(jobs)))
        case _:
            Worker([do_nothing], redis_settings=REDIS, max_jobs=100, poll_delay=POLL_SECONDS, keep_result=60).run()


if __name__ == "__main__":
    main()

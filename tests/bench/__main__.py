"""Prints one table; figures are for this machine and this run, the ratios are what to compare."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.load import Load, request, run
from tests.support.process import MOCK, Server
from tests.support.process import running as running_in

JOBS = "/v1/consumer/jobs"
TEMPLATE = {
    "$type": "textToImage",
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a red fox in the snow", "steps": 20, "cfgScale": 7, "width": 512, "height": 512},
}
BODY = json.dumps(TEMPLATE).encode()
SUBMIT = request("POST", JOBS, BODY)
BARE = (str(Path(__file__).with_name("bare.py")),)
QUIET = {"LOG_LEVEL": "warning"}
INSTANT = {**QUIET, "SIMULATION_PROFILE": "instant"}
BUSY = {**INSTANT, "SIMULATION_PROMPT_MS": "600000", "SCHEDULER_MAX_IN_FLIGHT": "10000"}
REQUESTS = 4000
JOBS_TO_THE_END = {"blank": 2000, "drawn": 200}
WAITING = 4000


class Row(NamedTuple):
    what: str
    measured: str
    ratio: str


async def bench() -> Sequence[Row]:
    with running(QUIET, command=BARE, path="/job") as bare:
        get, post = await _steady(bare, request("GET", "/job")), await _steady(bare, request("POST", "/job", BODY))
        bare_rows = [_rate("bare FastAPI GET", get, get), _rate("bare FastAPI POST", post, post)]
        bare_start = bare.start_seconds
    ends = [await _to_the_end(images, jobs, post) for images, jobs in JOBS_TO_THE_END.items()]
    return [*bare_rows, *await _api(get, post, bare_start), *ends, *await _while_jobs_wait()]


async def _api(bare_get: Load, bare_post: Load, bare_start: float) -> Sequence[Row]:
    with running(INSTANT, command=(*MOCK, "api")) as mock:
        job_id = await _submit(mock)
        get, post = await _steady(mock, request("GET", f"{JOBS}/{job_id}")), await _steady(mock, SUBMIT)
        seconds = mock.start_seconds
    return [
        _rate("GET job", get, bare_get),
        _rate("POST job", post, bare_post),
        Row("command to first healthy answer", f"{seconds:.2f} s", f"{seconds / bare_start:.2f}"),
    ]


async def _to_the_end(images: str, jobs: int, bare_post: Load) -> Row:
    with running({**INSTANT, "SIMULATION_PICTURES": images}) as mock:
        started = time.perf_counter()
        load = await run(mock.address, SUBMIT, requests=jobs, keep_bodies=True)
        await _wait_for_all(mock, [json.loads(body)["jobId"] for body in load.bodies])
        rate = jobs / (time.perf_counter() - started)
    return Row(f"POST to Succeeded, 512x512 {images}", f"{rate:,.0f}/s", f"{rate / bare_post.per_second:.2f}")


async def _while_jobs_wait() -> Sequence[Row]:
    """Thousands of jobs in simulated work must not slow an answer."""
    with running(BUSY) as mock:
        message = request("GET", f"{JOBS}/{await _submit(mock)}")
        idle = await _steady(mock, message)
        await run(mock.address, SUBMIT, requests=WAITING)
        busy = await run(mock.address, message, requests=REQUESTS)
    return [_tail("GET job p99", idle, idle), _tail(f"GET job p99, {WAITING:,} jobs in work", busy, idle)]


def _rate(what: str, load: Load, yardstick: Load) -> Row:
    return Row(what, f"{load.per_second:,.0f}/s", f"{load.per_second / yardstick.per_second:.2f}")


def _tail(what: str, load: Load, yardstick: Load) -> Row:
    p99 = load.percentile(0.99)
    return Row(what, f"{p99 * 1000:.1f} ms", f"{p99 / yardstick.percentile(0.99):.2f}")


@contextmanager
def running(
    environment: Mapping[str, str], *, command: Sequence[str] = MOCK, path: str = "/health"
) -> Iterator[Server]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_in(Path(folder), environment, command=command, path=path) as server,
    ):
        yield server


async def _steady(server: Server, message: bytes) -> Load:
    await run(server.address, message, requests=REQUESTS // 10)
    return await run(server.address, message, requests=REQUESTS)


async def _submit(server: Server) -> str:
    load = await run(server.address, SUBMIT, requests=1, keep_bodies=True)
    return str(json.loads(load.bodies[0])["jobId"])


async def _wait_for_all(server: Server, job_ids: Sequence[str]) -> None:
    """Jobs end in about the order in which they came."""
    for job_id in job_ids:
        while not (event := (await _status(server, job_id))["lastEvent"])["jobHasCompleted"]:
            await asyncio.sleep(0.01)
        if event["type"] != "Succeeded":
            raise RuntimeError(str(event))


async def _status(server: Server, job_id: str) -> dict[str, Any]:
    load = await run(server.address, request("GET", f"{JOBS}/{job_id}"), requests=1, keep_bodies=True)
    status: dict[str, Any] = json.loads(load.bodies[0])
    return status


def main() -> None:
    rows = [Row("what", "measured", "ratio to bare"), *asyncio.run(bench())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()

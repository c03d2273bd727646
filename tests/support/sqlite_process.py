"""A process beside the tests' own that uses the same SQLite store, until it is killed.

Run `python -m tests.support.sqlite_process (add | claim | race | restore | upload) DIRECTORY`; it prints a line for
each step.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import IO, Any, cast

from civitai_mock.clock import SystemClock
from civitai_mock.domain.namespaces import USUAL_MOST
from civitai_mock.ports import BlobStore, Stores
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.services.snapshots import restore
from civitai_mock.storage.sqlite import TableNames, open_sqlite
from tests.support.dates import START
from tests.support.jobs import make_claim, make_job
from tests.support.paths import ROOT

WORKER = "worker-of-another-process"
SNAPSHOT_SUFFIX = ".zip"  # of the snapshot beside the directory of a store
MOST_BYTES = 10**9


class OtherProcess:
    """Is the process, as the tests see it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self._output: IO[str] = process.stdout

    def line(self) -> str:
        """Return the next line that it prints."""
        text = self._output.readline().strip()
        assert text, f"the process ended with {self._process.wait()}"
        return text

    def kill(self) -> list[str]:
        """Kill it, and return the lines that it printed and nobody has read."""
        self._process.send_signal(signal.SIGKILL)
        rest = self._output.read().splitlines()
        self._process.wait()
        return rest


@contextmanager
def other_process(task: str, directory: Path) -> Iterator[OtherProcess]:
    command = [sys.executable, "-m", "tests.support.sqlite_process", task, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield OtherProcess(process)
        finally:
            process.kill()


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _add(stores: Stores) -> None:
    """Add two jobs at a time, without end, and print the first one's number once they are stored."""
    for number in count(1000, 2):
        await stores.jobs.add([make_job(number), make_job(number + 1)])
        _print(str(number))


async def _claim(stores: Stores) -> None:
    await stores.jobs.add([make_job(1), make_job(2)])
    claimed = await stores.queue.claim(make_claim(WORKER), limit=1)
    _print(claimed[0].id)
    await asyncio.get_running_loop().create_future()


async def _upload(stores: Stores) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(5_000_000)
            _print("sent")

    await stores.blobs.put("A" * 64, endless(), content_type="image/png", keep_until=START)


async def _race(stores: Stores) -> None:
    """Claim a few jobs at a time until none is left."""
    _print("ready")
    while claimed := await stores.queue.claim(make_claim(WORKER), limit=3):
        for job in claimed:
            _print(job.id)
    _print("done")


async def _restore(stores: Stores) -> None:
    """Restore the snapshot beside the directory, and print what is written until the last thing, which never ends."""

    class Endless:
        async def put_undrawn(self, _: object) -> None:
            _print("written")
            await asyncio.get_running_loop().create_future()

    restore.KEPT = timedelta()  # so that nobody has to wait until it is taken for dead
    namespaces, clock = stores.namespaces, SystemClock()
    signing: dict[str, Any] = {"key": b"", "lifetime": timedelta(), "clock": clock}
    restoring = restore.RestoreNamespace(
        namespaces=namespaces,
        in_epoch=lambda epoch: replace(stores.in_epoch(epoch), blobs=cast("BlobStore", Endless())),
        control=ControlPlane(store=namespaces, clock=clock, process_id="dying"),
        clock=clock,
        most_bytes=MOST_BYTES,
        most_namespaces=USUAL_MOST,
        on_left=lambda: None,
        links_in=lambda _: OwnBlobLinks(blob_urls=BlobUrls(**signing), workflow_blob_urls=WorkflowBlobUrls(**signing)),
    )
    with Path(sys.argv[2] + SNAPSHOT_SUFFIX).open("rb") as file:  # noqa: ASYNC230 - nothing else goes on here
        await restoring("a", file, check_simulated=lambda: None)


TASKS: Mapping[str, Callable[[Stores], Coroutine[object, object, None]]] = {
    "add": _add,
    "claim": _claim,
    "upload": _upload,
    "race": _race,
    "restore": _restore,
}


async def main(task: str, directory: Path) -> None:
    async with open_sqlite(directory=directory, names=TableNames()) as stores:
        await TASKS[task](stores)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))

"""`python -m tests.bench soak`: make trouble for some minutes, then check, and say what was done and what was found."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random, SystemRandom

import httpx

from tests.bench.servers import await_health
from tests.bench.soak.client import ANSWER_SECONDS, SoakClient, UnansweredError
from tests.bench.soak.job_checks import JobChecks
from tests.bench.soak.ledger import Ledger
from tests.bench.soak.process_watch import MemoryWatch, holdings_of
from tests.bench.soak.processes import API, COMMANDS, Site
from tests.bench.soak.receiver import WebhookReceiver, receiving
from tests.bench.soak.remains import file_faults, log_faults
from tests.bench.soak.stores import SoakedStore, make_store
from tests.bench.soak.troubles import Troubles
from tests.bench.soak.visits import MOST_VISITS, Visits
from tests.bench.soak.worlds import World, make_worlds

STORES = ("file", "mongo")
SEEDS = 2**32
CALM_SHARE = 1 / 3  # of the time, in which no process is killed, so that its memory can be watched
SETTLE_SECONDS = 3.0
FIRST_WORLD = 10  # behind the seeds of what all soaks have


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench soak", description=sys.modules["tests.bench.soak"].__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the load lasts, for each store")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=["file"], help="where to run, in turn")
    parser.add_argument(
        "--processes",
        nargs="+",
        type=int,
        choices=COMMANDS,
        default=[3],
        help="1: all in one; 3: API and two schedulers",
    )
    parser.add_argument("--rate", type=float, default=8.0, help="visits a second; most of them submit a job or some")
    parser.add_argument("--seed", type=int, help="repeats what an earlier soak ordered and did")
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or options.rate <= 0:
        parser.error("--minutes and --rate must be more than 0")
    return options


def main(arguments: Sequence[str]) -> int:
    """End with 1 if anything is wrong; then what the processes left stays where the report says."""
    options = parse_arguments(arguments)
    seed = SystemRandom().randrange(SEEDS) if options.seed is None else options.seed
    places = list(product(options.stores, options.processes))
    wrong = [asyncio.run(_soak(kind, count, options, seed)) for kind, count in places]
    return int(any(wrong))


async def _soak(kind: str, processes: int, options: argparse.Namespace, seed: int) -> bool:
    """Return whether anything is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="civitai-mock-soak-"))
    soak = Soak(
        folder=folder,
        processes=processes,
        seconds=options.minutes * 60,
        rate=options.rate,
        seed=seed,
        store=make_store(kind, folder),
    )
    began = time.monotonic()
    try:
        await soak.run()
    except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
        shutil.rmtree(folder)
        raise
    place, seconds = f"{kind}, {processes} process{'es' if processes > 1 else ''}", time.monotonic() - began
    print(f"soak on {place}, {options.minutes:g} min, --seed {seed}, {seconds:.0f} s in all")
    print(soak.text(), flush=True)
    if soak.ledger.faults:
        print(f"  what the processes left is in {folder}")
    else:
        shutil.rmtree(folder)
    return bool(soak.ledger.faults)


@dataclass(kw_only=True)
class Soak:
    """One soak on one store."""

    folder: Path
    processes: int
    seconds: float
    rate: float
    seed: int
    store: SoakedStore
    checked: Counter[str] = field(default_factory=Counter)
    log_counts: Counter[str] = field(default_factory=Counter)
    memory: MemoryWatch = field(default_factory=MemoryWatch)

    def __post_init__(self) -> None:
        self.ledger = Ledger(rng=Random(self.seed))
        self.site = Site(
            folder=self.folder,
            commands=COMMANDS[self.processes],
            settings=self.store.settings,
            may_keep_jobs=self.store.may_be_slow,
        )
        self.worlds: Sequence[World] = ()
        self.troubles = Troubles(site=self.site, store=self.store, rng=Random(self.seed + 1))

    async def run(self) -> None:
        await self.store.open()
        try:
            self.site.start_all()
            port, api = self.site.port, self.site.running[API]
            await asyncio.to_thread(await_health, port, api, self.folder / API, time.perf_counter())
            async with receiving(Random(self.seed + 2)) as receiver:
                await self._run(receiver)
            await self.site.stop_all()
            self._look_at_remains()
        finally:
            self.site.close()
            await self.store.close()

    async def _run(self, receiver: WebhookReceiver) -> None:
        watching = asyncio.create_task(self.site.watch())
        try:
            async with self._client() as client:
                await self._load(client, receiver)
            async with self._client() as client:
                await self._check_jobs(client, receiver)
            await self._check_processes()
        finally:
            watching.cancel()
        self.ledger.counts.update(receiver.counts)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[SoakClient]:
        limits = httpx.Limits(max_connections=MOST_VISITS, max_keepalive_connections=MOST_VISITS)
        async with httpx.AsyncClient(
            base_url=self.site.url, limits=limits, timeout=ANSWER_SECONDS, trust_env=False
        ) as http:
            yield SoakClient(http=http, ledger=self.ledger, must_read=self.troubles.is_reading_owed)

    async def _load(self, client: SoakClient, receiver: WebhookReceiver) -> None:
        visits = Visits(
            client=client, ledger=self.ledger, callback_url=receiver.url, rate=self.rate, rng=Random(self.seed + 3)
        )
        self.worlds = make_worlds(client, self.ledger, self.checked, self.seed + FIRST_WORLD)
        visiting = asyncio.gather(visits.run(self.seconds), *(world.run(self.seconds) for world in self.worlds))
        calm = self.seconds * CALM_SHARE
        await self.troubles.run(self.seconds - calm, are_mild=False)
        watching = asyncio.create_task(self.memory.run(self.site.pids()))
        await self.troubles.run(calm, are_mild=True)
        await visiting
        watching.cancel()

    async def _check_jobs(self, client: SoakClient, receiver: WebhookReceiver) -> None:
        checks = JobChecks(client=client, ledger=self.ledger, receiver=receiver, counts=self.checked)
        try:
            await checks.run()
            for world in self.worlds:
                await world.check(client)
        except (UnansweredError, httpx.HTTPError) as error:
            self.ledger.fault(f"the checks broke off: {error!r}")

    async def _check_processes(self) -> None:
        """Count what they hold while nothing happens."""
        await asyncio.sleep(SETTLE_SECONDS)  # connections that were closed have to be noticed
        for fault in self.memory.faults():
            self.ledger.fault(fault)
        for name, pid in self.site.pids().items():
            for fault in holdings_of(pid).faults(name):
                self.ledger.fault(fault)
            self.checked["processes whose handles were counted"] += 1

    def _look_at_remains(self) -> None:
        for fault in self.site.faults:
            self.ledger.fault(fault)
        for fault in [*self.store.faults(), *file_faults(self.folder / "data")]:
            self.ledger.fault(fault)
        for name in self.site.commands:
            for fault in log_faults(self.site.output_of(name), self.log_counts):
                self.ledger.fault(fault)

    def text(self) -> str:
        lines = [
            f"  did: {_listed(self.site.counts)}",
            f"  sent: {_listed(self.ledger.counts)}",
            f"  checked: {_listed(self.checked)}",
            f"  memory in the last part: {self.memory.text()}",
            f"  log: {_listed(Counter(dict(self.log_counts.most_common(12))))}",
        ]
        faults = self.ledger.counts["faults"]
        lines.append(f"  WRONG: {faults} faults" if faults else "  nothing is wrong")
        return "\n".join([*lines, *(f"    {fault}" for fault in self.ledger.faults)])


def _listed(counts: Counter[str]) -> str:
    return "; ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"

"""Open namespaces in this process when they are needed, run their jobs, and begin them anew when they are reset."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

import structlog

from civitai_mock.bootstrap.journals import Journals
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.namespace_factory import make_namespace
from civitai_mock.bootstrap.providers import server_names
from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.bootstrap.scheduler import make_led_scheduler, make_worker_id
from civitai_mock.domain.clock_setting import has_advance
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError, TransientError
from civitai_mock.domain.namespaces import DEFAULT, SERVER, Epoch, NamespaceRecord
from civitai_mock.scheduler.led_scheduler import LedScheduler
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.services.controls import NOTHING, Controls
from civitai_mock.services.error_boundary import ErrorBoundary
from civitai_mock.services.namespaces import ManageNamespaces
from civitai_mock.services.processes import ListProcesses, ProcessNote, PromptCount, Workload
from civitai_mock.settings import UnknownNamespaces

if TYPE_CHECKING:
    from civitai_mock.services.faults.edit_rules import EditFaults
    from civitai_mock.services.faults.edit_scenarios import EditScenarios
    from civitai_mock.services.fleet.edit import EditFleet
    from civitai_mock.services.journal.questions import SubjectOf
    from civitai_mock.services.snapshots.use_cases import NamespaceSnapshots
    from civitai_mock.services.styles import EditStyles
    from civitai_mock.services.workers import ManageWorkers, ObeyedServers

SCAN_SECONDS = 2.0  # how often it is looked for work that nobody in this process has heard of
IDLE_SECONDS = 30.0  # a namespace that nobody asks for is closed after this, if it has no work
TOUCH_SECONDS = 60.0
UNUSED = timedelta(days=1)  # then a namespace is deleted
SWEEP_SECONDS = 60.0
SWEEP_ROWS = 500
PAGE = 100
CLOSE_SECONDS = 0.5  # of a scheduler that was told to leave everything

logger = structlog.stdlib.get_logger()


@dataclass(slots=True, kw_only=True)
class OpenNamespace:
    """Is a namespace that this process serves, with its scheduler, if this process runs jobs.

    `used_at` is a reading of the loop's clock.
    """

    namespace: Namespace
    used_at: float
    scheduler: LedScheduler | None = None
    running: asyncio.Task[None] | None = None


class Namespaces:
    """Holds the namespaces that are open in this process, by name; the default one always is.

    Another one is opened when somebody asks for it, or when it has work that this process could do. It is closed when
    nobody has asked for it for a while and nothing is to be done, which changes nothing that anybody could see.
    """

    def __init__(self, runtime: Runtime, *, control: ControlPlane, runs_jobs: bool, journals: Journals) -> None:
        self.control = control
        self.journals = journals
        self.runs_jobs = runs_jobs
        self.default: Namespace  # as soon as it is served, which is at once
        self.manage = ManageNamespaces(
            store=runtime.stores.namespaces,
            control=control,
            clock=runtime.clock,
            most=runtime.settings.namespaces_max,
        )
        self.jobs_left: int | None = None  # how many jobs were not given back, once all have stopped
        self.note = ProcessNote(
            store=runtime.stores.namespaces,
            clock=runtime.clock,
            process_id=control.process_id,
            lease=timedelta(milliseconds=runtime.settings.scheduler_lease_ms) if runs_jobs else None,
            get_workload=self.workload,
        )
        self._runtime = runtime
        self._servers = self._obeyed_servers()
        self._creates = runtime.settings.namespaces is UnknownNamespaces.AUTO
        self._open: dict[str, OpenNamespace] = {}
        self._claims: dict[int, datetime] = {}  # by epoch: the last claim of a scheduler that has stopped
        self._used: set[str] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._has_unknown = asyncio.Event()  # set when others did something in a namespace that is not open here
        self._has_over = asyncio.Event()
        self._stop_asked = asyncio.Event()
        runtime.metrics.jobs_in_flight = self.jobs_in_flight
        runtime.metrics.namespaces = control.count_namespaces
        runtime.event_feed.on_unknown_epochs = self._on_unknown_epochs

    @cached_property
    def snapshots(self) -> "NamespaceSnapshots":
        """Load and make them at first use: most processes never save or restore anything."""
        from civitai_mock.bootstrap.snapshots import make_snapshots

        return make_snapshots(self._runtime, self.control, on_left=self._has_over.set)

    @cached_property
    def edit_faults(self) -> "EditFaults":
        """Load and make it at first use: most processes are never told a rule."""
        from civitai_mock.services.faults.edit_rules import EditFaults

        return EditFaults(manage=self.manage, most=self._runtime.settings.faults_max_rules)

    @cached_property
    def edit_scenarios(self) -> "EditScenarios":
        """Load and make it at first use, as those of rules."""
        from civitai_mock.services.faults.edit_scenarios import EditScenarios

        return EditScenarios(
            manage=self.manage,
            of_file=self._runtime.server_rules.file_scenarios,
            most=self._runtime.settings.scenarios_max,
        )

    @cached_property
    def edit_styles(self) -> "EditStyles":
        """Load and make it at first use, as those of rules."""
        from civitai_mock.services.styles import EditStyles

        return EditStyles(manage=self.manage)

    @cached_property
    def manage_workers(self) -> "ManageWorkers":
        """Load and make it at first use, as those of rules."""
        from civitai_mock.services.workers import ManageWorkers

        return ManageWorkers(servers=self._runtime.provider.servers, manage=self.manage)

    @property
    def processes(self) -> ListProcesses:
        return ListProcesses(store=self._runtime.stores.namespaces, clock=self._runtime.clock, note=self.note)

    @cached_property
    def edit_fleet(self) -> "EditFleet":
        """Load and make it at first use, as those of rules."""
        from civitai_mock.services.fleet.edit import EditFleet

        servers = server_names(self._runtime.settings)
        return EditFleet(manage=self.manage, usual=self._runtime.usual_fleet, servers=servers)

    def fault_of(self, name: str) -> str | None:
        """Return why no jobs of an open namespace are taken; None while they are, or if that is for others to do."""
        opened = self._open.get(name)
        return None if opened is None or opened.scheduler is None else opened.scheduler.fault

    def jobs_in_flight(self) -> Mapping[str, int]:
        """Return how many jobs are worked on, by the stage that they have come to."""
        total: Counter[str] = Counter()
        for opened in self._open.values():
            if opened.scheduler is not None:
                total.update(opened.scheduler.jobs_in_flight())
        return total

    def workload(self) -> Workload:
        """Return what this process does at this moment, and what servers have of it."""
        schedulers = [opened.scheduler for opened in self._open.values() if opened.scheduler is not None]
        leases = [until for scheduler in schedulers if (until := scheduler.leased_until) is not None]
        servers = [worker for worker in self._runtime.provider.workers if worker.url is not None]
        return Workload(
            jobs=sum(self.jobs_in_flight().values()),
            leased_until=min(leases, default=None),
            prompts={
                worker.id: PromptCount(in_flight=worker.in_flight, most=worker.max_in_flight or 0)
                for worker in servers
                if self.runs_jobs
            },
        )

    def find(self, name: str) -> Namespace | None:
        """Return a namespace that is open, and note that it is used."""
        opened = self._open.get(name)
        if opened is None or not self.journals.presence.is_noted(name, opened.namespace.epoch.initial_number):
            return None
        if name != DEFAULT:
            opened.used_at = asyncio.get_running_loop().time()
            self._used.add(name)
        return opened.namespace

    async def open(self, name: str, *, creates: bool = True) -> Namespace:
        """Return a namespace, which is opened, and made if it is unknown.

        Raise `NotFoundError` for an unknown one that this does not create, or the settings do not allow, and
        `ConflictError` if there are too many.
        """
        found = self.find(name)
        if found is not None:
            return found
        record = self.control.records.get(name)
        if record is None:
            await self.control.refresh()
            record = self.control.records.get(name)
        if record is None:
            if not (creates and self._creates):
                raise NotFoundError(f"The namespace '{name}' does not exist.")
            now, most = self._runtime.clock.now(), self._runtime.settings.namespaces_max
            await self._runtime.stores.namespaces.add(name, now=now, document=NOTHING, most=most)
            await self.control.refresh()
            record = self.control.records[name]
        self._used.add(name)
        await self.journals.presence.note(name, record.epoch)
        current = self.control.records.get(name)
        if current is None or current.epoch != record.epoch:  # as it was reset meanwhile
            return await self.open(name, creates=creates)
        return self.serve(record).namespace

    def stop_waiting(self) -> None:
        """Answer all requests that wait, be it for jobs, for other requests or for other processes."""
        self.control.stop_waiting()
        self.journals.questions.stop_asking()
        for opened in self._open.values():
            opened.namespace.waits.stop()

    def stop(self) -> None:
        """Claim no more jobs; the grace time begins with the first call."""
        self._stop_asked.set()
        for opened in self._open.values():
            if opened.scheduler is not None:
                opened.scheduler.stop()

    async def wait_until_stopped(self) -> None:
        """Return when all schedulers have stopped, after `stop` or because of an error in that of the default one."""
        await self._stop_asked.wait()
        running = [opened.running for opened in self._open.values() if opened.running is not None]
        if running:
            await asyncio.wait(running)

    async def obey(self, record: NamespaceRecord) -> None:
        """Carry out what a record says, once it has changed."""
        if record.name == SERVER:
            self.obey_server()
            return
        if record.name == DEFAULT:
            await self.journals.presence.note(DEFAULT, record.epoch)
        self.journals.forget(record.name, but=None if record.is_deleted else record.epoch)
        opened_before = self._open.get(record.name)
        if opened_before is None:
            if self.runs_jobs and not record.is_deleted and has_advance(record.document):
                self.serve(record)
            return
        if not record.is_deleted and record.epoch == opened_before.namespace.epoch.initial_number:
            self._update(opened_before)
            if opened_before.scheduler is not None:
                await opened_before.scheduler.settled()
            return
        self._end(opened_before)
        del self._open[record.name]
        if record.name == DEFAULT:
            self.serve(record)
        self._has_over.set()

    def obey_server(self) -> None:
        """Carry out what is set for all namespaces."""
        if self._servers is not None:
            self._servers.obey(self.control.server_document)
        for opened in self._open.values():
            self._update(opened)

    async def look(self) -> None:
        """Look what other processes want to know, or to be done."""
        await self.journals.questions.look()
        if self._servers is not None:
            await self._servers.look()

    def loops(self) -> Mapping[str, Coroutine[None, None, None]]:
        """Return what runs beside the namespaces, by the names of the tasks."""
        return {
            "control plane": self.control.run(),
            "uses of namespaces": self._note_uses(),
            "work of namespaces": self._run_scans(),
            **({"sweeps of namespaces": self._run_sweeps()} if self.runs_jobs else {}),
        }

    async def aclose(self) -> None:
        """Wait until all schedulers have stopped, and close all namespaces."""
        self.stop()
        left = [await self._finish(opened) for opened in list(self._open.values())]
        self.jobs_left = sum(left)
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_SECONDS)

    def serve(self, record: NamespaceRecord) -> OpenNamespace:
        """Open a namespace, unless somebody else has meanwhile."""
        opened = self._open.get(record.name)
        if opened is not None:
            return opened
        epoch = Epoch(record.name, record.epoch)
        controls = Controls(record.document, self.control.server_document)
        namespace = make_namespace(
            self._runtime,
            epoch=epoch,
            controls=controls,
            runs_jobs=self.runs_jobs,
            scheduler_fault=partial(self.fault_of, record.name),
        )
        ask_journals = partial(self.journals.ask_about, namespace.journal)
        namespace = replace(namespace, manage=self.manage, get_ask_journals=ask_journals)
        opened = OpenNamespace(namespace=namespace, used_at=asyncio.get_running_loop().time())
        self._open[record.name] = opened
        if record.name == DEFAULT:
            self.default = namespace
        if self._stop_asked.is_set():
            namespace.waits.stop()
        elif self.runs_jobs:
            self._start(opened)
        return opened

    def _obeyed_servers(self) -> "ObeyedServers | None":
        """Load and make it where there are servers."""
        servers = self._runtime.provider.servers
        if servers is None:
            return None
        from civitai_mock.services.workers import ObeyedServers

        store = self._runtime.stores.namespaces
        return ObeyedServers(servers, store=store, process_id=self.control.process_id)

    def _start(self, opened: OpenNamespace) -> None:
        namespace = opened.namespace
        claimed_at = self._claims.pop(namespace.epoch.number, None)
        scheduler = make_led_scheduler(namespace, process_id=self.control.process_id, claimed_at=claimed_at)
        opened.scheduler = scheduler
        opened.running = asyncio.create_task(scheduler.run(), name=f"scheduler of {namespace.name}")
        opened.running.add_done_callback(partial(self._on_scheduler_ended, opened))

    def _on_scheduler_ended(self, opened: OpenNamespace, running: asyncio.Task[None]) -> None:
        if not running.cancelled() and running.exception() is not None:
            logger.error("scheduler broke", namespace=opened.namespace.name, exc_info=running.exception())
            if opened.namespace.name == DEFAULT:
                self._stop_asked.set()

    def _update(self, opened: OpenNamespace) -> None:
        record = self.control.records.get(opened.namespace.name)
        document = NOTHING if record is None else record.document
        opened.namespace.controls.update(document, self.control.server_document)

    def _end(self, opened: OpenNamespace) -> None:
        """End an epoch: from now on nothing of it is read, written or sent, and whoever waits for it is answered."""
        opened.namespace.epoch.end()
        opened.namespace.event_bus.close()
        opened.namespace.waits.stop()
        if opened.scheduler is not None:
            opened.scheduler.abandon()
        closing = asyncio.create_task(self._close(opened), name=f"end of {opened.namespace.name}")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    @staticmethod
    async def _finish(opened: OpenNamespace) -> int:
        """Wait for a scheduler that was told to stop, and close its namespace; raise what broke the scheduler.

        Return how many jobs it did not give back.
        """
        if opened.running is not None:
            await opened.running
        await opened.namespace.aclose()
        return 0 if opened.scheduler is None else opened.scheduler.jobs_left

    async def _close(self, opened: OpenNamespace) -> None:
        try:
            await self._finish(opened)
        except Exception:
            logger.exception("namespace not closed", namespace=opened.namespace.name)

    def _on_unknown_epochs(self, _: AbstractSet[int]) -> None:
        if self.runs_jobs:
            self._has_unknown.set()

    async def _run_scans(self) -> None:
        """Open namespaces that have work, soon after somebody heard of it, and close those that have none."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SCAN_SECONDS):
                    await self._has_unknown.wait()
            self._has_unknown.clear()
            with ErrorBoundary("work of namespaces not found"):
                await self._scan()

    async def _scan(self) -> None:
        epochs = set(await self._runtime.stores.namespaces.epochs_with_work())
        if any(self.control.name_of(epoch) is None for epoch in epochs):
            await self.control.refresh()
        names = {name for epoch in epochs if (name := self.control.name_of(epoch)) is not None}
        names |= {name for name, record in self.control.records.items() if has_advance(record.document)}
        for name in names - self._open.keys() if self.runs_jobs else ():
            self.serve(self.control.records[name])
        now = asyncio.get_running_loop().time()
        for name, opened in list(self._open.items()):
            if name in names:
                opened.used_at = now
            elif name != DEFAULT and now - opened.used_at > IDLE_SECONDS and _is_idle(opened):
                await self._close_idle(name, opened)

    async def _close_idle(self, name: str, opened: OpenNamespace) -> None:
        del self._open[name]
        if opened.scheduler is not None:
            opened.scheduler.stop()
            if opened.scheduler.claimed_at is not None:
                self._claims[opened.namespace.epoch.number] = opened.scheduler.claimed_at
        await self._close(opened)

    async def _note_uses(self) -> None:
        """Note in the store which namespaces are used, so that they are not deleted."""
        while True:
            await asyncio.sleep(TOUCH_SECONDS)
            names, self._used = self._used, set()
            try:
                if names:
                    await self._runtime.stores.namespaces.touch(sorted(names), self._runtime.clock.now())
            except TransientError:
                self._used |= names

    async def _run_sweeps(self) -> None:
        """Delete namespaces that nobody uses, and what is left of epochs that are over."""
        while True:
            with ErrorBoundary("namespaces not swept"):
                await self._delete_unused()
                await self._sweep_over()
            self._has_over.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._has_over.wait()

    async def _sweep_over(self) -> None:
        is_left = True
        while is_left:
            is_left = await self._runtime.stores.namespaces.sweep_over(limit=SWEEP_ROWS)
            await asyncio.sleep(0)  # for others, as a store in memory does not wait

    async def _delete_unused(self) -> None:
        store, before = self._runtime.stores.namespaces, self._runtime.clock.now() - UNUSED
        for name in await store.unused_since(before, limit=PAGE):
            if name not in self._open and name not in self._used:
                await self.control.change(partial(store.delete, name))


def _is_idle(opened: OpenNamespace) -> bool:
    return opened.scheduler is None or opened.scheduler.is_idle


@asynccontextmanager
async def open_namespaces(
    runtime: Runtime, *, runs_jobs: bool, get_subject_of: "Callable[[], SubjectOf] | None" = None
) -> AsyncIterator[Namespaces]:
    """Open the default namespace, and others as they are needed; at the end all of them have stopped.

    `runs_jobs` says whether this process has schedulers for them. What `get_subject_of` returns reads what requests of
    the journal asked for, where there is an API.
    """
    process_id = make_worker_id(runtime) if runs_jobs else f"api-{secrets.token_hex(6)}"
    control = ControlPlane(store=runtime.stores.namespaces, clock=runtime.clock, process_id=process_id)
    journals = Journals(runtime, control=control, get_subject_of=get_subject_of)
    namespaces = Namespaces(runtime, control=control, runs_jobs=runs_jobs, journals=journals)
    record = await control.start(namespaces.obey, look=namespaces.look, tell=namespaces.note.tell)
    namespaces.obey_server()
    await journals.presence.note(DEFAULT, record.epoch)
    namespaces.serve(record)
    loops = [asyncio.create_task(loop, name=name) for name, loop in namespaces.loops().items()]
    try:
        yield namespaces
    finally:
        for task in loops:
            task.cancel()
        telling = asyncio.create_task(namespaces.note.run(), name="note of the process")
        try:
            await namespaces.aclose()
        finally:
            telling.cancel()
        journals.questions.stop()
        with suppress(TransientError):
            await journals.presence.leave()
            await control.stop()
            await namespaces.note.take_down()

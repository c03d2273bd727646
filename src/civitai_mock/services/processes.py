"""The processes on one store: each tells what it does in a note beside its heartbeat, so that any can tell of all."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_number, as_object, as_text
from civitai_mock.ports import Clock, NamespaceStore
from civitai_mock.services.control_plane import BEAT, DEAD_AFTER
from civitai_mock.services.error_boundary import ErrorBoundary

NOTES: Final = "process/"
RENEWED = timedelta(minutes=1)  # also if nothing is new: so exactly it is known when a dead process last lived
KEPT = timedelta(minutes=10)
AT, FACTS = "at", "facts"
HOST, PID, STARTED_AT, RUNS_JOBS, JOBS = "host", "pid", "startedAt", "runsJobs", "jobs"
LEASE, LEASED_UNTIL, PROMPTS, IN_FLIGHT, MOST = "lease", "leasedUntil", "prompts", "inFlight", "most"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCount:
    """Says how many prompts a server has of somebody, and how many it may have at `most`."""

    in_flight: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """Says what a process does: whether it runs jobs, on how many it works, and what servers have of it.

    A claim holds for a `lease`. If nobody hears of the process any more, the first of its jobs is free at
    `leased_until`; None without any. `prompts` are by the ids of servers.
    """

    host: str
    pid: int
    started_at: datetime
    runs_jobs: bool
    jobs: int
    lease: timedelta
    leased_until: datetime | None
    prompts: Mapping[str, PromptCount]

    def to_json(self) -> JsonObject:
        """Return what stands in the note."""
        until = self.leased_until
        return {
            HOST: self.host,
            PID: self.pid,
            STARTED_AT: self.started_at.isoformat(),
            RUNS_JOBS: self.runs_jobs,
            JOBS: self.jobs,
            LEASE: self.lease.total_seconds(),
            LEASED_UNTIL: None if until is None else until.isoformat(),
            PROMPTS: {name: {IN_FLIGHT: each.in_flight, MOST: each.most} for name, each in self.prompts.items()},
        }

    @classmethod
    def from_json(cls, members: ReadOnlyJson) -> "ProcessFacts":
        """Read what `to_json` returned."""
        until = as_text(members[LEASED_UNTIL])
        prompts = {name: as_object(each) for name, each in as_object(members[PROMPTS]).items()}
        return cls(
            host=as_text(members[HOST]),
            pid=_whole(members, PID),
            started_at=datetime.fromisoformat(as_text(members[STARTED_AT])),
            runs_jobs=members[RUNS_JOBS] is True,
            jobs=_whole(members, JOBS),
            lease=timedelta(seconds=as_number(members[LEASE]) or 0),
            leased_until=datetime.fromisoformat(until) if until else None,
            prompts={
                name: PromptCount(in_flight=_whole(each, IN_FLIGHT), most=_whole(each, MOST))
                for name, each in prompts.items()
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Says what the schedulers of a process do at a moment, as `ProcessFacts` tell it."""

    jobs: int = 0
    leased_until: datetime | None = None
    prompts: Mapping[str, PromptCount]


class ProcessNote:
    """Tells other processes what this one does; where none can see the store, nobody has to know."""

    def __init__(
        self,
        *,
        store: NamespaceStore,
        clock: Clock,
        process_id: str,
        lease: timedelta | None,
        get_workload: Callable[[], Workload],
    ) -> None:
        """`clock` is the real one; a process that runs no jobs has no `lease`."""
        self.process_id = process_id
        self._store = store
        self._clock = clock
        self._lease = lease
        self._get_workload = get_workload
        self._started_at = clock.now()
        self._told: JsonObject | None = None
        self._told_at = self._started_at

    @property
    def facts(self) -> ProcessFacts:
        """Return what this process does now."""
        load = self._get_workload()
        return ProcessFacts(
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._started_at,
            runs_jobs=self._lease is not None,
            jobs=load.jobs,
            lease=self._lease or timedelta(),
            leased_until=load.leased_until,
            prompts=load.prompts,
        )

    async def run(self) -> None:
        """Go on telling, as there are no heartbeats any more: a process that is stopped still works on jobs."""
        while not self._store.is_private:
            await self._clock.sleep(BEAT.total_seconds())
            with ErrorBoundary("note of this process not posted"):
                await self.tell(is_renewed=True)

    async def tell(self, *, is_renewed: bool = False) -> None:
        """Post what is new, or all of it if it `is_renewed`.

        This comes before each heartbeat. So once a process has confirmed that it sends nothing more to a server, its
        note has all that is there: what is told of it can only become less.
        """
        if self._store.is_private:
            return
        now, facts = self._clock.now(), self.facts.to_json()
        if facts == self._told and now - self._told_at < RENEWED and not is_renewed:
            return
        note = orjson.dumps({AT: now.isoformat(), FACTS: facts}).decode()
        await self._store.post(NOTES + self.process_id, note, until=now + KEPT)
        self._told, self._told_at = facts, now

    async def take_down(self) -> None:
        """Take leave."""
        if not self._store.is_private:
            await self._store.take_down(NOTES + self.process_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProcess:
    """Is a process with the last that is known of it, and when that was; one that is not `alive` left no farewell."""

    id: str
    facts: ProcessFacts
    seen_at: datetime
    is_alive: bool
    is_own: bool = False

    def may_hold_jobs(self, now: datetime) -> bool:
        """Return whether a claim that it made, or renewed, before it was heard of no more may hold still."""
        return now < self.seen_at + BEAT + self.facts.lease


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProcesses:
    """Lists the processes on the store: those that live, and those that have died within the last ten minutes."""

    store: NamespaceStore
    clock: Clock
    note: ProcessNote

    async def __call__(self) -> Sequence[ShownProcess]:
        """Return them in the order of their ids."""
        now, own = self.clock.now(), self.note
        shown = [ShownProcess(id=own.process_id, facts=own.facts, seen_at=now, is_alive=True, is_own=True)]
        if not self.store.is_private:
            posted = await self.store.posted(NOTES)
            beats = {each.id: each.seen_at for each in await self.store.live_processes(now - KEPT)}
            others = [
                _read(name, text, beats.get(name), now) for name, text in posted.items() if name != own.process_id
            ]
            shown += [process for process in others if now - process.seen_at < KEPT]
        return sorted(shown, key=lambda process: process.id)

    async def prompts(self) -> Mapping[str, PromptCount]:
        """Return what servers have of all processes together.

        What a dead one had counts as long as nobody else may have taken its jobs.
        """
        now, found = self.clock.now(), dict[str, PromptCount]()
        for process in await self():
            if process.is_alive or process.may_hold_jobs(now):
                for name, each in process.facts.prompts.items():
                    before = found.get(name, PromptCount(in_flight=0, most=0))
                    most = before.most + (each.most if process.is_alive else 0)
                    found[name] = PromptCount(in_flight=before.in_flight + each.in_flight, most=most)
        return found


def _read(name: str, text: str, beat: datetime | None, now: datetime) -> ShownProcess:
    note = as_object(orjson.loads(text))
    told_at = datetime.fromisoformat(as_text(note[AT]))
    seen_at = told_at if beat is None else max(told_at, beat)
    facts = ProcessFacts.from_json(as_object(note[FACTS]))
    return ShownProcess(id=name, facts=facts, seen_at=seen_at, is_alive=now - seen_at < DEAD_AFTER)


def _whole(members: ReadOnlyJson, name: str) -> int:
    return int(as_number(members[name]) or 0)

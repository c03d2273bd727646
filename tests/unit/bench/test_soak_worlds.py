"""The soak finds what is wrong with a world: each check is shown something that it must not let pass."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import pytest

from tests.bench.soak import worlds
from tests.bench.soak.client import SoakClient
from tests.bench.soak.ledger import Ledger
from tests.bench.soak.worlds import FAULT, MARK, World

SUBMITTED, MOVED = "2030-01-01T00:00:00.0000000Z", "2040-12-31T00:00:00Z"


@dataclass
class PlayedWorld:
    """Answers as a namespace that does what it is told; tests change what it does."""

    clock: dict[str, Any] = field(default_factory=lambda: {"mode": "real", "now": SUBMITTED, "status": "ready"})
    jobs: dict[str, str] = field(default_factory=dict)  # by their ids: when they were submitted
    ended: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    rules: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0
    ends_at: str = ""  # the date of the last event of each job, if that is not the right one
    drift: str = ""
    forgets: bool = True  # at a reset
    extra_hits: int = 0
    loses: bool = False  # each second job
    ends_early: bool = False
    doubles: bool = False
    never_fails: bool = False  # whatever a rule says of jobs
    forgets_faults: bool = False  # those that jobs had
    marked: int = 0  # requests with the mark of a rule
    unrecorded: int = 0
    excuse: Mapping[str, Any] = field(default_factory=dict)  # of a journal that does not know all

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        method, path = request.method, request.url.path
        answers: Mapping[tuple[str, str], Callable[[Any], httpx.Response]] = {
            ("POST", "/_mock/reset"): self._reset,
            ("GET", "/_mock/clock"): self._show_clock,
            ("PUT", "/_mock/clock"): self._set_clock,
            ("POST", "/_mock/clock/advance"): self._advance,
            ("GET", "/_mock/faults"): lambda _: httpx.Response(200, json={"items": self.rules}),
            ("POST", "/_mock/faults"): self._add_rule,
            ("POST", "/_mock/verify"): self._verify,
            ("GET", "/_mock/jobs"): lambda _: httpx.Response(
                200, json={"items": [{"jobId": job} for job in self.jobs]}
            ),
            ("POST", "/v1/consumer/jobs"): self._submit,
        }
        if found := answers.get((method, path)):
            return found(body)
        job = path.rpartition("/")[2]
        return self._job(job) if path.startswith("/_mock") else self._status(job, request.headers)

    def _show_clock(self, _: object) -> httpx.Response:
        return httpx.Response(200, json=self.clock | ({"now": self.drift} if self.drift else {}))

    def _set_clock(self, body: Mapping[str, Any]) -> httpx.Response:
        self.clock |= body
        return httpx.Response(200, json=self.clock)

    def _add_rule(self, body: Mapping[str, Any]) -> httpx.Response:
        self.rules.append({**body, "hits": 0, "left": body["times"]})
        return httpx.Response(201, json=self.rules[-1])

    def _verify(self, body: Mapping[str, Any]) -> httpx.Response:
        if body["count"]["min"] <= self.marked + self.unrecorded <= body["count"]["max"]:
            return httpx.Response(200, json={"count": self.marked})
        return httpx.Response(409, json={"actual": self.marked, **self.excuse})

    def _reset(self, _: object) -> httpx.Response:
        if self.forgets:
            self.jobs, self.ended, self.rules, self.failed, self.marked = {}, set(), [], set(), 0
            self.clock["mode"] = "real"
        return httpx.Response(204)

    def _advance(self, body: Mapping[str, Any]) -> httpx.Response:
        self.clock["now"] = body["to"]
        for job in sorted(set(self.jobs) - self.ended):
            for rule in self.rules[1:]:
                if rule["left"]:
                    rule["hits"], rule["left"] = rule["hits"] + 1, rule["left"] - 1
                    self.failed.add(job)
        self.ended |= set(self.jobs)
        return httpx.Response(200, json=self.clock)

    def _submit(self, _: object) -> httpx.Response:
        self.number += 1
        job = f"job-{self.number}"
        if not (self.loses and self.number % 2):
            self.jobs[job] = self.clock["now"]
        if self.doubles:
            self.jobs[f"{job}-again"] = self.clock["now"]
        if self.ends_early:
            self.ended.add(job)
        return httpx.Response(202, json={"jobId": job})

    def _events(self, job: str) -> Sequence[Mapping[str, Any]]:
        first = {"type": "Initialized", "dateTime": self.jobs[job], "jobHasCompleted": False}
        end = "Failed" if job in self.failed and not self.never_fails else "Succeeded"
        last = {"type": end, "dateTime": self.ends_at or self.jobs[job], "jobHasCompleted": True}
        return [first, last] if job in self.ended else [first]

    def _job(self, job: str) -> httpx.Response:
        has_fault = job in self.failed and not self.forgets_faults
        faults = [{"attempt": 1, "rule": "fault-2", "preset": "node-crash"}] if has_fault else []
        return httpx.Response(
            200, json={"jobId": job, "retryAttempt": 0, "events": self._events(job), "faults": faults}
        )

    def _status(self, job: str, headers: httpx.Headers) -> httpx.Response:
        self.marked += MARK in headers
        for rule in self.rules[:1]:
            if headers.get(MARK) == rule["match"]["header"][MARK] and rule["left"] + self.extra_hits > 0:
                rule["hits"], rule["left"] = rule["hits"] + 1, rule["left"] - 1
                return httpx.Response(418, headers={FAULT: "fault-1"})
        if job not in self.jobs:
            return httpx.Response(404)
        return httpx.Response(200, json={"lastEvent": self._events(job)[-1]})


async def _faults(
    server: PlayedWorld, break_it: Callable[[PlayedWorld], None] | None = None, *, lives: int = 1
) -> Sequence[str]:
    """Return what is found after some lives, and what at the end, before which something is broken."""
    ledger = Ledger(rng=Random(1))
    async with httpx.AsyncClient(base_url="http://server", transport=httpx.MockTransport(server.answer)) as http:
        client = SoakClient(http=http, ledger=ledger)
        world = World(name="w", client=client, ledger=ledger, rng=Random(3), checked=Counter())
        for _ in range(lives):
            await world.live()
        if break_it is not None:
            break_it(server)
        await world.check(client)
    return ledger.faults


async def test_lives_in_which_all_went_well_have_no_fault() -> None:
    assert await _faults(PlayedWorld(), lives=3) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loses": True}, "jobs are missing"),
        ({"doubles": True}, "jobs more than were submitted"),
        ({"ends_early": True}, "ended in no time"),
        ({"ends_at": MOVED}, ": dates"),
        ({"drift": "2026-11-26T12:00:00Z"}, "and not frozen at"),
        ({"extra_hits": 1}, "did not fire as often as it may"),
        ({"extra_hits": -1}, "did not fire as often as it may"),
        ({"never_fails": True}, "has not failed"),
        ({"forgets_faults": True}, "has not succeeded"),
        ({"unrecorded": -1}, "the journal has other requests"),
        ({"unrecorded": 1}, "the journal has other requests"),
    ],
)
async def test_a_world_in_which_something_is_wrong_has_faults(
    changes: Mapping[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "PATIENCE_SECONDS", 0.5)  # which a busy machine may take for one round
    faults = await _faults(PlayedWorld(**changes))
    assert any(said in fault for fault in faults), faults


async def test_a_journal_that_says_that_it_does_not_know_all_is_no_fault() -> None:
    assert await _faults(PlayedWorld(unrecorded=-1, excuse={"incomplete": True})) == []


def _fail_once_more(server: PlayedWorld) -> None:
    server.rules[1]["hits"] = 0


async def test_what_a_reset_leaves_is_a_fault() -> None:
    faults = await _faults(PlayedWorld(forgets=False), lives=2)
    said = (
        "jobs are left after a reset",
        "the clock after a reset",
        "rules after a reset",
        "of an earlier life is there",
    )
    assert [text for text in said if not any(text in fault for fault in faults)] == []


def _strand(server: PlayedWorld) -> None:
    server.ended.discard(max(server.ended))


def _forget_rule(server: PlayedWorld) -> None:
    server.rules.clear()


def _count_once_more(server: PlayedWorld) -> None:
    server.rules[0]["hits"] += 1


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_strand, "(['Initialized']"),
        (_forget_rule, "rules are gone"),
        (_fail_once_more, "jobs failed otherwise"),
        (_count_once_more, "did not fire as often as it may"),
    ],
)
async def test_what_is_wrong_in_the_end_is_a_fault(break_it: Callable[[PlayedWorld], None], said: str) -> None:
    faults = await _faults(PlayedWorld(), break_it)
    assert any(said in fault for fault in faults), faults

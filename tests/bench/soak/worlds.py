"""Isolated worlds under the same trouble: each has a clock of its own, a rule of faults, and is reset now and then.

One after the other a world lives lives, between two resets. What it knows of the last one is checked again in the end.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.bench.soak.client import SoakClient, UnansweredError
from tests.bench.soak.ledger import Ledger
from tests.bench.soak.visits import JOBS

WORLDS = 3
FIRST_DAY = datetime(2030, 1, 1, tzinfo=UTC)  # far from the real time, so that no date can be of that
ROUNDS, ORDERS, TIMES = (1, 4), (1, 3), (1, 5)  # from the fewest to the most
STEP_MINUTES = (10, 60)  # jobs take less than a second, and are kept for a day
ADVANCE_SECONDS = 60.0  # the server answers after 30 at the latest
LOOK_SECONDS = 0.2
SETTLE_SECONDS = 6.0  # a process that lives obeys a change within 5 (ground rules of the control plane)
PATIENCE_SECONDS = 90.0
ROUTE = "/v1/consumer/jobs/{jobId}"
MARK, FAULT = "X-Soak", "X-Mock-Fault"
TEAPOT = 418  # which no server answers by itself
CRASH, CRASHES = "node-crash", (0, 2)
SUCCEEDED, FAILED = "Succeeded", "Failed"
CONFLICT = 409
REMEMBERED = 20  # jobs of lives that are over
TEMPLATE: Mapping[str, Any] = {
    "$type": "textToImage",
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a fox in another world", "width": 64, "height": 64},
}


@dataclass(kw_only=True)
class Life:
    """What happened in a world since its last reset, as far as the client knows."""

    number: int
    now: datetime
    jobs: list[str] = field(default_factory=list)
    unknown: int = 0  # submissions whose answer was lost or a refusal, though they may have been carried out
    times: int = 0
    hits_seen: int = 0
    asked: int = 0  # with the mark that the rule matches, and answered
    hits_unseen: int = 0  # at most: by requests whose answer was lost or a refusal
    fails: int = 0  # how many jobs are to fail at most
    failed: set[str] = field(default_factory=set)

    @property
    def mark(self) -> str:
        return f"life-{self.number}"


@dataclass(kw_only=True)
class World:
    """One namespace, and one client that does one thing after the other in it."""

    name: str
    client: SoakClient
    ledger: Ledger
    rng: Random
    checked: Counter[str]
    gone: list[str] = field(default_factory=list)
    life: Life = field(default_factory=lambda: Life(number=0, now=FIRST_DAY))

    async def run(self, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            try:
                await self.live()
            except UnansweredError as error:
                self.ledger.fault(f"{self.name}: {error}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the soak goes on, and it is told at the end
                self.ledger.fault(f"{self.name}: a life broke off: {error!r}")

    async def check(self, client: SoakClient) -> None:
        """Check what is left of the last life."""
        self.client = client
        await self._check_clock()
        await self._check_jobs()
        await self._check_rules()
        for job in self.gone:
            answer = await self._ask("GET", f"{JOBS}/{job}")
            self._expect(answer.status_code == 404, f"job {job} of an earlier life is there")
            self.checked["jobs of earlier lives"] += 1

    async def live(self) -> None:
        await self._begin()
        await self._set_rules()
        for _ in range(self.rng.randint(*ROUNDS)):
            for _ in range(self.rng.randint(*ORDERS)):
                await self._submit()
            await self._check_frozen()
            await self._advance()
            await self._check_clock()
            await self._check_jobs()
        await self._use_up_rule()
        await self._check_rules()
        await self._verify()
        self.checked["lives"] += 1

    async def _begin(self) -> None:
        """Reset the world, look that nothing is left, and stop its clock at another day."""
        self.gone = [*self.gone, *self.life.jobs][-REMEMBERED:]
        self.life = Life(number=self.life.number + 1, now=FIRST_DAY + timedelta(days=self.rng.randrange(3650)))
        await self._change("POST", "/_mock/reset")
        self._expect(not await self._listed(), "jobs are left after a reset")
        clock = (await self._ask("GET", "/_mock/clock")).json()
        self._expect(clock["mode"] == "real", f"the clock after a reset is {clock}")
        rules = (await self._ask("GET", "/_mock/faults")).json()["items"]
        self._expect(rules == [], f"rules after a reset: {rules}")
        await self._change("PUT", "/_mock/clock", json={"mode": "frozen", "now": _text(self.life.now)})

    async def _submit(self) -> None:
        """Submit a job once: what is not answered with its id may be there or not."""
        answer = await self.client.send("POST", JOBS, json=TEMPLATE, headers=self._headers)
        if answer is None or answer.status_code == 503:
            self.life.unknown += 1
        else:
            self.life.jobs.append(answer.raise_for_status().json()["jobId"])

    async def _advance(self) -> None:
        """Advance to a date, so that to say it again changes nothing; return when all is done by then."""
        self.life.now += timedelta(minutes=self.rng.randint(*STEP_MINUTES))
        where = {"to": _text(self.life.now)}
        clock = (await self._change("POST", "/_mock/clock/advance", json=where, timeout=ADVANCE_SECONDS)).json()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while clock["status"] != "ready" and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            clock = (await self._ask("GET", "/_mock/clock")).json()
        self._expect(clock["status"] == "ready", f"an advance did not end: {clock}")
        self.checked["advances"] += 1

    async def _check_clock(self) -> None:
        clock = (await self._ask("GET", "/_mock/clock")).json()
        is_right = clock["mode"] == "frozen" and _date(clock["now"]) == self.life.now
        self._expect(is_right, f"the clock is {clock}, and not frozen at {_text(self.life.now)}")

    async def _check_frozen(self) -> None:
        """A job that was submitted since the clock stands cannot have ended."""
        for job in self.life.jobs[-1:]:
            status = (await self._ask("GET", f"{JOBS}/{job}")).json()
            if _date(status["lastEvent"]["dateTime"]) == self.life.now:
                self._expect(not status["lastEvent"]["jobHasCompleted"], f"job {job} ended in no time")

    async def _check_jobs(self) -> None:
        """All that was submitted before the clock came here is there, and has ended by this world's time."""
        listed = await self._listed()
        known = set(self.life.jobs)
        self._expect(known <= set(listed), f"jobs are missing: {sorted(known - set(listed))}")
        extra = len(set(listed) - known)
        self._expect(extra <= self.life.unknown, f"{extra} jobs more than were submitted")
        for job in listed:
            details = (await self._ask("GET", f"/_mock/jobs/{job}")).json()
            self._check_job(details)

    def _check_job(self, details: Mapping[str, Any]) -> None:
        types = [event["type"] for event in details["events"]]
        dates = [_date(event["dateTime"]) for event in details["events"]]
        about = f"job {details['jobId']} ({types}, {dates[0]} to {dates[-1]})"
        attempt = details["retryAttempt"] + 1
        crashes = [fault for fault in details["faults"] if fault["preset"] == CRASH and fault["attempt"] == attempt]
        expected = FAILED if crashes else SUCCEEDED
        self._expect(types[-1] == expected, f"{about} has not {expected.lower()}, at {self.life.now}")
        if crashes:
            self.life.failed.add(details["jobId"])
        self._expect(dates == sorted(dates) and dates[0] >= FIRST_DAY and dates[-1] <= self.life.now, f"{about}: dates")
        self.checked["jobs of worlds"] += 1

    async def _set_rules(self) -> None:
        """Add two rules, each once."""
        self.life.times, self.life.fails = self.rng.randint(*TIMES), self.rng.randint(*CRASHES)
        match = {"method": "GET", "route": ROUTE, "header": {MARK: self.life.mark}}
        await self._add({"match": match, "action": {"status": TEAPOT}, "times": self.life.times}, number=1)
        if self.life.fails:
            await self._add({"match": {}, "preset": CRASH, "times": self.life.fails}, number=2)

    async def _add(self, rule: Mapping[str, Any], *, number: int) -> None:
        """Add a rule, and again only if it is not there a while after an answer that was lost, or was a 503.

        A store that went away meanwhile may still have carried it out, and processes have a moment to learn of it.
        """
        while len(await self._rules()) < number:
            answer = await self.client.send("POST", "/_mock/faults", json=rule, headers=self._headers)
            deadline = time.monotonic() + (SETTLE_SECONDS if answer is None or answer.status_code == 503 else 0)
            while len(await self._rules()) < number and time.monotonic() < deadline:
                await asyncio.sleep(LOOK_SECONDS)

    async def _rules(self) -> Sequence[Mapping[str, Any]]:
        """Return the rules in order: that for requests, and that for jobs."""
        rules: Sequence[Mapping[str, Any]] = (await self._ask("GET", "/_mock/faults")).json()["items"]
        presets = [rule.get("preset") for rule in rules]
        self._expect(presets in ([], [None], [None, CRASH]), f"rules that nobody set: {rules}")
        return rules

    async def _use_up_rule(self) -> None:
        """Ask until the rule has fired as often as it may, and then a little more."""
        deadline, rest = time.monotonic() + PATIENCE_SECONDS, 3
        while rest and time.monotonic() < deadline:
            await self._fire()
            rules = await self._rules()
            rest -= not rules or rules[0]["left"] <= 0

    async def _fire(self) -> None:
        path, headers = f"{JOBS}/of-{self.life.mark}", {**self._headers, MARK: self.life.mark}
        answer = await self.client.send("GET", path, headers=headers)
        if answer is None or answer.status_code == 503:
            self.life.hits_unseen += 1
            return
        self.life.asked += 1
        is_hit = answer.status_code == TEAPOT
        self._expect(is_hit == (FAULT in answer.headers), f"answered {answer.status_code}, and {answer.headers}")
        self.life.hits_seen += is_hit

    async def _check_rules(self) -> None:
        rules, life = await self._rules(), self.life
        if len(rules) != 1 + bool(life.fails):
            self.ledger.fault(f"{self.name}, {life.mark}: rules are gone, and left are {rules}")
            return
        hits, left = rules[0]["hits"], rules[0]["left"]
        counted = f"{hits} hits of {life.times}, {life.hits_seen} seen, {life.hits_unseen} perhaps"
        self._expect(hits == life.times and left == 0, f"the rule did not fire as often as it may: {counted}")
        self._expect(life.hits_seen <= life.times <= life.hits_seen + life.hits_unseen, f"fired otherwise: {counted}")
        self.checked["rules that fired exactly so often"] += 1
        for rule in rules[1:]:  # a process that dies between its count and its write has counted for nothing
            counted = f"{rule['hits']} hits of {life.fails}, and {len(life.failed)} jobs failed"
            self._expect(len(life.failed) <= rule["hits"] <= life.fails, f"jobs failed otherwise: {counted}")
            self.checked["jobs that were to fail"] += len(life.failed)

    async def _verify(self) -> None:
        """Have the journal count what was asked with the mark; it may only know less, and then it says so."""
        life = self.life
        expected = {
            "match": {"header": {MARK: life.mark}},
            "count": {"min": life.asked, "max": life.asked + life.hits_unseen},
        }
        answer = await self._ask("POST", "/_mock/verify", json=expected)
        is_incomplete = answer.status_code == CONFLICT and answer.json().get("incomplete") is True
        self._expect(answer.status_code == 200 or is_incomplete, f"the journal has other requests: {answer.text[:300]}")
        self.checked["journals that knew not all" if is_incomplete else "journals that were right"] += 1

    async def _listed(self) -> Sequence[str]:
        """Return the ids of all jobs of the world."""
        found: list[str] = []
        query: dict[str, str] = {}
        while True:
            page = (await self._ask("GET", "/_mock/jobs", params=query)).json()
            found += [job["jobId"] for job in page["items"]]
            if "next" not in page:
                return found
            query = {"cursor": page["next"]}

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"X-Mock-Namespace": self.name}

    async def _ask(self, method: str, path: str, **members: Any) -> Any:
        return await self.client.repeat(method, path, headers=self._headers, **members)

    async def _change(self, method: str, path: str, **members: Any) -> Any:
        """Change what may be changed again, until it is done."""
        answer = await self._ask(method, path, **{"json": {}, **members})
        return answer.raise_for_status()

    def _expect(self, is_true: bool, fault: str) -> None:
        if not is_true:
            self.ledger.fault(f"{self.name}, {self.life.mark}: {fault}")


def make_worlds(client: SoakClient, ledger: Ledger, checked: Counter[str], seed: int) -> Sequence[World]:
    return [
        World(name=f"world-{number}", client=client, ledger=ledger, rng=Random(seed + number), checked=checked)
        for number in range(WORLDS)
    ]


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text)

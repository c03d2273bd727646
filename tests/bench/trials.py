"""One trial: a server that is started anew, its jobs, the load on it, and what it uses meanwhile."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from tests.bench.apis import V1, WireApi, check_request
from tests.bench.goals import OURS, Figure, Figures
from tests.bench.load import Load, LoadProcess, Plan, message
from tests.bench.revisions import Revision
from tests.bench.servers import Place, Server, UnmeasuredError, read_json, running_ours, running_reference

PARAMS: Mapping[str, Any] = {"prompt": "a red fox", "steps": 20, "cfgScale": 7, "width": 512, "height": 512}
SMALL: Mapping[str, Any] = {
    "$type": "textToImage",
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": PARAMS,
}
# 0.9 kB with three networks.
LARGE: Mapping[str, Any] = {
    **SMALL,
    "params": {
        **PARAMS,
        "prompt": "a red fox in the snow, photograph, early morning, low sun behind birches, frost on its fur, " * 3,
        "negativePrompt": "blurry, low quality, watermark, text, extra legs, cropped, out of frame, " * 2,
        "scheduler": "EulerA",
        "seed": 7,
        "clipSkip": 2,
    },
    "additionalNetworks": {
        "urn:air:sd1:lora:civitai:82098@87153": {"type": "Lora", "strength": 0.8},
        "urn:air:sd1:embedding:civitai:7808@9208": {"type": "TextualInversion"},
        "urn:air:sd1:vae:civitai:276082@311162": {"type": "Vae"},
    },
}
# The same image as that of `SMALL`, as a step of v2.
WORKFLOW: Mapping[str, Any] = {
    "steps": [
        {
            "$type": "imageGen",
            "input": {
                "engine": "sdcpp",
                "ecosystem": "sd1",
                "operation": "createImage",
                "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
                **PARAMS,
            },
        }
    ]
}
ECHO: Mapping[str, Any] = {"steps": [{"$type": "echo", "input": {"message": "hello"}}]}
BLANK: Mapping[str, str] = {"SIMULATION_PROFILE": "instant", "SIMULATION_PICTURES": "blank"}
WARM_UP = 200
AT_ONCE = 32
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 120.0
LATE_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is measured: ours with some settings, or a reference by its name.

    One that `is_varied` is sent another body each time, of v1.
    """

    name: str = OURS
    reference: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=lambda: SMALL)
    is_varied: bool = False
    api: WireApi = V1
    measure: "Measure | None" = None

    @property
    def is_ours(self) -> bool:
        return not self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`answers` is the folder of what ours answered, which the references give back."""

    subject: Subject
    place: Place
    revision: Revision
    settings: Mapping[str, str]
    requests: int
    connections: int
    load_process: LoadProcess
    answers: Path

    @contextmanager
    def running(self, *, runs_jobs: bool = True, is_rested: bool = True) -> Iterator[Server]:
        """Start the server; one that is to be `rested` has loaded all that it loads."""
        if self.subject.is_ours:
            settings = {**self.settings, **self.subject.settings}
            started = running_ours(self.revision, self.place, settings, runs_jobs=runs_jobs)
        else:
            started = running_reference(self.subject.reference, self.answers)
        with started as server:
            if is_rested:
                server.await_rest()
            yield server

    @property
    def api(self) -> WireApi:
        return self.subject.api

    @property
    def submission(self) -> bytes:
        return message("POST", self.api.path, json.dumps(self.subject.template).encode())

    def submissions(self, count: int) -> Sequence[bytes]:
        """Return what is to be sent so many times: one submission, or others, each with its number in its prompt."""
        if not self.subject.is_varied:
            return [self.submission]
        template, params = self.subject.template, self.subject.template["params"]
        numbered = [{**params, "prompt": f"{params['prompt']} {number}"} for number in range(count)]
        bodies = [json.dumps({**template, "params": each}).encode() for each in numbered]
        return [message("POST", self.api.path, body) for body in bodies]

    @property
    def waiting_submission(self) -> bytes:
        """A submission that is answered when its job has ended."""
        return message("POST", f"{self.api.path}?{self.api.waiting}", json.dumps(self.subject.template).encode())

    def load(self, server: Server, messages: Sequence[bytes], requests: int, **changes: Any) -> Load:
        """Send so many requests over the connections of the row; `changes` are those of the plan."""
        plan = {"port": server.port, "messages": messages, "requests": requests, "connections": self.connections}
        return self.load_process.run(Plan(**{**plan, **changes}))

    def warm_up(self, server: Server, messages: Sequence[bytes]) -> None:
        self.load(server, messages, min(WARM_UP, self.requests), connections=AT_ONCE)

    def submit(self, server: Server, jobs: int) -> "Submitted":
        load = self.load(server, self.submissions(jobs), jobs, keep_bodies=True)
        return Submitted([self.api.id_in(json.loads(body)) for body in load.bodies], load, self.api)

    def finish(self, server: Server, jobs: int) -> Sequence[str]:
        """Submit jobs, wait until all have succeeded, and return their ids."""
        submitted = self.submit(server, jobs)
        submitted.await_last(server)
        self.check(server, submitted.ids)
        return submitted.ids

    def check(self, server: Server, ids: Sequence[str]) -> None:
        """All must have succeeded, but for a few that a later one has overtaken; wait for those."""
        load = self.load(server, [check_request(self.api, each) for each in ids], len(ids), keep_bodies=True)
        checked = zip(ids, load.bodies, strict=True)
        late = [each for each, body in checked if not self.api.has_succeeded(json.loads(body))]
        if len(late) > max(AT_ONCE, len(ids) * LATE_SHARE):
            raise UnmeasuredError(f"{len(late)} of {len(ids)} jobs had not ended when the last one had")
        for each in late:
            await_success(server, self.api, each)


Measure = Callable[[Trial], Figures]


@dataclass(frozen=True, slots=True)
class Submitted:
    ids: Sequence[str]
    load: Load
    api: WireApi

    def await_last(self, server: Server) -> float:
        """Return when the last jobs had succeeded; jobs end in about the order in which they came."""
        for job_id in self.ids[-AT_ONCE:]:
            await_success(server, self.api, job_id)
        return perf_counter()


class Watch:
    """What a server uses from now on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._statements = server.statements()
        self._usage = server.usage()

    def figures(self, count: int) -> dict[Figure, float | None]:
        """For each of so many requests or jobs; memory is what there is at the end."""
        before, after = self._usage, self._server.usage()
        statements = self._server.statements()
        unknown = statements is None or self._statements is None
        return {
            Figure.CPU: (after.cpu_seconds - before.cpu_seconds) * 1e6 / count,
            Figure.RSS: after.resident_bytes / 1e6,
            Figure.STATEMENTS: None if unknown else ((statements or 0) - (self._statements or 0)) / count,
            Figure.WRITES: (after.write_calls - before.write_calls) / count,
            Figure.WRITTEN: (after.written_bytes - before.written_bytes) / 1e3 / count,
        }


def await_success(server: Server, api: WireApi, work_id: str) -> None:
    deadline = perf_counter() + PATIENCE_SECONDS
    while not api.has_succeeded(read_json(server.port, f"{api.path}/{work_id}")):
        if perf_counter() > deadline:
            raise UnmeasuredError(f"{work_id} did not end within {PATIENCE_SECONDS:g} s")
        sleep(POLL_SECONDS)

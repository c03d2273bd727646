"""The loads that rows put on a server, and the figures that come of them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from time import perf_counter

from tests.bench.apis import status_request
from tests.bench.goals import Figure, Figures
from tests.bench.listeners import Listening, listen
from tests.bench.load import Load, message
from tests.bench.revisions import PACKAGE
from tests.bench.servers import Server, UnmeasuredError, exchange
from tests.bench.trials import AT_ONCE, Trial, Watch

KEPT_AT_ONCE = 5000
KEPT_EARLY_SHARE = 0.01
SAMPLED = 1000
PAGE = 20
MINUTES = {"min": "1s", "max": "10m"}
IN_FLIGHT = 200
LISTENING_SECONDS, SETTLING_SECONDS = 10.0, 2.0
PAUSE_SECONDS = 0.02
IMPORT = f"import time; began = time.perf_counter(); import {PACKAGE}; print(time.perf_counter() - began)"


def same_job(trial: Trial) -> Figures:
    """GET one finished job again and again."""
    with trial.running() as server:
        messages = [status_request(trial.api, job_id) for job_id in trial.finish(server, 1)]
        trial.warm_up(server, messages)
        watch = Watch(server)
        load = trial.load(server, messages, trial.requests)
        return {**watch.figures(trial.requests), **_speed(load)}


def different_jobs(trial: Trial) -> Figures:
    """GET as many different finished jobs, once each."""
    with trial.running() as server:
        trial.warm_up(server, [status_request(trial.api, job_id) for job_id in trial.finish(server, 1)])
        submitted = trial.submit(server, trial.requests)
        submitted.await_last(server)
        watch = Watch(server)
        load = trial.load(server, [status_request(trial.api, job_id) for job_id in submitted.ids], trial.requests)
        figures = {**watch.figures(trial.requests), **_speed(load)}
        trial.check(server, submitted.ids)
        return figures


def submissions(trial: Trial) -> Figures:
    """POST jobs that nobody runs."""
    with trial.running(runs_jobs=False) as server:
        trial.warm_up(server, [trial.submission])
        watch = Watch(server)
        load = trial.load(server, trial.submissions(trial.requests), trial.requests)
        return {**watch.figures(trial.requests), **_speed(load)}


def whole_jobs(trial: Trial) -> Figures:
    """POST jobs, and see the last of them succeed; all CPU counts."""
    with trial.running() as server:
        trial.finish(server, min(trial.requests, SAMPLED // 10))
        return _whole_jobs(trial, server)


def jobs_nobody_hears(trial: Trial) -> Figures:
    """Do the same after somebody has listened to a job, so that all is loaded and subscribed."""
    with trial.running() as server:
        (job_id, *_) = trial.finish(server, min(trial.requests, SAMPLED // 10))
        status, told = exchange(server.port, "GET", f"{trial.api.path}/{job_id}/events")
        if status != HTTPStatus.OK or b"generation_complete" not in told:
            raise UnmeasuredError(f"no stream: {status} {told[:500]!r}")
        return _whole_jobs(trial, server)


def _whole_jobs(trial: Trial, server: Server) -> Figures:
    watch, started = Watch(server), perf_counter()
    submitted = trial.submit(server, trial.requests)
    seconds = submitted.await_last(server) - started
    figures = watch.figures(trial.requests)
    trial.check(server, submitted.ids)
    return {**figures, Figure.RATE: trial.requests / seconds}


def waiting_clients(trial: Trial) -> Figures:
    """POST with `wait=true`, each client again as soon as it has its answer."""
    with trial.running() as server:
        trial.warm_up(server, [trial.waiting_submission])
        watch = Watch(server)
        load = trial.load(server, [trial.waiting_submission], trial.requests)
        return {**watch.figures(trial.requests), **_speed(load)}


def timed_clients(trial: Trial) -> Figures:
    """POST with `wait=true` as above, where the progress mode says how long jobs take."""
    mode = {"mode": "time", "stages": {"SENT_TO_COMFY": "500ms"}}
    with trial.running() as server:
        status, answer = exchange(server.port, "PUT", "/_mock/progress", json.dumps(mode).encode())
        if status != HTTPStatus.OK:
            raise UnmeasuredError(f"no progress mode can be set: {status} {answer!r}")
        trial.warm_up(server, [trial.waiting_submission])
        watch = Watch(server)
        load = trial.load(server, [trial.waiting_submission], trial.requests)
        return {**watch.figures(trial.requests), **_speed(load)}


def clients_at_once(trial: Trial) -> Figures:
    """POST once with `wait=true` from as many clients at once; `first` and `last` have their answers when."""
    with trial.running() as server:
        trial.finish(server, 1)
        watch = Watch(server)
        load = trial.load(server, [trial.waiting_submission], trial.requests, connections=trial.requests)
        figures = {**watch.figures(trial.requests), Figure.FIRST: min(load.latencies), Figure.LAST: load.seconds}
        return {**figures, Figure.PEAK: server.usage().peak_resident_bytes / 1e6}


def sleeping_jobs(trial: Trial) -> Figures:
    """POST jobs that take a while; `last` is from the last answer until all have succeeded."""
    with trial.running() as server:
        trial.finish(server, 1)
        watch = Watch(server)
        submitted = trial.submit(server, trial.requests)
        seconds = submitted.await_last(server) - submitted.load.ended
        figures = watch.figures(trial.requests)
        trial.check(server, submitted.ids)
        return {**figures, Figure.LAST: seconds}


def advanced_jobs(trial: Trial) -> Figures:
    """POST jobs of a second to ten minutes while the clock stands; `last` is an advance by which all of them end."""
    with trial.running() as server:
        trial.finish(server, 1)
        _change(trial, server, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": MINUTES}})
        _change(trial, server, "PUT", "/_mock/clock", {"mode": "frozen"})
        watch = Watch(server)
        submitted = trial.submit(server, trial.requests)
        advance = _change(trial, server, "POST", "/_mock/clock/advance", {"by": "10m"})
        figures = watch.figures(trial.requests)
        trial.check(server, submitted.ids)
        return {**figures, Figure.LAST: advance.seconds}


def reset_jobs(trial: Trial) -> Figures:
    """Reset a namespace in which jobs are kept, and as many as one scheduler takes are in flight; `last` is the order.

    The jobs in flight stand still, as their time does.
    """
    with trial.running() as server:
        trial.finish(server, trial.requests)
        _change(trial, server, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "1h"}})
        trial.submit(server, IN_FLIGHT)
        watch = Watch(server)
        order = _change(trial, server, "POST", "/_mock/reset", {})
        return {**watch.figures(1), Figure.LAST: order.seconds}


def fair_share(trial: Trial) -> Figures:
    """POST one job with `wait=true` in a namespace while many wait in another; `last` is until its answer."""
    with trial.running() as server:
        trial.finish(server, 1)
        _change(trial, server, "PUT", "/_mock/progress", {"mode": "time", "stages": {"SENT_TO_COMFY": "1h"}})
        trial.submit(server, trial.requests)
        path = f"/ns/other{trial.api.path}?{trial.api.waiting}"
        submission = message("POST", path, json.dumps(trial.subject.template).encode())
        return {Figure.LAST: trial.load(server, [submission], 1, connections=1).seconds}


def kept_jobs(trial: Trial) -> Figures:
    """Keep many finished jobs; GET some of them when there are few, and when all are there."""
    with trial.running() as server:
        ids = list(trial.finish(server, max(int(trial.requests * KEPT_EARLY_SHARE), 1)))
        early = _median_of_gets(trial, server, ids)
        while (missing := trial.requests - len(ids)) > 0:
            ids += trial.finish(server, min(missing, KEPT_AT_ONCE))
        late = _median_of_gets(trial, server, ids)
        return {
            Figure.RSS: server.usage().resident_bytes / 1e6,
            Figure.DISK: server.disk_bytes() / 1e6 if trial.place.store == "file" else None,
            Figure.P50_EARLY: early,
            Figure.P50: late,
            Figure.GROWTH: late / early,
        }


def listed_workflows(trial: Trial) -> Figures:
    """List the newest workflows when there are few, and when all are there."""
    with trial.running() as server:
        known = len(trial.finish(server, max(int(trial.requests * KEPT_EARLY_SHARE), PAGE)))
        early = _median_of_pages(trial, server)
        while (missing := trial.requests - known) > 0:
            known += len(trial.finish(server, min(missing, KEPT_AT_ONCE)))
        late = _median_of_pages(trial, server)
        return {Figure.P50_EARLY: early, Figure.P50: late, Figure.GROWTH: late / early}


def streamed_jobs(trial: Trial) -> Figures:
    """Listen to as many jobs, each by a stream of its own, while they do one step a second; each event counts."""
    with trial.running() as server:
        ids = trial.submit(server, trial.requests).ids
        plan = Listening(
            port=server.port,
            paths=[f"{trial.api.path}/{job_id}/events" for job_id in ids],
            pids=[process.pid for process in server.processes],
            seconds=LISTENING_SECONDS,
            settling_seconds=SETTLING_SECONDS,
        )
        heard = trial.load_process.call(listen, plan, plan.most_seconds)
        return {
            Figure.CPU: heard.cpu_seconds * 1e6 / len(heard.latencies),
            Figure.RATE: len(heard.latencies) / LISTENING_SECONDS,
            Figure.P50: heard.percentile(0.5) * 1e3,
            Figure.P99: heard.percentile(0.99) * 1e3,
            Figure.MORE: heard.more_bytes / 1e6,
        }


def start(trial: Trial) -> Figures:
    """Start, until the first healthy answer; and import the package in a process of its own."""
    with trial.running(is_rested=False) as server:
        figures: dict[Figure, float | None] = {
            Figure.START: server.start_seconds,
            Figure.START_CPU: server.usage().cpu_seconds,
            Figure.RSS: server.usage().resident_bytes / 1e6,
        }
    if trial.subject.is_ours:
        figures[Figure.IMPORT] = _import_seconds(trial)
    return figures


def idle(trial: Trial) -> Figures:
    """POST with `wait=true`, one job after the other with a pause between them."""
    with trial.running() as server:
        trial.finish(server, AT_ONCE)
        watch = Watch(server)
        load = trial.load(
            server, [trial.waiting_submission], trial.requests, connections=1, pause_seconds=PAUSE_SECONDS
        )
        speed = _speed(load)
        return {**watch.figures(trial.requests), Figure.P50: speed[Figure.P50], Figure.P99: speed[Figure.P99]}


def _change(trial: Trial, server: Server, method: str, path: str, body: Mapping[str, object]) -> Load:
    return trial.load(server, [message(method, path, json.dumps(body).encode())], 1, connections=1)


def _import_seconds(trial: Trial) -> float:
    environment = {"PYTHONPATH": str(trial.revision.source), "PATH": os.defpath}
    command = [sys.executable, "-c", IMPORT]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def _median_of_gets(trial: Trial, server: Server, ids: Sequence[str]) -> float:
    """GET jobs of every age, each of them once, one after the other; the median is in ms.

    Asked again, a job takes a fraction of that, and among few jobs more would be asked again than among many.
    """
    messages = [status_request(trial.api, job_id) for job_id in ids[:: max(len(ids) // SAMPLED, 1)]][:SAMPLED]
    few = max(len(messages) // 10, 1)
    once = messages[few:] or messages
    trial.warm_up(server, messages[:few])
    return trial.load(server, once, len(once), connections=1).percentile(0.5) * 1e3


def _median_of_pages(trial: Trial, server: Server) -> float:
    """GET the first page again and again, which no server keeps; the median is in ms."""
    page = message("GET", f"{trial.api.path}?take={PAGE}")
    trial.warm_up(server, [page])
    return trial.load(server, [page], SAMPLED, connections=1).percentile(0.5) * 1e3


def _speed(load: Load) -> Mapping[Figure, float]:
    return {
        Figure.RATE: load.per_second,
        Figure.P50: load.percentile(0.5) * 1e3,
        Figure.P99: load.percentile(0.99) * 1e3,
    }

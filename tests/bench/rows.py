"""The rows of the bench: what is asked of whom, how often, and what the figures are to reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench import measures
from tests.bench.apis import V2
from tests.bench.goals import Beside, Figure, Goal
from tests.bench.queue_reference import empty_jobs
from tests.bench.trials import AT_ONCE, BLANK, ECHO, LARGE, PARAMS, SMALL, WORKFLOW, Measure, Subject

ROUNDS = 6
OURS = Subject()
WORKFLOWS = Subject(template=WORKFLOW, api=V2)
JOBS = Subject(name="v1")
OTHER_JOBS = Subject(name="v1", is_varied=True)  # as the goals of v2 are of a time at which v1 remembered nothing
BARE = Subject(name="bare", reference="bare")
STARLETTE = Subject(name="starlette", reference="starlette")
FASTAPI = Subject(name="fastapi", reference="fastapi")
FASTAPI_AGAIN = Subject(name="fastapi", reference="fastapi", measure=measures.same_job)  # it has one answer for all
ARQ = Subject(name="arq", reference="arq", measure=empty_jobs)
WITHOUT_CONTROL_PLANE = Subject(name="off", settings={"ADMIN": "off"})
WITHOUT_JOURNAL = Subject(settings={"JOURNAL_MAX_ENTRIES": "0"})
WITH_JOURNAL = Subject(name="journal")
NOTHING_SET = (WITHOUT_JOURNAL, WITH_JOURNAL, WITHOUT_CONTROL_PLANE)
MEMORY = ("memory",)
FILE = ("file",)
MONGO = ("mongo",)


def _as_fast(least: float, *, reference: str, subject: str = OURS.name) -> Goal:
    """Return the goal to be at least so many times as fast as the reference, by CPU."""
    return Goal(
        figure=Figure.CPU, least=least, beside=Beside.SPEED, subject=subject, reference=reference, stores=MEMORY
    )


def _as_cheap(most: float, *, reference: str, subject: str = OURS.name) -> Goal:
    """Return the goal to take at most so many times the CPU of the reference."""
    return Goal(figure=Figure.CPU, most=most, beside=Beside.RATIO, subject=subject, reference=reference, stores=MEMORY)


NOTHING_COSTS_NOTHING = (
    _as_fast(0.97, reference="off"),
    _as_fast(0.85, reference="off", subject="journal"),
)
DEFAULT_LOG: Mapping[str, str] = {"LOG_LEVEL": "info"}
JSON_LOG: Mapping[str, str] = {"LOG_LEVEL": "info", "LOG_FORMAT": "json"}


CONTROLLED: Mapping[str, str] = {**BLANK, "ADMIN": "open", "ADMIN_ALLOWED_HOSTS": "bench"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One load. `requests` are sent in each round to each subject, which is started anew for it.

    `stores` are those that it is about; it can be run on the others too.
    """

    name: str
    what: str
    measure: Measure
    requests: int
    goals: Sequence[Goal]
    subjects: Sequence[Subject] = (OURS,)
    settings: Mapping[str, str] = field(default_factory=lambda: BLANK)
    connections: int = AT_ONCE
    stores: Sequence[str] = ("memory",)
    rounds: int = ROUNDS


STREAMED_STEPS = 100
WAITS = 10_240  # 20 of each of 512 clients: with 8 of each, the first wave, in which all come at once, is a tenth


def _simulated(milliseconds: int) -> Mapping[str, str]:
    return {**BLANK, "SIMULATION_PROMPT_MS": str(milliseconds)}


def _stepping(*, seconds: float) -> Mapping[str, str]:
    """Return the settings of a simulation in which nothing but the steps of an image takes time."""
    megapixels = PARAMS["width"] * PARAMS["height"] / 1e6
    return {**BLANK, "SIMULATION_STEP_MS": str(round(seconds * 1000 / megapixels))}


ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row(
            name="get",
            what="GET one finished job again and again, without a journal, as the references have none, and with it",
            measure=measures.same_job,
            requests=10_000,
            subjects=(WITHOUT_JOURNAL, WITH_JOURNAL, BARE, STARLETTE, FASTAPI),
            goals=[
                _as_fast(1.0, reference="starlette"),
                _as_fast(0.85, reference="ours", subject="journal"),
            ],
        ),
        Row(
            name="get-cold",
            what="GET different finished jobs, once each",
            measure=measures.different_jobs,
            requests=10_000,
            subjects=(OURS, FASTAPI_AGAIN),
            goals=[
                Goal(figure=Figure.CPU, most=80, stores=MEMORY),
                _as_fast(0.95, reference="fastapi"),
            ],
        ),
        Row(
            name="log",
            what="GET one finished job, with the log of development and of production",
            measure=measures.same_job,
            requests=10_000,
            subjects=(
                OURS,
                Subject(name="default log", settings=DEFAULT_LOG),
                Subject(name="JSON log", settings=JSON_LOG),
            ),
            goals=[
                Goal(figure=Figure.CPU, most=8, beside=Beside.DIFFERENCE, subject=name, reference="ours", stores=MEMORY)
                for name in ("default log", "JSON log")
            ],
        ),
        Row(
            name="post",
            what="POST a textToImage job of 0.9 kB with three networks, to the API alone: the same or others",
            measure=measures.submissions,
            requests=4000,
            subjects=(
                Subject(template=LARGE),
                Subject(name="other bodies", template=LARGE, is_varied=True),
                Subject(name="small body"),
                Subject(name="other small bodies", is_varied=True),
                Subject(name="bare", reference="bare", template=LARGE),
                Subject(name="starlette", reference="starlette", template=LARGE),
                Subject(name="fastapi", reference="fastapi", template=LARGE),
            ),
            goals=[
                Goal(figure=Figure.CPU, most=200, stores=MEMORY),
                Goal(figure=Figure.CPU, most=150, subject="small body", stores=MEMORY),
                _as_fast(0.5, reference="fastapi"),
                _as_fast(0.64, reference="fastapi", subject="small body"),
            ],
        ),
        Row(
            name="job",
            what="a job from POST to Succeeded, with a blank image",
            measure=measures.whole_jobs,
            requests=2000,
            subjects=(OURS, Subject(name="default log", settings=DEFAULT_LOG), ARQ),
            goals=[
                Goal(figure=Figure.CPU, most=550, stores=MEMORY),
                Goal(figure=Figure.CPU, most=600, subject="default log", stores=MEMORY),
                _as_cheap(1.1, reference="arq"),
                _as_cheap(1.2, reference="arq", subject="default log"),
            ],
        ),
        Row(
            name="v2-get",
            what="GET one finished workflow of one imageGen step again and again, beside a job of v1",
            measure=measures.same_job,
            requests=10_000,
            subjects=(WORKFLOWS, JOBS),
            goals=[_as_fast(0.8, reference="v1")],
        ),
        Row(
            name="v2-get-cold",
            what="GET different finished workflows of one imageGen step, once each, beside jobs of v1",
            measure=measures.different_jobs,
            requests=5000,
            subjects=(WORKFLOWS, JOBS),
            goals=[_as_fast(0.4, reference="v1")],
        ),
        Row(
            name="v2-submit",
            what="POST a workflow of one imageGen step, to the API alone, beside different ones of v1",
            measure=measures.submissions,
            requests=4000,
            subjects=(WORKFLOWS, OTHER_JOBS),
            goals=[_as_fast(0.7, reference="v1")],
        ),
        Row(
            name="v2-job",
            what="a workflow of one imageGen step from POST to succeeded (a blank image), beside different jobs of v1",
            measure=measures.whole_jobs,
            requests=2000,
            subjects=(WORKFLOWS, OTHER_JOBS),
            goals=[_as_fast(0.7, reference="v1")],
        ),
        Row(
            name="v2-list",
            what="GET the newest 20 of 10,000 workflows, one page after the other",
            measure=measures.listed_workflows,
            requests=10_000,
            subjects=(Subject(template=ECHO, api=V2),),
            stores=(*MEMORY, *FILE),
            rounds=1,
            goals=[Goal(figure=Figure.GROWTH, most=1.2)],
        ),
        Row(
            name="drawn",
            what="a job from POST to Succeeded, with an image of 512x512 that is drawn",
            measure=measures.whole_jobs,
            requests=400,
            subjects=(Subject(settings={"SIMULATION_PICTURES": "drawn"}), Subject(name="blank")),
            goals=[Goal(figure=Figure.CPU, most=1.1, beside=Beside.RATIO, reference="blank")],
        ),
        Row(
            name="file",
            what="a job from POST to Succeeded, on a SQLite file",
            measure=measures.whole_jobs,
            requests=2000,
            stores=FILE,
            goals=[
                Goal(figure=Figure.STATEMENTS, most=10, stores=FILE),
                Goal(figure=Figure.WRITES, most=15, stores=FILE),
                Goal(figure=Figure.WRITTEN, most=30, stores=FILE),
            ],
        ),
        Row(
            name="wait",
            what="512 clients that wait for jobs of 500 ms (`wait=true`), again and again",
            measure=measures.waiting_clients,
            requests=WAITS,
            connections=512,
            settings=_simulated(500),
            goals=[
                Goal(figure=Figure.RATE, least=930, stores=MEMORY),
                Goal(figure=Figure.P99, most=800, stores=MEMORY),
            ],
        ),
        Row(
            name="wait-timed",
            what="the same 512 clients, whose jobs take 500 ms by the progress mode `time`",
            measure=measures.timed_clients,
            requests=WAITS,
            connections=512,
            goals=[
                Goal(figure=Figure.RATE, least=930, stores=MEMORY),
                Goal(figure=Figure.P99, most=800, stores=MEMORY),
            ],
        ),
        Row(
            name="many-waiting",
            what="5,000 clients at once that wait for a job of 500 ms (`wait=true`)",
            measure=measures.clients_at_once,
            requests=5000,
            settings=_simulated(500),
            goals=[
                Goal(figure=Figure.FIRST, most=1.2, stores=MEMORY),
                Goal(figure=Figure.LAST, most=5, stores=MEMORY),
                Goal(figure=Figure.PEAK, most=250, stores=MEMORY),
            ],
        ),
        Row(
            name="sleepers",
            what="2,000 jobs of 2 s, from the last POST until all have succeeded",
            measure=measures.sleeping_jobs,
            requests=2000,
            settings=_simulated(2000),
            goals=[Goal(figure=Figure.LAST, most=2.5, stores=MEMORY)],
        ),
        Row(
            name="clock",
            what="1,000 jobs of 1 s to 10 min, from the order to advance the clock until all have succeeded",
            measure=measures.advanced_jobs,
            requests=1000,
            settings=CONTROLLED,
            stores=(*MEMORY, *FILE),
            goals=[Goal(figure=Figure.LAST, most=3.0)],
        ),
        Row(
            name="clock-one",
            what="one job of minutes, from the order to advance the clock until it has succeeded",
            measure=measures.advanced_jobs,
            requests=1,
            settings=CONTROLLED,
            stores=(*MEMORY, *FILE),
            goals=[Goal(figure=Figure.LAST, most=0.05)],
        ),
        Row(
            name="reset",
            what="reset a namespace with 1,000 jobs kept and 200 in flight, from the order to its answer",
            measure=measures.reset_jobs,
            requests=1000,
            settings={**CONTROLLED, "SCHEDULER_MAX_IN_FLIGHT": str(measures.IN_FLIGHT)},
            stores=(*MEMORY, *FILE),
            goals=[Goal(figure=Figure.LAST, most=0.05)],
        ),
        Row(
            name="fair",
            what="one job in a namespace while 10,000 wait in another, from its POST until it has succeeded",
            measure=measures.fair_share,
            requests=10_000,
            settings={**CONTROLLED, "SCHEDULER_MAX_IN_FLIGHT": str(measures.IN_FLIGHT)},
            stores=(*MEMORY, *FILE),
            goals=[Goal(figure=Figure.LAST, most=1.0)],
        ),
        Row(
            name="streams",
            what="1,000 streams of one job each that does one step a second, so 1,000 events a second",
            measure=measures.streamed_jobs,
            requests=1000,
            subjects=(Subject(template={**SMALL, "params": {**PARAMS, "steps": STREAMED_STEPS}}),),
            settings=_stepping(seconds=1),
            rounds=3,
            goals=[
                Goal(figure=Figure.RATE, least=990, stores=MEMORY),
                Goal(figure=Figure.CPU, most=600, stores=MEMORY),
                Goal(figure=Figure.MORE, most=150, stores=MEMORY),
                Goal(figure=Figure.P99, most=250, stores=MEMORY),
            ],
        ),
        Row(
            name="kept",
            what="100,000 finished jobs are kept",
            measure=measures.kept_jobs,
            requests=100_000,
            stores=(*MEMORY, *FILE),
            rounds=1,
            goals=[
                Goal(figure=Figure.RSS, most=400, stores=MEMORY),
                Goal(figure=Figure.RSS, most=120, stores=FILE),
                Goal(figure=Figure.DISK, most=450, stores=FILE),
                Goal(figure=Figure.GROWTH, most=1.2),
            ],
        ),
        Row(
            name="nothing-set-get",
            what="GET different finished jobs, once each, with control plane and journal, without it, and without both",
            measure=measures.different_jobs,
            requests=4000,
            subjects=NOTHING_SET,
            rounds=20,
            goals=NOTHING_COSTS_NOTHING,
        ),
        Row(
            name="nothing-set-post",
            what="POST a job, to the API alone, with control plane and journal, without it, and without both",
            measure=measures.submissions,
            requests=2000,
            subjects=NOTHING_SET,
            rounds=20,
            goals=NOTHING_COSTS_NOTHING,
        ),
        Row(
            name="nobody-hears",
            what="a job from POST to Succeeded, after somebody has listened to a stream of events, and before",
            measure=measures.whole_jobs,
            requests=1000,
            subjects=(Subject(measure=measures.jobs_nobody_hears), Subject(name="before")),
            rounds=20,
            goals=[_as_cheap(1.01, reference="before")],
        ),
        Row(
            name="start",
            what="command to the first healthy answer, and `import` of the package",
            measure=measures.start,
            requests=1,
            subjects=(OURS, STARLETTE, FASTAPI),
            settings={},
            rounds=10,
            goals=[
                Goal(figure=Figure.START, most=0.4, stores=MEMORY),
                Goal(figure=Figure.IMPORT, most=0.1),
            ],
        ),
        Row(
            name="mongo",
            what="a job from POST to Succeeded, on the MongoDB stand-in",
            measure=measures.whole_jobs,
            requests=1000,
            stores=MONGO,
            goals=[Goal(figure=Figure.STATEMENTS, most=4, stores=MONGO)],
        ),
        Row(
            name="idle",
            what="a job from POST to Succeeded (`wait=true`) while nothing else happens",
            measure=measures.idle,
            requests=100,
            connections=1,
            goals=[Goal(figure=Figure.P50, most=5, stores=MEMORY)],
        ),
    )
}

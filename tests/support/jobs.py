"""Make domain values: plain ones without arguments, with what a test is about as an argument."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import Slot, blob_key
from civitai_mock.domain.claims import Claim
from civitai_mock.domain.job import Job, JobResource, initialized_event
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.ports import JobQueue, JobStore
from tests.support.dates import START

LEASE = timedelta(seconds=30)
LIFETIME = timedelta(days=1)
SECOND = timedelta(seconds=1)
TRACE_ID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
CHECKPOINT = "urn:air:sdxl:checkpoint:civitai:101055@128078"
LORA = "urn:air:sdxl:lora:civitai:122359@135867"


def job_id(number: int) -> str:
    """Return an id; ids sort as their numbers do."""
    return f"00000000-0000-4000-8000-{number:012d}"


def make_job(
    number: int = 1,
    *,
    created_at: datetime = START,
    expire_at: datetime | None = None,
    keep_until: datetime | None = None,
    priority: int = 0,
    max_retry_attempt: int = 5,
) -> Job:
    """Return a queued job of two images, with something in every member that a new job can have."""
    return Job(
        id=job_id(number),
        type="TextToImageV2",
        trace_id=TRACE_ID,
        issued_by="civitai-1000001",
        created_at=created_at,
        expire_at=expire_at or created_at + LIFETIME,
        keep_until=keep_until or created_at + LIFETIME,
        priority=priority,
        timeout=timedelta(minutes=10, microseconds=1),
        cost=0.9600000000000002,
        max_retry_attempt=max_retry_attempt,
        spec=_spec(),
        properties={"userId": 7, "tags": ["a", None, True], "nested": {"ratio": 0.1, "": "ключ"}},
        resources=(
            JobResource(air=Air.parse(CHECKPOINT), file_name="sdxl/civitai/101055/128078.safetensors"),
            JobResource(
                air=Air.parse(LORA),
                file_name="lora/x.safetensors",
                trained_words=("wow", "styl é"),
                hashes=("3f34446ec06e", "c87e3019"),
            ),
        ),
        submission_id="submission-1",
        slots=tuple(Slot(blob_key=blob_key(job_id(number), index), seed=2**32 - 1 - index) for index in range(2)),
        stage=Stage.QUEUED,
        retry_attempt=0,
        last_event=initialized_event(job_id(number), "TextToImageV2", trace_id=TRACE_ID, at=created_at),
    )


def make_blocked(number: int, *dependencies: str) -> Job:
    return replace(make_job(number), dependencies=dependencies, is_blocked=bool(dependencies))


def _spec() -> JsonObject:
    params: JsonObject = {"prompt": 'a "quoted" кот 🐈\n', "steps": 20, "cfgScale": 7.5, "seed": 2**32 - 1}
    return {"model": CHECKPOINT, "params": params, "additionalNetworks": {LORA: {"strength": 0.8}}, "quantity": 2}


def make_claim(worker_id: str = "local-1", *, at: datetime = START, lease: timedelta = LEASE) -> Claim:
    return Claim(provider="local", worker_id=worker_id, at=at, until=at + lease)


def prepared(job: Job, *, at: datetime = START) -> Job:
    """Return a claimed job in PROMPT_PREPARED, two changes on; for tests that need not store each."""
    entered = job.entered(Stage.CLAIMED, at=at, until=at + LEASE, context={})
    return entered.entered(Stage.PROMPT_PREPARED, at=at, until=at + LEASE, context={})


def succeeded(job: Job, *, at: datetime = START) -> Job:
    """Return a claimed job that has succeeded, with its images there; for tests that need not store each change."""
    sent = prepared(job, at=at).entered(Stage.SENT_TO_COMFY, at=at, until=at + LEASE, context={}, prompt_id="prompt-1")
    slots = [replace(slot, available=True) for slot in sent.slots]
    return sent.ended(Outcome.SUCCEEDED, at=at, context={}, slots=slots)


async def add_jobs(jobs: JobStore, count: int, *, at: datetime = START) -> Sequence[Job]:
    """Store jobs 1 to `count`, each a second younger than the one before."""
    added = [make_job(number, created_at=at + number * SECOND) for number in range(1, count + 1)]
    await jobs.add(added)
    return added


async def add_claimed(jobs: JobStore, queue: JobQueue, claim: Claim | None = None, job: Job | None = None) -> Job:
    """Store a job, claim it and return it, before any change."""
    await jobs.add([job or make_job()])
    (claimed,) = await queue.claim(claim or make_claim(), limit=1)
    return claimed


def make_resource(air: str = CHECKPOINT, /, **fields: Json) -> Resource:
    return Resource(air=Air.parse(air), fields=fields)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """Yield content as a provider hands it over."""
    for part in parts:
        yield part


async def collect(content: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in content])

"""Templates that no API has made: their faults are spelled as they say, and their jobs run as all do."""

from collections.abc import Sequence
from typing import Any

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.job import Job
from civitai_mock.domain.sampling import Sampling
from civitai_mock.domain.stages import Outcome
from civitai_mock.generation.job_types.text_to_image import TextToImageDraft
from civitai_mock.generation.text_to_image.draft import RefinerDraft
from civitai_mock.services.consumers import EVERYBODY, Caller
from civitai_mock.services.job_template import JobTemplate
from tests.scheduler.conftest import Bench, running
from tests.support.event_loop import until_found
from tests.support.jobs import TRACE_ID

MODEL = "urn:air:sdxl:checkpoint:civitai:101055@128078"
LORA = "urn:air:sdxl:lora:civitai:58390@62833"
STEP = "steps[0].input"


def shout(field: str) -> str:
    return field.upper()


async def submit(bench: Bench, *templates: JobTemplate) -> Sequence[Job]:
    return await bench.namespace.use_cases.submit(templates, Caller(trace_id=TRACE_ID, consumer=EVERYBODY))


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (TextToImageDraft(model="DreamShaper"), "MODEL"),
        (TextToImageDraft(model="civitai:1@2"), "MODEL"),
        (TextToImageDraft(model=MODEL, refiner=RefinerDraft(model="?")), "REFINER.MODEL"),
        (TextToImageDraft(model=MODEL, refiner=RefinerDraft(model=LORA)), "REFINER.MODEL"),
        (TextToImageDraft(model=MODEL, source_image="http://[::1"), "SOURCE_IMAGE"),
        (TextToImageDraft(model=MODEL, source_image="ftp://images.example/fox.png"), "SOURCE_IMAGE"),
    ],
)
async def test_a_fault_stands_where_the_template_says(bench: Bench, draft: TextToImageDraft, field: str) -> None:
    good = JobTemplate(draft=TextToImageDraft(model=MODEL), path=STEP, spell=shout)
    with pytest.raises(InvalidRequestError) as caught:
        await submit(bench, good, JobTemplate(draft=draft, path=STEP, spell=shout))
    assert list(caught.value.errors) == [f"{STEP}.{field}"]


async def test_all_texts_that_are_no_airs_are_named_at_once(bench: Bench) -> None:
    draft = TextToImageDraft(model="DreamShaper", refiner=RefinerDraft(model="?"))
    with pytest.raises(InvalidRequestError) as caught:
        await submit(bench, JobTemplate(draft=draft))
    assert list(caught.value.errors) == ["model", "refiner.model"]


async def test_templates_at_one_place_make_jobs_of_their_own_that_depend_on_each_other_by_name(bench: Bench) -> None:
    draft = TextToImageDraft(model=MODEL, sampling=Sampling("res_multistep", "beta"), width=4000, seed=7)
    first = JobTemplate(draft=draft, path=STEP, name="first")
    second = JobTemplate(draft=draft, path=STEP, dependencies=("first",))
    jobs = await submit(bench, second, first)
    assert jobs[0].dependencies == (jobs[1].id,)
    async with running(bench.scheduler()):
        await until_found(lambda: bench.have_all_ended(jobs))
    assert {(await bench.job(job.id)).outcome for job in jobs} == {Outcome.SUCCEEDED}
    sent: Any = bench.provider.submissions[0].graph
    sampler = sent["KSampler"]["inputs"]
    assert (sampler["sampler_name"], sampler["scheduler"], sampler["seed"]) == ("res_multistep", "beta", 7)

"""Take inputs of v2's steps to the plans of their jobs and to outputs, without a store or a server."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from civitai_mock.api.v2.description.echo import echo_input
from civitai_mock.api.v2.steps import RegisteredStepTypes
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json
from civitai_mock.generation.job_types.draft import Plan
from civitai_mock.ports.steps import OutputView, StepJobs
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from tests.support.generation import job_of, resolve

TYPES = RegisteredStepTypes(
    blob_urls=WorkflowBlobUrls(
        key=b"k" * 32, lifetime=timedelta(days=1), clock=VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    )
)
SEEN = OutputView(base_url="http://here", allows_mature_content=False)
SEED = 11
LORA = "urn:air:sdxl:lora:civitai:58390@62833"
OTHER_LORA = "urn:air:sdxl:lora:civitai:122359@135867"
VAE = "urn:air:sdxl:vae:civitai:296576@333245"
EMBEDDING = "urn:air:sdxl:embedding:civitai:7808@9208"
# Values for members of which the description does not say all that they have to be.
AIRS: Mapping[str, Json] = {
    "loras": {LORA: 0.8, OTHER_LORA: 1},
    "additionalNetworks": {LORA: {"strength": 0.8, "triggerWord": "wow"}},
    "embeddings": [EMBEDDING],
    "vaeModel": VAE,
    "controlNets": [
        {
            "preprocessor": "openpose",
            "weight": 0.8,
            "startStep": 0,
            "endStep": 0.5,
            "image": "https://example.com/pose.png",
        }
    ],
}


def plans_of(step_type: str, sent: Any) -> list[Plan]:
    made = TYPES.job_maker(step_type, echo_input(step_type, sent))(SEED)
    return [resolve(draft) for draft in made.drafts]


def job_in_step(made: Plan) -> Job:
    job = job_of(made)
    return replace(job, slots=made.slots(job.id))


def fault_paths(step_type: str, sent: Any) -> set[str]:
    """Return where in the input the faults are that only show with the resources at hand."""
    made = TYPES.job_maker(step_type, echo_input(step_type, sent))(SEED)
    try:
        for draft in made.drafts:
            resolve(draft)
    except FieldError as error:
        return {_spelled(made, field) for field in error.errors}
    return set()


def _spelled(made: StepJobs, field: str) -> str:
    for begin, path in made.paths.items():
        if begin.endswith(".") and field.startswith(begin):
            return path + field.removeprefix(begin)
    return made.paths.get(field, field)


def with_airs(sent: Any) -> Any:
    """Return an input in which the members that it has name resources of their kind."""
    known: dict[str, Any] = {name: value for name, value in AIRS.items() if name in sent}
    if isinstance(sent.get("loras"), list):
        known["loras"] = [{"air": LORA, "strength": 0.5}]
    return {**sent, **known}

"""Take a template to its plan, its job and its graph, without a store or a server."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

from civitai_mock.api.v1.job_types import parse_template
from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Graph, Skeleton, parse_skeleton
from civitai_mock.generation.job_types import job_work
from civitai_mock.generation.job_types.draft import JobDraft, Plan
from civitai_mock.generation.work import GraphWork, JobWork
from tests.support.jobs import make_job

SEED = 1211611058
SKELETON_FOLDER = files("civitai_mock") / "generation" / "skeletons"
SKELETONS: Mapping[str, Skeleton] = {
    file.name.removesuffix(".json"): parse_skeleton(file.name, json.loads(file.read_text("utf-8")))
    for file in SKELETON_FOLDER.iterdir()
}
MODELS = {
    "sd1": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "sdxl": "urn:air:sdxl:checkpoint:civitai:101055@128078",
    "flux1": "urn:air:flux1:checkpoint:civitai:618692@691639",
}


def plan(template: JsonObject, found: Mapping[str, Resource] | None = None) -> Plan:
    """Plan a template of v1; a fault is reported by its path there."""
    parsed = parse_template(template)
    try:
        return resolve(parsed.draft, found)
    except FieldError as error:
        raise error.spelled(parsed.spell) from error


def resolve(draft: JobDraft, found: Mapping[str, Resource] | None = None) -> Plan:
    """`found` has the resources that are more than their AIR, by the reference of the draft."""
    resources = {text: _resource(text) for text in draft.references().values() if text not in (found or {})}
    return draft.resolve(resources={**resources, **(found or {})}, seed=SEED)


def spec_of(template: JsonObject, found: Mapping[str, Resource] | None = None) -> Any:
    """Return what is stored of a template of v1."""
    return plan(template, found).spec.to_json()


def references_of(template: JsonObject) -> Mapping[str, str]:
    """Return the AIRs of a template of v1 by their path there."""
    parsed = parse_template(template)
    return {parsed.spell(field): text for field, text in parsed.draft.references().items()}


def planned_job(template: JsonObject, found: Mapping[str, Resource] | None = None) -> Job:
    return job_of(plan(template, found))


def job_of(made: Plan) -> Job:
    return replace(make_job(), type=made.spec.job_type, spec=made.spec.to_json(), resources=made.resources)


def work_of(template: JsonObject, found: Mapping[str, Resource] | None = None) -> JobWork:
    return job_work(planned_job(template, found), SKELETONS)


def graph_of_job(job: Job) -> Graph:
    work = job_work(job, SKELETONS)
    assert isinstance(work, GraphWork)
    return work.graph


def graph_of(template: JsonObject, found: Mapping[str, Resource] | None = None) -> Graph:
    return graph_of_job(planned_job(template, found))


def make_found(air: str, **fields: str | list[str]) -> Resource:
    """Return a resource with more to it than its AIR."""
    return Resource(air=Air.parse(air), fields=json.loads(json.dumps(fields)))


def _resource(text: str) -> Resource:
    reference = parse_reference(text)
    assert isinstance(reference, Air), f"{text} does not say what it is: pass it as found"
    return Resource(air=reference, fields={})

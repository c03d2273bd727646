"""Take a template to its plan, its job and its graph, without a store or a server."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Graph, Skeleton, parse_skeleton
from civitai_mock.generation.job_types import job_work, parse_template
from civitai_mock.generation.job_types.request import JobRequest, Plan
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
    return plan_request(parse_template(template), found)


def plan_request(request: JobRequest, found: Mapping[str, Resource] | None = None) -> Plan:
    """`found` has the resources that are more than their AIR, by the reference of the request."""
    resources = {text: _resource(text) for text in request.references().values() if text not in (found or {})}
    return request.plan(resources={**resources, **(found or {})}, seed=SEED)


def planned_job(template: JsonObject, found: Mapping[str, Resource] | None = None) -> Job:
    made = plan(template, found)
    job_type = parse_template(template).job_type
    return replace(make_job(), type=job_type, request=made.request, resources=made.resources)


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

"""The two forms of a submission: one template, or a list of them."""

from collections.abc import Mapping

from civitai_mock.domain.errors import MOST_FAULTS, InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.search import count_values
from civitai_mock.generation.job_types import parse_template
from civitai_mock.generation.job_types.request import JobRequest
from civitai_mock.generation.wire import MAX_VALUES, fault, invalid

LIST = "jobs"
MAX_VALUES_IN_ALL = 20_000


def parse_submission(body: JsonObject, *, max_jobs: int) -> Mapping[str, JobRequest]:
    """Each request by its path in the body (`jobs[0]`, nothing for a single one); all faults are told at once."""
    name = next((name for name in body if name.lower() == LIST), None)
    if name is None:
        return {"": parse_template(body)}
    templates = body[name]
    if not isinstance(templates, list) or not templates:
        raise fault(LIST, "Expected a list of at least one template.")
    if len(templates) > max_jobs:
        raise fault(LIST, f"There are {len(templates)} templates; one request may have {max_jobs}.")
    return _parse_all({f"{LIST}[{index}]": template for index, template in enumerate(templates)})


def _parse_all(templates: Mapping[str, Json]) -> Mapping[str, JobRequest]:
    requests: dict[str, JobRequest] = {}
    errors: dict[str, list[str]] = {}
    for path, template in templates.items():
        try:
            requests[path] = parse_template(template, path=path)
        except InvalidRequestError as error:
            errors |= error.errors
        if len(errors) > MOST_FAULTS:
            break
    if errors:
        raise invalid(errors)
    values = sum(count_values(request.properties, most=MAX_VALUES) for request in requests.values())
    if values > MAX_VALUES_IN_ALL:
        raise fault(LIST, f"The properties of all jobs have {values} values; at most {MAX_VALUES_IN_ALL} are taken.")
    return requests

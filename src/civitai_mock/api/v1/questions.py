"""The bodies of v1 other than templates."""

from typing import Annotated, TypeVar

import orjson
from pydantic import AfterValidator, Field, ValidationError

from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.wire import JsonMembers, Properties, Text, WireModel, from_validation

T = TypeVar("T", bound=WireModel)

MAX_CONTEXT_BYTES = 65_536
MAX_REASON_LENGTH = 20_000


def _short(context: JsonMembers) -> JsonMembers:
    """It is stored with each of the jobs, and shown with them."""
    if len(orjson.dumps(context)) > MAX_CONTEXT_BYTES:
        raise ValueError(f"At most {MAX_CONTEXT_BYTES} bytes of JSON are taken.")
    return context


Context = Annotated[JsonMembers, AfterValidator(_short)]
Reason = Annotated[Text, Field(max_length=MAX_REASON_LENGTH)]


class TaintJobRequest(WireModel):
    """What is wrong with a job."""

    reason: Reason | None = None
    context: Context | None = None

    @property
    def taint(self) -> JsonObject:
        """As it is shown with the job."""
        return TaintJobRequest.model_dump(self, include={"reason", "context"}, exclude_none=True)


class TaintJobsRequest(TaintJobRequest):
    """The same of several jobs, those that have all of `properties`."""

    properties: Properties | None = None


class QueryJobsRequest(WireModel):
    """Jobs of one type, and that have all of `properties`; both may be left out."""

    cursor: Text | None = None
    job_type: Annotated[Text | None, Field(description="`$type` or `jobType`, such as textToImage")] = None
    properties: Properties | None = None


def parse(body: JsonObject, form: type[T]) -> T:
    """Raise `InvalidRequestError` with each fault by its path."""
    try:
        return form.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise from_validation(error, path="") from error

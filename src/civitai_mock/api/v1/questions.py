"""The bodies of v1 other than templates."""

from typing import Annotated, TypeVar

from pydantic import Field, JsonValue, ValidationError

from civitai_mock.domain.json import JsonObject
from civitai_mock.generation.request_errors import from_validation
from civitai_mock.generation.wire import Text, WireModel

T = TypeVar("T", bound=WireModel)


class TaintJobRequest(WireModel):
    """What is wrong with a job."""

    reason: Text | None = None
    context: dict[str, JsonValue] | None = None

    @property
    def taint(self) -> JsonObject:
        """As it is shown with the job."""
        return TaintJobRequest.model_dump(self, include={"reason", "context"}, exclude_none=True)


class TaintJobsRequest(TaintJobRequest):
    """The same of several jobs, those that have all of `properties`."""

    properties: dict[str, JsonValue] | None = None


class QueryJobsRequest(WireModel):
    """Jobs of one type, and that have all of `properties`; both may be left out."""

    cursor: Text | None = None
    job_type: Annotated[Text | None, Field(description="`$type` or `jobType`, such as textToImage")] = None
    properties: dict[str, JsonValue] | None = None


def parse(body: JsonObject, form: type[T]) -> T:
    """Raise `InvalidRequestError` with each fault by its path."""
    try:
        return form.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise from_validation(error, path="") from error

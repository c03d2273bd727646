"""The base of the requests of all `$type`s of v1, and of those that are complete as they were sent."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from civitai_mock.domain.blob import Slot, blob_key
from civitai_mock.domain.dotnet import parse_timespan
from civitai_mock.domain.job import MAX_RETRY_ATTEMPT, NAMED_PRIORITIES, NORMAL, Job, JobResource
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.quick_init import quick_init
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Skeleton
from civitai_mock.generation.wire import INT32_MAX, INT32_MIN, TYPE, Int32, Properties, RequestModel, Text, Texts
from civitai_mock.generation.work import JobWork

MAX_CLAIM = timedelta(days=1)
INT32_SCHEMA: JsonDict = {"type": "integer", "format": "int32", "minimum": INT32_MIN, "maximum": INT32_MAX}
# The forms that the official description calls Priority, FixedPriority and RangedPriority.
PRIORITY_SCHEMA: JsonDict = {
    "anyOf": [
        INT32_SCHEMA,
        {"type": "string", "enum": ["High", "Normal", "Low"]},
        {"type": "object", "properties": {"value": INT32_SCHEMA}, "required": ["value"]},
        {"type": "object", "properties": {"min": INT32_SCHEMA, "max": INT32_SCHEMA}, "required": ["min", "max"]},
    ],
    "default": NORMAL,
}
TIMESPAN_SCHEMA: JsonDict = {
    "anyOf": [{"type": "string", "format": "time-span", "examples": ["00:10:00"]}, {"type": "null"}]
}


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Is what a request comes to: `request` is complete (defaults filled in, seed drawn) and all that `work` needs.

    `cost` is in Buzz; `images` is the number of images that are its results, all made from `seed`; `assets` are the
    names of other files that it makes.
    """

    request: JsonObject
    resources: tuple[JobResource, ...]
    cost: float
    images: int = 0
    seed: int | None = None
    assets: tuple[str, ...] = ()

    def slots(self, job_id: str) -> tuple[Slot, ...]:
        """Return a slot for each file that is known of before the work begins."""
        images = [Slot(blob_key=blob_key(job_id, place), seed=self.seed) for place in range(self.images)]
        assets = [
            Slot(blob_key=blob_key(job_id, place), name=name) for place, name in enumerate(self.assets, self.images)
        ]
        return (*images, *assets)


def _priority(value: object) -> object:
    """Read a number, `{value}`, `{min, max}` (of which the best counts), or High, Normal, Low in any case."""
    if isinstance(value, dict):
        value = next((value[name] for name in ("value", "max", "min") if value.get(name) is not None), "")
    if isinstance(value, str):
        if value.lower() not in NAMED_PRIORITIES:
            raise ValueError("expected a number, {value}, {min, max}, High, Normal or Low")
        return NAMED_PRIORITIES[value.lower()]
    return NORMAL if value is None else value


def _timespan(value: object) -> object:
    if isinstance(value, str):
        value = parse_timespan(value)
        if not timedelta() < value <= MAX_CLAIM:
            raise ValueError("expected a duration above 0 and up to one day")
    elif value is not None:
        raise ValueError("expected a duration like 00:10:00")
    return value


def _utc(value: object) -> object:
    """Read an ISO 8601 date; without an offset it is UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("expected a date like 2026-01-31T12:00:00Z") from error


def _properties(value: object) -> object:
    return {} if value is None else value


def _with_type(schema: JsonDict, request: type["JobRequest"]) -> None:
    """Add `$type` to the schema: it says which class reads a template, so it is not a field of that class."""
    members = schema["properties"]
    if isinstance(members, dict) and hasattr(request, "wire_name"):
        schema["properties"] = {
            TYPE: {"type": "string", "enum": [request.wire_name, request.template_name]},
            **members,
        }


class JobRequest(RequestModel):
    """Is one template of a submission; a class for each `$type` is in the registry.

    `wire_name` is the `$type` that clients send, `template_name` the one of the official description. A type that
    `runs_graphs` needs a provider's worker.
    """

    model_config = ConfigDict(json_schema_extra=_with_type)

    wire_name: ClassVar[str]
    template_name: ClassVar[str]
    job_type: ClassVar[str]
    runs_graphs: ClassVar[bool] = False

    name: Text | None = None
    priority: Annotated[Int32, BeforeValidator(_priority), WithJsonSchema(PRIORITY_SCHEMA)] = NORMAL
    providers: Texts | None = None
    expire_at: Annotated[datetime | None, BeforeValidator(_utc)] = None
    properties: Annotated[Properties, BeforeValidator(_properties)] = Field(default_factory=dict)
    callback_url: Text | None = None
    timeout: Annotated[timedelta | None, BeforeValidator(_timespan), WithJsonSchema(TIMESPAN_SCHEMA)] = None
    retries: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    dependencies: Texts | None = None

    @property
    def max_retry_attempt(self) -> int:
        return MAX_RETRY_ATTEMPT if self.retries is None else self.retries

    @abstractmethod
    def references(self) -> Mapping[str, str]:
        """Return each AIR that must be in the resources, in either form, by its path in the request (`model`)."""

    def image_urls(self) -> Mapping[str, str]:
        """Return each URL from which an image has to be fetched, by its path in the request."""
        return {}

    @abstractmethod
    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:
        """Complete the request.

        `resources` has every reference by its text in the request; `seed` is used where the request has none. Raise
        `InvalidRequestError` for what only shows with the resources at hand (an unknown ecosystem).
        """

    @classmethod
    @abstractmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:
        """Return what has to be done for a planned job; raise `JobError` if nothing can be."""

    @classmethod
    @abstractmethod
    def describe(cls, job: Job) -> JsonObject:
        """Return the members of the detailed `job` that only this type has (capture v1-job-claimed-detailed)."""


class PassthroughRequest(JobRequest):
    """Is stored, and shown, with its members as they are: nothing is filled in.

    `cost` is in Buzz, whatever the request says; `images` is the number of images that come of it.
    """

    cost: ClassVar[float]
    images: ClassVar[int] = 0

    def references(self) -> Mapping[str, str]:
        return {}

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - nothing is left open
        named = tuple(resources[text].for_job for text in self.references().values())
        return Plan(request=self.own_members(), resources=named, cost=self.cost, images=self.images)

    def own_members(self) -> JsonObject:
        """Return the members that only this type has."""
        return self.model_dump(mode="json", exclude=set(JobRequest.model_fields), exclude_none=True)

    @classmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:  # noqa: ARG003 - no graph is built
        return cls.model_validate(job.request).own_work()

    @abstractmethod
    def own_work(self) -> JobWork:
        """Return the work that this request asks for."""

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        return dict(job.request)

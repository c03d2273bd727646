"""What the templates of all `$type`s have in common."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from civitai_mock.api.v1.wire import INT32_MAX, INT32_MIN, TYPE, Int32, Properties, RequestModel, Text, Texts
from civitai_mock.domain.dotnet import parse_timespan
from civitai_mock.domain.job import MAX_RETRY_ATTEMPT, NAMED_PRIORITIES, NORMAL, Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.generation.job_types.draft import JobDraft
from civitai_mock.services.job_template import JobTemplate

INDEX = re.compile(r"\[[0-9]+\]")
SHARED_FIELDS: Mapping[str, str] = {"callback_url": "callbackUrl"}
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

    `wire_name` is the `$type` that clients send, `template_name` the one of the official description. `FIELDS` has the
    paths in a template by the fields of the draft, see `spell`.
    """

    model_config = ConfigDict(json_schema_extra=_with_type)

    wire_name: ClassVar[str]
    template_name: ClassVar[str]
    job_type: ClassVar[str]
    FIELDS: ClassVar[Mapping[str, str]] = {}

    name: Text | None = None
    priority: Annotated[Int32, BeforeValidator(_priority), WithJsonSchema(PRIORITY_SCHEMA)] = NORMAL
    providers: Texts | None = None
    expire_at: Annotated[datetime | None, BeforeValidator(_utc)] = None
    properties: Annotated[Properties, BeforeValidator(_properties)] = Field(default_factory=dict)
    callback_url: Text | None = None
    timeout: Annotated[timedelta | None, BeforeValidator(_timespan), WithJsonSchema(TIMESPAN_SCHEMA)] = None
    retries: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    dependencies: Texts | None = None

    @abstractmethod
    def draft(self) -> JobDraft:
        """Return what is asked for."""

    def template(self, path: str) -> JobTemplate:
        """Return the whole request, which stands at `path` in the body."""
        draft = self.draft()
        return JobTemplate(
            draft=draft,
            draws_seed=draft.draws_seed,
            path=path,
            spell=self.spell,
            name=self.name,
            priority=self.priority,
            max_retry_attempt=MAX_RETRY_ATTEMPT if self.retries is None else self.retries,
            timeout=self.timeout,
            expire_at=self.expire_at,
            callback_url=self.callback_url,
            properties=self.properties,
            providers=tuple(self.providers or ()),
            dependencies=tuple(self.dependencies or ()),
        )

    @classmethod
    def spell(cls, field: str) -> str:
        """Return the path in a template of a field of the draft; one that `FIELDS` does not have is spelled alike.

        A `[]` there stands for any index. A field that ends in a dot is the beginning of all that go on with a name.
        """
        for begin, path in cls.FIELDS.items():
            if begin.endswith(".") and field.startswith(begin):
                return path + field.removeprefix(begin)
        index = INDEX.search(field)
        if index is None:
            return cls.FIELDS.get(field, SHARED_FIELDS.get(field, field))
        known = field.replace(index[0], "[]", 1)
        return cls.FIELDS.get(known, known).replace("[]", index[0], 1)

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        """Return the members of the detailed `job` that only this type has (capture v1-job-claimed-detailed).

        Those of most types are stored as they were sent.
        """
        return dict(job.spec)

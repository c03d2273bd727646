"""What a rule matches: each condition holds for a request, a job, a blob or a callback, or it does not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from http import HTTPMethod
from typing import TypeAlias

from civitai_mock.domain.air import Air, parse_reference
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fault_presets import Hook, Target
from civitai_mock.domain.faults.patterns import LinearPattern, compile_pattern
from civitai_mock.domain.members import Members
from civitai_mock.domain.nearest import did_you_mean, unknown_name

MATCH = "match"
CONTAINS, PATTERN = "contains", "pattern"
MOST_HEADERS = 20
MOST_ATTEMPTS = 1000
METHODS = [str(method) for method in HTTPMethod]
RESERVED = ("/_mock", "/health")  # hit only by rules that name the route


class Condition(StrEnum):
    """Names the members of a match."""

    METHOD = "method"
    ROUTE = "route"
    TYPE = "$type"
    MODEL = "model"
    ECOSYSTEM = "ecosystem"
    PROMPT = "prompt"
    HEADER = "header"
    IMAGE_GIVEN = "imageGiven"
    ATTEMPT = "attempt"


OF_REQUESTS = frozenset({Condition.METHOD, Condition.ROUTE, Condition.HEADER})
OF_WORK = frozenset({Condition.TYPE, Condition.MODEL, Condition.ECOSYSTEM, Condition.PROMPT, Condition.IMAGE_GIVEN})
OF_BODY = frozenset({*OF_WORK, Target.WHAT_IF_WITH_IMAGE, Target.PROMPT_WITH_TERM})  # read in the body of a submission
# What can hold at a hook; a job is met by the method and the route that submitted it.
AT_HOOKS: Mapping[Hook, frozenset[Condition]] = {
    Hook.REQUEST: OF_REQUESTS | OF_WORK,
    Hook.JOB: OF_WORK | {Condition.METHOD, Condition.ROUTE, Condition.ATTEMPT},
    Hook.BLOB: OF_REQUESTS | OF_WORK,
    Hook.CALLBACK: OF_WORK | {Condition.ATTEMPT},
    Hook.STREAM: OF_REQUESTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSubject:
    """Is what rules are held against; what is not known of it is None or empty, and no condition on it holds.

    `route` is a path of the OpenAPI description, names of headers are in lower case, `models` are AIRs, and the first
    `attempt` is 1. `targets` says what is known of a request beside that, and `version` is the one of its API.
    """

    hook: Hook
    method: str | None = None
    route: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    types: Sequence[str] = ()
    models: Sequence[str] = ()
    ecosystems: Sequence[str] = ()
    prompts: Sequence[str] = ()
    image_given: bool | None = None
    attempt: int | None = None
    targets: Collection[Target] = ()
    version: str | None = None

    @property
    def prompt_length(self) -> int:
        """Return how many characters a pattern has to be looked for in."""
        return sum(map(len, self.prompts))

    @property
    def is_reserved(self) -> bool:
        """Return whether only a rule that names the route may hit this."""
        return any(self.route == path or (self.route or "").startswith(f"{path}/") for path in RESERVED)


@dataclass(frozen=True, slots=True)
class Contains:
    """Is a text that stands in another one, in any case."""

    text: str

    def is_in(self, text: str) -> bool:
        return self.text.lower() in text.lower()


TextCondition: TypeAlias = Contains | LinearPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Is all that a rule asks for; what is None or empty is not asked for."""

    method: str | None = None
    route: str | None = None
    type: str | None = None
    model: str | None = None
    ecosystem: str | None = None
    prompt: TextCondition | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    image_given: bool | None = None
    attempt: int | None = None

    @property
    def has_pattern(self) -> bool:
        return isinstance(self.prompt, LinearPattern)

    @property
    def conditions(self) -> frozenset[Condition]:
        """Return what is asked for."""
        return frozenset(condition for condition, wanted in self._wanted().items() if wanted is not None)

    def first_failed(self, subject: FaultSubject) -> Condition | None:
        """Return the first condition that does not hold; None if all do."""
        return next((condition for condition, holds in self.checks(subject) if not holds), None)

    def _wanted(self) -> Mapping[Condition, object]:
        return {
            Condition.METHOD: self.method,
            Condition.ROUTE: self.route,
            Condition.TYPE: self.type,
            Condition.MODEL: self.model,
            Condition.ECOSYSTEM: self.ecosystem,
            Condition.PROMPT: self.prompt,
            Condition.HEADER: self.headers or None,
            Condition.IMAGE_GIVEN: self.image_given,
            Condition.ATTEMPT: self.attempt,
        }

    def checks(self, subject: FaultSubject) -> Iterator[tuple[Condition, bool]]:
        """Yield what is asked for, and whether it holds, the cheapest first."""
        if self.method is not None:
            yield Condition.METHOD, self.method.upper() == (subject.method or "").upper()
        if self.route is not None or subject.is_reserved:
            yield Condition.ROUTE, self.route is not None and self.route == subject.route
        if self.type is not None:
            yield Condition.TYPE, _is_one_of(self.type, subject.types)
        if self.ecosystem is not None:
            yield Condition.ECOSYSTEM, _is_one_of(self.ecosystem, subject.ecosystems)
        if self.image_given is not None:
            yield Condition.IMAGE_GIVEN, self.image_given is subject.image_given
        if self.attempt is not None:
            yield Condition.ATTEMPT, self.attempt == subject.attempt
        if self.headers:
            yield Condition.HEADER, all(subject.headers.get(name) == value for name, value in self.headers.items())
        if self.model is not None:
            yield Condition.MODEL, resource_identity(self.model) in map(resource_identity, subject.models)
        if (prompt := self.prompt) is not None:
            yield Condition.PROMPT, any(prompt.is_in(text) for text in subject.prompts)


def read_match(members: Members, *, routes: Collection[str] | None) -> Match:
    """Read the match of a rule, which may be missing.

    Note a route that is not one of the known ones, if they are, and then a method that no request has, too.
    """
    inner = members.inner(MATCH)
    return Match() if inner is None else read_conditions(inner, routes=routes)


def read_conditions(members: Members, *, routes: Collection[str] | None) -> Match:
    """Read the members of a match."""
    return Match(
        method=_read_method(members, is_new=routes is not None),
        route=_read_route(members, routes),
        type=members.text(Condition.TYPE),
        model=members.text(Condition.MODEL),
        ecosystem=members.text(Condition.ECOSYSTEM),
        prompt=_read_prompt(members),
        headers=_read_headers(members),
        image_given=members.flag(Condition.IMAGE_GIVEN),
        attempt=members.whole(Condition.ATTEMPT, least=1, most=MOST_ATTEMPTS),
    )


def resource_identity(text: str) -> str:
    """Return what all spellings of a model share; anything but an AIR is compared as it is, in any case."""
    try:
        reference = parse_reference(text)
    except InvalidRequestError:
        return text.lower()
    if isinstance(reference, Air):
        return reference.identity
    return str(reference).lower() if reference.version_id is None else f"@civitai/{reference.version_id}"


def _is_one_of(wanted: str, found: Collection[str]) -> bool:
    return wanted.lower() in (name.lower() for name in found)


def _read_method(members: Members, *, is_new: bool) -> str | None:
    method = members.text(Condition.METHOD, most=20)
    if is_new and method is not None and method.upper() not in METHODS:
        members.note(Condition.METHOD, unknown_name("method", method, METHODS))
    return method


def _read_route(members: Members, routes: Collection[str] | None) -> str | None:
    route = members.text(Condition.ROUTE)
    if route is not None and routes is not None and route not in routes:
        members.note(
            Condition.ROUTE,
            f"Unknown route '{route[:100]}'; expected a path of /openapi.json.{did_you_mean(route, routes)}",
        )
    return route


def _read_prompt(members: Members) -> TextCondition | None:
    inner = members.inner(Condition.PROMPT)
    kind = None if inner is None else inner.exactly_one(CONTAINS, PATTERN)
    if inner is None or kind is None:
        return None
    text = inner.text(kind)
    if text is None or kind == CONTAINS:
        return None if text is None else Contains(text)
    try:
        return compile_pattern(text)
    except ValueError as error:
        inner.note(PATTERN, str(error))
        return None


def _read_headers(members: Members) -> Mapping[str, str]:
    inner = members.inner(Condition.HEADER)
    if inner is None:
        return {}
    if not 0 < len(inner.names) <= MOST_HEADERS:
        inner.note("", f"Expected 1 to {MOST_HEADERS} headers with their values.")
    return {name.lower(): value for name in inner.names if (value := inner.text(name)) is not None}
